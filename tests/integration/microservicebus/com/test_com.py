"""The Com service itself: providers of one's own, bad settings, restarts, an hour without the cloud."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from junctor import Flow, RetryPolicy, setting
from junctor.core.policy import Policies
from junctor.dialects.microservicebus.com import Com, Provider, Reading
from junctor.dialects.microservicebus.com.providers import known
from junctor.errors import ConfigurationError
from junctor.services import spec_of
from junctor.testing import running
from tests.integration.microservicebus.com.flows import Sensor, comes, gateway, state_of, submit
from tests.unit.flows.distributions import install


class Cloud(Provider):
    """A cloud in memory."""

    region: str = setting("north", min_length=2, doc="Where it is")
    code: str = setting("", secret=True)

    there = True
    got: list[Reading] = []
    reports: list[Mapping[str, Any]] = []
    wants: list[dict[str, Any]] = []
    opened = closed = 0

    async def open(self) -> None:
        if not Cloud.there:
            raise OSError(113, "No route to host")
        Cloud.opened += 1

    async def send(self, reading: Reading) -> None:
        if not Cloud.there:
            raise ConnectionResetError("gone")
        Cloud.got.append(reading)

    async def report(self, state: Mapping[str, Any]) -> None:
        Cloud.reports.append(state)

    async def listen(self) -> None:
        while not self.stopping:
            while Cloud.wants:
                await self.node.desired(Cloud.wants.pop(0), whole=True)
            await self.sleep("10ms")
            if not Cloud.there:
                raise ConnectionResetError("gone")

    async def close(self) -> None:
        Cloud.closed += 1


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> type[Cloud]:
    """Installed under the name ``own``."""
    from junctor.dialects.microservicebus.com import service

    monkeypatch.setattr(service, "provider", lambda name: Cloud if name == "own" else known.provider(name))
    Cloud.there, Cloud.opened, Cloud.closed = True, 0, 0
    Cloud.got, Cloud.reports, Cloud.wants = [], [], []
    return Cloud


async def test_the_log_is_the_default(caplog: Any) -> None:
    flow = Flow("edge").add(Sensor, name="sensor")
    with caplog.at_level(logging.INFO):
        async with flow.running(transport="memory") as node:
            await submit(node, range(2))
            await comes(lambda: 'sensor: {"n":1}' in caplog.text)
            assert any(one.service == "com" for one in node.status().services)


async def test_both_names_of_its_action(cloud: Any) -> None:
    async with gateway("own").running(transport="memory") as node:
        for action in ("Process", "_sendEvent"):
            for body in ({"a": 1}, [1], "text", 1.5, None, True):
                await node.target("com", Any, handler=action).send(body)
        await comes(lambda: len(cloud.got) == 12)
        assert [one.body for one in cloud.got] == 2 * [{"a": 1}, [1], "text", 1.5, None, True]


async def test_a_reading_knows_where_it_comes_from(cloud: Any) -> None:
    async with gateway("own").running(transport="memory") as node:
        await submit(node, range(1))
        await comes(lambda: cloud.got)
        assert cloud.got[0].source == "sensor" and cloud.got[0].time.tzinfo is not None


async def test_an_action_that_leads_nowhere_is_told_at_the_start(cloud: Any, caplog: Any) -> None:
    actions = {"good": "Sensor.Reboot", "bad": "sensor.Rebot", "gone": "pump.Reboot"}
    async with gateway("own", actions=actions).running(transport="memory"):
        await comes(lambda: "gone, and that leads nowhere" in caplog.text)
        assert "bad, and that leads nowhere" in caplog.text and 'Did you mean "Reboot"?' in caplog.text
        assert "good, and" not in caplog.text


async def test_an_outage_closes_and_opens_and_loses_nothing(cloud: Any) -> None:
    async with gateway("own", "1000/s").running(transport="memory") as node:
        await submit(node, range(10))
        await comes(lambda: len(cloud.got) == 10)
        cloud.there = False
        await submit(node, range(10, 20))
        await comes(lambda: state_of(node, "com") == "held")
        await comes(lambda: "No route to host" in str(node.status()))
        cloud.there = True
        await comes(lambda: len(cloud.got) == 20)
        assert [one.body["n"] for one in cloud.got] == list(range(20))
        await comes(lambda: next(one.away for one in node.status().services if one.service == "com") is None)
        assert cloud.opened >= 2 and cloud.closed >= 1


async def test_what_a_provider_calls_an_outage(cloud: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error of a library that is no ``ConnectionError``."""
    policies = Policies(retry=RetryPolicy(on={"LookupError": "hold"}))
    monkeypatch.setattr(cloud, "__junctor_policies__", policies, raising=False)
    failing = [KeyError("line 1"), KeyError("line 1")]

    async def send(self: Any, reading: Reading) -> None:
        if failing:
            raise failing.pop()
        cloud.got.append(reading)

    monkeypatch.setattr(cloud, "send", send)
    async with gateway("own").running(transport="memory") as node:
        await submit(node, range(3))
        await comes(lambda: [one.body["n"] for one in cloud.got] == [0, 1, 2])
        com = next(one for one in node.status().services if one.service == "com")
        assert com.held == 2 and com.retried == 0 and cloud.closed >= 2


