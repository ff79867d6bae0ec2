"""Com over MQTT against Mosquitto: nothing lost, order kept, the backlog drains at its rate, the twin is followed."""

from __future__ import annotations

import json
from typing import Any

from junctor.testing import running
from tests.integration.adapters.mqtt.peer import Peer
from tests.integration.microservicebus.com.flows import Sensor, comes, gateway, readings, state_of, submit, url


def mqtt(port: int, rate: str | None = "1000/s", **settings: Any) -> Any:
    return gateway("mqtt", rate, **({"url": url(port), "topic": "plant", "timeout": "2s"} | settings))


async def test_readings_arrive_in_order_with_a_key_each(mosquitto: Any) -> None:
    broker = mosquitto()
    with Peer(broker.port, "plant") as peer:
        async with mqtt(broker.port).running(transport="memory") as node:
            await submit(node, range(50))
            await comes(lambda: len(peer.got) == 50)
            assert peer.payloads == readings(range(50))
            assert len({peer.property_of(number) for number in range(50)}) == 50


async def test_a_backlog_over_a_cut_link_arrives_whole_and_in_order(mosquitto: Any, link: Any) -> None:
    broker = mosquitto()
    way = link(broker.port)
    with Peer(broker.port, "plant") as peer:
        async with mqtt(way.port).running(transport="memory") as node:
            await submit(node, range(10))
            await comes(lambda: len(peer.got) == 10)
            way.cut()
            await submit(node, range(10, 110))
            await comes(lambda: state_of(node, "com") == "held")
            way.heal()
            way.cut_after(1500)
            await comes(lambda: way.accepted >= 2 and state_of(node, "com") == "held")
            way.heal()
            await comes(lambda: len(set(peer.payloads)) == 110)
            assert list(dict.fromkeys(peer.payloads)) == readings(range(110))


async def test_a_restarted_broker(mosquitto: Any) -> None:
    broker = mosquitto()
    async with mqtt(broker.port).running(transport="memory") as node:
        await submit(node, range(5))
        await comes(lambda: next(one.done for one in node.status().services if one.service == "com") == 5)
        broker.stop()
        await submit(node, range(5, 10))
        broker.start()
        with Peer(broker.port, "plant") as peer:
            await submit(node, range(10, 20))
            await comes(lambda: readings(range(19, 20))[0] in peer.payloads)
            assert peer.payloads[-10:] == readings(range(10, 20))
        await comes(lambda: next(one.done for one in node.status().services if one.service == "com") == 20)


async def test_over_tls_with_users(mosquitto: Any) -> None:
    broker = mosquitto(host="localhost", users={"ann": "secret"})
    settings = {"url": f"mqtts://localhost:{broker.port}", "ca": str(broker.authority.ca), "user": "ann"}
    async with mqtt(broker.port, password="secret", **settings).running(transport="memory") as node:
        await submit(node, range(3))
        await comes(lambda: next(one.done for one in node.status().services if one.service == "com") == 3)
        assert "secret" not in repr(node.status())


async def test_a_broker_that_is_not_trusted_is_an_outage(mosquitto: Any) -> None:
    broker = mosquitto(host="elsewhere.example")
    settings = {"url": f"mqtts://localhost:{broker.port}", "ca": str(broker.authority.ca)}
    async with mqtt(broker.port, **settings).running(transport="memory") as node:
        await submit(node, range(1))
        await comes(lambda: "is not trusted" in str(node.status()))
        assert state_of(node, "com") != "stopped"


async def test_the_backlog_drains_at_the_rate(mosquitto: Any) -> None:
    """In virtual time: half a second of a rate of 20 a second is 10 readings and the first."""
    broker = mosquitto()
    with Peer(broker.port, "plant") as peer:
        async with running(mqtt(broker.port, "20/s")) as edge:
            for number in range(30):
                await edge.send("com", {"n": number})
            for _ in range(10):
                await edge.advance("50ms")
            assert 9 <= len(peer.got) <= 12
            await edge.advance("2s")
            await comes(lambda: peer.payloads == readings(range(30)))


async def test_the_twin_starts_and_stops_custom_services(mosquitto: Any) -> None:
    broker = mosquitto()
    with Peer(broker.port, "state/#") as peer:
        flow = mqtt(broker.port, desired_topic="wanted", reported_topic="state/a")

        def want(**state: Any) -> None:
            peer.publish("wanted", json.dumps({"msb-state": state, "speed": 3}), retain=True)

        async with flow.running(transport="memory") as node:
            await comes(lambda: Sensor.running == 1)
            want(enabled=False, debug=False)
            await comes(lambda: state_of(node, "sensor") == "paused")
            await comes(lambda: Sensor.running == 0)
            state = {"enabled": False, "debug": False, "error": None}
            await comes(lambda: peer.payloads and json.loads(peer.payloads[-1]) == {"msb-state": state})
            await submit(node, range(3))
            want(enabled=True, debug="no")
            await comes(lambda: Sensor.running == 1)
            await comes(lambda: Sensor.updates[-1:] and Sensor.updates[-1]["enabled"])
            assert Sensor.updates[-1]["desired"]["speed"] == 3
            await comes(lambda: "debug is neither true nor false" in peer.payloads[-1].decode())
            await comes(lambda: next(one.done for one in node.status().services if one.service == "com") >= 3)


async def test_nonsense_at_the_topic_of_the_desired_state_changes_nothing(mosquitto: Any) -> None:
    broker = mosquitto()
    with Peer(broker.port, "state/#") as peer:
        flow = mqtt(broker.port, desired_topic="wanted", reported_topic="state/a")
        async with flow.running(transport="memory") as node:
            peer.publish("wanted", b'{"msb-state": {"debug": true}}', retain=True)
            await comes(lambda: peer.payloads)
            for payload in (b"\xff\x00", b"[]", b"{", b"null", b"", b'{"msb-state": 5}', b"[" * 10_000):
                peer.publish("wanted", payload)
            peer.publish("wanted", b'{"msb-state": {"enabled": false}}')
            await comes(lambda: state_of(node, "sensor") == "paused")
            com = next(one for one in node.status().services if one.service == "com")
            assert com.failed == com.restarts == 0
            await comes(lambda: json.loads(peer.payloads[-1])["msb-state"]["enabled"] is False)
