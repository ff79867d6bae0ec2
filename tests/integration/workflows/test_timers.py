"""Timers that nothing waits for any more are taken back: nothing stays queued, and nothing else is changed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from junctor import (
    Conversation,
    Flow,
    Service,
    Target,
    Workflow,
    WorkflowCancelled,
    handler,
    on_reply,
    on_timer,
    signal,
)
from junctor.core.run import CANCEL, RunQuery
from junctor.testing import RunningFlow, running


@dataclass(frozen=True)
class Go:
    way: str
    id: int = 0


@dataclass(frozen=True)
class Ask:
    text: str


@dataclass(frozen=True)
class Said:
    text: str


@dataclass(frozen=True)
class Cease:
    why: str


class Echo(Service):
    @handler
    async def on(self, ask: Ask) -> Said:
        return Said(ask.text)


class Waiter(Workflow):
    """Starts timers of each kind, and needs none of them."""

    echo: Target[Ask, Said]
    ceased: str = ""

    @handler(key="id")
    async def run(self, go: Go) -> str:
        text: str = await getattr(self, go.way)()
        return text

    @signal
    def cease(self, cease: Cease) -> None:
        self.ceased = cease.why

    async def request(self) -> str:
        return (await self.echo.request(Ask("a"), timeout="30d")).text

    async def condition(self) -> str:
        return "in time" if await self.wait(lambda: self.ceased, timeout="30d") else "late"

    async def first_of(self) -> str:
        won = await self.first(self.sleep("30d"), self.echo.request(Ask("b"), timeout="20d"))
        if await self.wait(lambda: self.ceased):
            return won.result().text
        return ""

    async def held(self) -> str:
        """A sleep that lost goes on as long as the code has it."""
        pause, begun = self.sleep("30d"), self.now()
        await self.first(pause, self.echo.request(Ask("b")))
        await pause
        return f"{(self.now() - begun).days} days"

    async def cancelled(self) -> str:
        try:
            await self.sleep("30d")
        except WorkflowCancelled:
            await self.wait(lambda: self.ceased)
        return "cancelled"

    async def ended(self) -> str:
        self.sleep("30d")
        self.forgotten = self.sleep("40d")
        await self.echo.request(Ask("c"))
        return "ended"


class Talker(Conversation):
    echo: Target[Ask, Said]
    left: int = 3

    @handler(key="id")
    async def on_go(self, go: Go) -> Said | None:
        self.timer("30d", name="patience")
        self.timer("40d", name="other")
        self.echo.ask(Ask(go.way), name="echo", timeout="20d")
        return None

    @on_reply("echo")
    async def on_said(self, said: Said) -> None:
        self.left -= 1
        if self.left:
            self.timer("30d", name="patience")
            self.echo.ask(Ask(said.text), name="echo", timeout="20d")
        elif said.text == "stay":
            self.cancel("patience")
            self.cancel("other")
        else:
            self.reply(said)
            self.end()

    @on_timer("patience")
    async def on_patience(self) -> None:
        raise AssertionError("nobody waits for it")


flow = Flow("timers").add(Echo).add(Waiter).add(Talker, connect={"echo": "echo"})


@pytest.fixture(params=["memory", "sqlite"])
async def plant(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[RunningFlow]:
    async with running(flow, store=tmp_path / "store" if request.param == "sqlite" else None) as made:
        yield made


async def cancel(plant: RunningFlow, key: str) -> None:
    await plant.driven(_sent(plant.node.target("waiter", Any, handler=CANCEL).send(None, key=key)), 0)
    await plant.idle()


async def _sent(pending: Any) -> Any:
    return await pending


def owed(plant: RunningFlow) -> int:
    """What any queue still owes, by the engine and by the store."""
    engine = plant.node.engine
    known = sum(host.depth.count for host in engine.hosts.values())
    assert known == sum(depth.count for depth in engine.transport.archive.depths().values())
    return known


def turns(plant: RunningFlow) -> int:
    return plant.node.engine.transport.archive.runs(RunQuery())[0].turns


async def test_the_timeout_of_a_request_that_was_answered(plant: RunningFlow) -> None:
    assert await plant.request("waiter", Go("request")) == "a"
    assert owed(plant) == 0


async def test_the_timeout_of_a_wait_that_came_true(plant: RunningFlow) -> None:
    await plant.send("waiter", Go("condition", 3))
    assert owed(plant) == 1
    await plant.send("waiter", Cease("now"), key="3")
    assert owed(plant) == 0


async def test_a_sleep_that_lost(plant: RunningFlow) -> None:
    await plant.send("waiter", Go("first_of", 3))
    assert owed(plant) == 0, "the code has let go of it"
    await plant.advance("60d")
    assert turns(plant) == 2


async def test_a_sleep_that_lost_and_is_awaited_later(plant: RunningFlow) -> None:
    await plant.send("waiter", Go("held", 3))
    assert owed(plant) == 1
    await plant.advance("60d")
    assert owed(plant) == 0
    assert turns(plant) == 3


async def test_a_sleep_that_was_cancelled(plant: RunningFlow) -> None:
    await plant.send("waiter", Go("cancelled", 3))
    assert owed(plant) == 1
    await cancel(plant, "3")
    assert owed(plant) == 0
    await plant.send("waiter", Cease("now"), key="3")
    await plant.advance("60d")
    assert turns(plant) == 3


async def test_the_timers_of_a_run_that_has_ended(plant: RunningFlow) -> None:
    assert await plant.request("waiter", Go("ended")) == "ended"
    assert owed(plant) == 0


async def test_after_a_restart_too(tmp_path: Path) -> None:
    async with running(flow, store=tmp_path / "store") as plant:
        await plant.send("waiter", Go("condition", 3))
        await plant.send("waiter", Go("cancelled", 4))
        await plant.restart()
        await plant.send("waiter", Cease("now"), key="3")
        await cancel(plant, "4")
        assert owed(plant) == 0


@pytest.mark.parametrize("way", ["stay", "end"])
async def test_those_of_a_conversation(plant: RunningFlow, way: str) -> None:
    """Replaced, cancelled, answered in time, or left over at its end."""
    await plant.send("talker", Go(way, 5))
    assert owed(plant) == 0


async def test_many_leave_nothing_behind(plant: RunningFlow) -> None:
    for number in range(300):
        await plant.send("waiter", Go("condition", number))
    assert owed(plant) == 300
    for number in range(300):
        await plant.send("waiter", Cease("now"), key=str(number))
    assert owed(plant) == 0
    assert not getattr(plant.node.engine.transport, "_timers", None)
