"""What a service is told when it starts: the state that is wanted of the node, which may not have changed for long; and
methods that nobody calls."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from junctor import Flow
from junctor.dialects.microservicebus import CustomService, QueueMessage
from junctor.dialects.microservicebus.com import Com, Provider
from tests.integration.adapters.mqtt.flows import comes


class Listener(CustomService):
    """Begins to listen when it is told the state, as the page about Python services advises."""

    told: list[Any] = []
    fails = False

    async def Start(self) -> None:
        self.told.append("Start")

    async def StateUpdate(self, state: QueueMessage) -> None:
        self.told.append(state)
        if self.fails:
            raise ValueError("no listener")


class Cloud(Provider):
    """Tells once what is wanted."""

    wants: list[dict[str, Any]] = []

    async def listen(self) -> None:
        while not self.stopping:
            while self.wants:
                await self.node.desired(self.wants.pop(0), whole=True)
            await self.sleep("10ms")

    async def send(self, reading: Any) -> None: ...


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    monkeypatch.setattr(Listener, "told", found := [])
    monkeypatch.setattr(Listener, "fails", False)
    return found


def states(told: list[Any]) -> list[Any]:
    return [one.message[0] for one in told if one != "Start"]


async def test_a_service_is_told_when_it_has_started(told: list[Any]) -> None:
    async with Flow("edge").add(Listener, name="listener").running(transport="memory"):
        await comes(lambda: len(told) == 2)
        assert told[0] == "Start"
        assert (told[1].source, told[1].destination, told[1].action) == ("com", "listener_py", "StateUpdate")
        assert states(told) == [{"enabled": True, "debug": True, "desired": {}}]


async def test_and_when_it_is_resumed(told: list[Any]) -> None:
    async with Flow("edge").add(Listener, name="listener").running(transport="memory") as node:
        await comes(lambda: len(states(told)) == 1)
        host = node.engine.hosts["edge/listener"]
        await node.switches.pause(host, "me", "")
        await node.switches.resume(host, "me")
        await comes(lambda: len(states(told)) == 2)


async def test_what_the_cloud_wanted_last_is_told_after_a_restart(
    told: list[Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from junctor.dialects.microservicebus.com import service

    monkeypatch.setattr(service, "provider", lambda name: Cloud)
    flow = Flow("edge").add(Listener, name="listener").add(Com(provider="own"), name="com")
    Cloud.wants.append({"msb-state": {"debug": False}, "line": 7})
    wanted = {"enabled": True, "debug": False, "desired": {"msb-state": {"debug": False}, "line": 7}}
    async with flow.running(store=tmp_path / "store") as node:
        await comes(lambda: [one for one in states(told) if one["debug"] is False])
        await comes(lambda: next(one.done for one in node.status().services if one.service == "com") == 1)
    told.clear()
    async with flow.running(store=tmp_path / "store"):
        await comes(lambda: len(told) == 2)
        assert states(told) == [wanted]


async def test_one_that_raises_is_no_failure_of_the_service(told: list[Any], caplog: Any) -> None:
    Listener.fails = True
    async with Flow("edge").add(Listener, name="listener").running(transport="memory") as node:
        await comes(lambda: "StateUpdate failed: ValueError('no listener')" in caplog.text)
        assert next(one.restarts for one in node.status().services if one.service == "listener") == 0


class Small(CustomService):
    async def start(self) -> None: ...

    async def Stop(self) -> None:
        await self.stop()

    async def stop(self) -> None: ...


async def test_a_method_that_nobody_calls_is_told_at_the_start(caplog: Any) -> None:
    async with Flow("edge").add(Small, name="small").running(transport="memory"):
        assert "start is not called: a node calls Start" in caplog.text
        assert "stop is not called" not in caplog.text
