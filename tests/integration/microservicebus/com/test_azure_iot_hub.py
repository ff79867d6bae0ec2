"""Com over the MQTT interface of Azure IoT Hub, against a hub that takes what Microsoft's pages describe."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.integration.microservicebus.com.flows import Sensor, comes, gateway, state_of, submit
from tests.servers.iot_hub import HUB, IotHub

KEY = base64.b64encode(b"the key of the device").decode()
ACTIONS = {"reboot": "Sensor_py.Reboot", "message": "sensor.Reboot", "gone": "nobody.Reboot"}


@pytest.fixture
def hub(mosquitto: Any, tmp_path: Any) -> Iterator[Callable[..., IotHub]]:
    """Makes hubs: ``hub(dev1=KEY)``."""
    made: list[IotHub] = []

    def make(**keys: str) -> IotHub:
        made.append(IotHub(mosquitto(lines=IotHub.lines(tmp_path)), keys or {"dev1": KEY}))
        return made[-1]

    yield make
    for one in made:
        one.close()


def azure(one: IotHub, port: int = 0, **settings: Any) -> Any:
    text = f"HostName={HUB};DeviceId=dev1;SharedAccessKey={KEY}"
    known = {"gateway": f"localhost:{port or one.port}", "ca": str(one.ca), "timeout": "3s"}
    if "hub" not in settings:
        known["connection_string"] = text
    return gateway("azure-iot-hub", "1000/s", ACTIONS, **(known | settings))


async def test_telemetry_has_a_property_bag(hub: Any) -> None:
    one = hub()
    async with azure(one, properties={"unit & more": "{body.n}°"}).running(transport="memory") as node:
        await submit(node, range(30))
        await comes(lambda: len(one.telemetry) == 30)
        assert [body["n"] for _, body in one.telemetry] == list(range(30))
        properties, _ = one.telemetry[7]
        assert properties["unit & more"] == "7°" and properties["$.ct"] == "application/json"
        assert properties["$.ce"] == "utf-8" and properties["$.ctime"].endswith("Z")
        assert len({properties["$.mid"] for properties, _ in one.telemetry}) == 30
        connect = one.connects[0]
        assert (connect.level, connect.clean, connect.client) == (4, False, "dev1")
        assert KEY not in repr(node.status())


async def test_a_certificate_in_place_of_a_key(hub: Any) -> None:
    one = hub(dev1="")
    certificate, key = one.broker.authority.issue("dev1")
    own = {"hub": HUB, "device": "dev1", "certificate": str(certificate), "key_file": str(key)}
    async with azure(one, **own).running(transport="memory") as node:
        await submit(node, range(1))
        await comes(lambda: len(one.telemetry) == 1)
        assert one.connects[0].password == ""


async def test_a_wrong_key_is_told_and_held_for(hub: Any) -> None:
    one = hub(dev1=base64.b64encode(b"another").decode())
    async with azure(one).running(transport="memory") as node:
        await submit(node, range(1))
        await comes(lambda: "signature" in one.refused)
        await comes(lambda: "refuses the connection: Not authorized" in str(node.status()))
        await comes(lambda: state_of(node, "com") == "held")


async def test_a_token_is_renewed_before_it_expires(hub: Any) -> None:
    one = hub()
    async with azure(one, token_life="2s").running(transport="memory") as node:
        while len(one.connects) < 2:
            before = len(one.telemetry)
            await submit(node, range(before, before + 1))
            await comes(lambda before=before: len(one.telemetry) > before)
        await comes(lambda: len(one.connects) >= 2)
        await submit(node, range(1000, 1001))
        await comes(lambda: one.telemetry[-1][1] == {"n": 1000})
        assert one.connects[0].password != one.connects[1].password
        com = next(status for status in node.status().services if status.service == "com")
        assert com.held == 0 and com.away is None


async def test_the_twin(hub: Any) -> None:
    one = hub()
    one.want(**{"msb-state": {"enabled": False, "debug": True}})
    async with azure(one).running(transport="memory") as node:
        await comes(lambda: state_of(node, "sensor") == "paused")
        await comes(lambda: one.twin["reported"].get("msb-state") == {"enabled": False, "debug": True})
        one.want(**{"msb-state": {"enabled": True}, "speed": 3})
        await comes(lambda: Sensor.running == 1)
        await comes(lambda: Sensor.updates[-1:] and Sensor.updates[-1]["desired"].get("speed") == 3)
        assert Sensor.updates[-1] == {
            "enabled": True,
            "debug": True,
            "desired": {"msb-state": {"enabled": True, "debug": True}, "speed": 3},
        }
        await comes(lambda: one.twin["reported"]["msb-state"] == {"enabled": True, "debug": True})
        one.want(speed=None)
        await comes(lambda: "speed" not in Sensor.updates[-1]["desired"])


async def test_a_change_that_overtakes_the_answer_is_kept(hub: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    one = hub()
    answer, asked = one._answer, []

    def late(status: int, request: str, payload: str) -> None:
        if '"desired"' in payload:
            asked.append(request)
            if len(asked) == 1:
                one.want(speed=3)
        answer(status, request, payload)

    monkeypatch.setattr(one, "_answer", late)
    one.want(line=7)
    async with azure(one).running(transport="memory"):
        await comes(lambda: len(asked) == 2)
        await comes(lambda: Sensor.updates[-1:] and Sensor.updates[-1]["desired"].get("line") == 7)
        assert Sensor.updates[-1]["desired"] == {"line": 7, "speed": 3}


async def test_what_was_wanted_meanwhile_is_found_at_the_next_connection(hub: Any, link: Any) -> None:
    one = hub()
    way = link(one.port)
    async with azure(one, way.port).running(transport="memory") as node:
        await comes(lambda: one.connects)
        way.cut()
        one.want(**{"msb-state": {"enabled": False}})
        await submit(node, range(50))
        await comes(lambda: state_of(node, "com") == "held")
        way.heal()
        await comes(lambda: state_of(node, "sensor") == "paused")
        await comes(lambda: len({body["n"] for _, body in one.telemetry}) == 50)
        assert list(dict.fromkeys(body["n"] for _, body in one.telemetry)) == list(range(50))


async def test_a_half_open_link_and_a_restart_of_the_hub(hub: Any, link: Any) -> None:
    one = hub()
    way = link(one.port)
    async with azure(one, way.port, timeout="500ms").running(transport="memory") as node:
        await comes(lambda: "msb-state" in one.twin["reported"])
        way.half_open()
        await submit(node, range(5))
        await comes(lambda: "does not a" in str(node.status()))  # acknowledge, answer
        way.heal()
        await comes(lambda: len(one.telemetry) >= 5)
        one.restart()
        await submit(node, range(5, 10))
        await comes(lambda: {body["n"] for _, body in one.telemetry} == set(range(10)))
        assert list(dict.fromkeys(body["n"] for _, body in one.telemetry)) == list(range(10))


async def test_direct_methods(hub: Any) -> None:
    one = hub()
    async with azure(one).running(transport="memory"):
        await comes(lambda: one.twin["reported"])
        await comes(lambda: "msb-state" in one.twin["reported"])
        one.call("reboot", '{"delay": 3}', "r1")
        one.call("reboot", "", "r2")
        one.call("nothing", "1", "r3")
        one.call("gone", "1", "r4")
        one.call("reboot", "{no json", "r5")
        await comes(lambda: len(one.answers) == 5)
        assert one.answers["r1"][0] == 202 and one.answers["r1"][1]["message"]
        assert [one.answers[request][0] for request in ("r2", "r3", "r4", "r5")] == [202, 404, 404, 400]
        await comes(lambda: Sensor.called == [{"delay": 3}, None])


async def test_messages_to_the_device_wait_for_it_and_become_actions(hub: Any, link: Any) -> None:
    one = hub()
    way = link(one.port)
    async with azure(one, way.port).running(transport="memory") as node:
        await comes(lambda: "msb-state" in one.twin["reported"])
        one.send("dev1", '{"n": 1}')
        await comes(lambda: Sensor.called == [{"n": 1}])
        way.cut()
        one.send("dev1", "not JSON", action="reboot")
        one.send("dev1", b"\xff\x00", action="reboot")
        one.send("dev1", "2", action="unknown")
        way.heal()
        await comes(lambda: Sensor.called == [{"n": 1}, "not JSON", "/wA="])
        await comes(lambda: next(one.parked for one in node.status().services if one.service == "com") == 1)


async def test_a_hub_that_throttles_is_asked_again(hub: Any) -> None:
    one = hub()
    one.twin_status = 429
    async with azure(one).running(transport="memory") as node:
        await comes(lambda: len(one.connects) >= 2)
        one.twin_status = 200
        await comes(lambda: "msb-state" in one.twin["reported"])
        await submit(node, range(1))
        await comes(lambda: len(one.telemetry) == 1)


async def test_a_reading_that_is_too_large_is_parked(hub: Any) -> None:
    one = hub()
    async with azure(one).running(transport="memory") as node:
        await node.target("sensor", Any, handler="Process").send({"n": "x" * 300_000})
        await submit(node, range(1))
        await comes(lambda: len(one.telemetry) == 1)
        assert next(one.parked for one in node.status().services if one.service == "com") == 1