@pytest.mark.parametrize("number", [10**30, -(10**30), 1e308])
async def test_a_desired_state_that_cannot_be_taken_changes_nothing(cloud: Any, number: float) -> None:
    deep: Any = 1
    for _ in range(5_000):
        deep = {"a": deep}
    async with gateway("own").running(transport="memory") as node:
        cloud.wants += [{"a": deep}, {"a": number}, {"msb-state": {"enabled": False}}]
        await comes(lambda: state_of(node, "sensor") == "paused")
        com = next(one for one in node.status().services if one.service == "com")
        assert com.restarts == 0 and com.failed == 0


async def test_an_hour_without_the_cloud(cloud: Any) -> None:
    cloud.there = False
    com = Com(provider="own", rate="10/s")
    async with running(Flow("edge").add(Sensor, name="sensor").add(com, name="com")) as edge:
        for number in range(20):
            await edge.send("com", {"n": number})
            await edge.advance("3m")
        kinds = [alert.kind for alert in edge.alerts]
        assert kinds.count("held") == 1 and kinds.count("away") == 1
        cloud.there = True
        for _ in range(14):
            await edge.advance("10s")
        assert [one.body["n"] for one in cloud.got] == list(range(20))
        assert not edge.parked


async def test_the_state_is_kept_over_a_restart_without_the_cloud(cloud: Any, tmp_path: Path) -> None:
    async with gateway("own").running(store=tmp_path / "store") as node:
        cloud.wants.append({"msb-state": {"enabled": False, "debug": False}})
        await comes(lambda: state_of(node, "sensor") == "paused")
        await comes(lambda: cloud.reports)
        await comes(lambda: next(one.done for one in node.status().services if one.service == "com") == 1)
        assert cloud.reports[-1]["msb-state"] == {"enabled": False, "debug": False, "error": None}
    cloud.there = False
    async with gateway("own").running(store=tmp_path / "store") as node:
        await comes(lambda: "No route" in str(node.status()))
        assert state_of(node, "sensor") == "paused" and Sensor.running == 0
        await node.target("sensor", Any, handler="Process").send({"n": 1})
        cloud.there = True
        cloud.wants.append({"msb-state": {"enabled": True, "debug": True}})
        await comes(lambda: len(cloud.got) == 1)
        assert Sensor.running == 1 and Sensor.updates[-1]["enabled"]


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"provider": "mqt"}, 'Did you mean "mqtt"?'),
        ({"provider": "nowhere:Own"}, "there is no module nowhere"),
        ({"provider": "json:loads"}, "json:loads is no provider"),
        ({"provider": "own", "settings": {"regio": "a"}}, "regio: there is no such setting"),
        ({"provider": "own", "settings": {"region": "x"}}, 'region: "x" is shorter than 2'),
        ({"provider": "mqtt"}, "url"),
        ({"provider": "mqtt", "settings": {"url": "nonsense", "topic": "a"}}, "is no address of a broker"),
        ({"provider": "own", "rate": "fast"}, "is no rate"),
        ({"provider": "own", "actions": {"reboot": "pump"}}, "names no action of a service"),
        ({"provider": "azure-iot-hub"}, "hub: it is missing"),
        ({"provider": "azure-iot-hub", "settings": {"connection_string": "HostName=a"}}, "it has no DeviceId"),
        ({"provider": "azure-iot-hub", "settings": {"hub": "h", "device": "d"}}, "either a key or a certificate"),
        (
            {"provider": "azure-iot-hub", "settings": {"hub": "h", "device": "d", "access_key": "!"}},
            "the key is not base64",
        ),
        (
            {"provider": "azure-iot-hub", "settings": {"hub": "h", "device": "d", "access_key": "\u00e9="}},
            "the key is not base64",
        ),
        (
            {
                "provider": "azure-iot-hub",
                "settings": {"hub": "h", "device": "d", "gateway": "edge:x", "access_key": "YQ=="},
            },
            "its port is no number",
        ),
    ],
)
def test_bad_settings_are_told_before_anything_runs(cloud: Any, settings: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Com(**settings)
    assert told in str(caught.value)


def test_a_secret_of_a_provider_is_not_shown(cloud: Any) -> None:
    com = Com(provider="own", settings={"code": "hush"})
    assert "hush" not in repr(com) + str(spec_of(com).settings["settings"])


def test_a_provider_of_another_distribution(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = """
        from junctor.dialects.microservicebus.com import Provider
        class Own(Provider):
            async def send(self, reading): ...
    """
    folder = install(tmp_path / "site", "own", "1", code, {"own": "own_adapters:Own"}, known.GROUP)
    monkeypatch.syspath_prepend(str(folder))
    assert known.provider("own").__name__ == "Own" and "own" in known.provider_names()
