"""Flows that change while runs wait: their service is another instance, or gone for a while."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

import pytest

from junctor import Flow, Service, Target, Workflow, handler, setting, signal
from junctor.core.run import RunQuery, RunStatus
from junctor.flows import wire
from junctor.node.node import Node


@dataclass(frozen=True)
class Ask:
    n: int


@dataclass(frozen=True)
class Told:
    text: str


class Desk(Service):
    """Answers when the test lets it."""

    gate = asyncio.Event()

    @handler
    async def on_ask(self, ask: Ask) -> Told:
        await Desk.gate.wait()
        self.state["asked"] = self.state.get("asked", 0) + 1
        return Told(f"told {ask.n}")


@dataclass(frozen=True)
class Go:
    by: str


class Asking(Workflow):
    desk: Target[Ask, Told]
    edition: int = setting(1)
    gone: str = ""

    @handler(key="n")
    async def on_ask(self, ask: Ask) -> Told:
        first = await self.desk.request(ask)
        await self.wait(lambda: self.gone)
        return Told(f"{first.text}, {self.gone}")

    @signal
    def go(self, go: Go) -> None:
        self.gone = go.by


def flow(edition: int = 1, *, durable: bool = True) -> Flow:
    made = Flow("changing").add(Desk(), pool=64, key="n")
    return made.add(Asking(edition=edition), connect={"desk": "desk"}) if durable else made


async def until(node: Node, turns: int) -> None:
    async with asyncio.timeout(10):
        while {run.turns for run in await node.read(lambda archive: archive.runs(RunQuery()))} != {turns}:
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("gone", [False, True], ids=["another instance", "gone for a while"])
@pytest.mark.parametrize("transport", ["memory", "sqlite"])
async def test_runs_go_on_when_their_service_is_there_again(short_dir: Path, transport: str, gone: bool) -> None:
    Desk.gate = asyncio.Event()
    where = {"store": short_dir / "store"} if transport == "sqlite" else {}
    async with flow().running(transport=transport, **where) as node:
        asking = node.target("asking", Ask, Told)
        waiting = [asyncio.ensure_future(asking.request(Ask(n), timeout=600)) for n in range(20)]
        await until(node, 1)
        if gone:
            await node.apply([wire(flow(durable=False))], who="test")
        Desk.gate.set()
        await asyncio.sleep(0.1)
        await node.apply([wire(flow(2))], who="test")
        await until(node, 2)
        await node.apply([wire(flow(3))], who="test")
        go = node.target("asking", Go)
        for n in range(20):
            await go.send(Go("gone"), key=str(n))
        told = await asyncio.wait_for(asyncio.gather(*waiting), 10)
        runs = await node.read(lambda archive: archive.runs(RunQuery()))
        await until(node, 3)
        states = {node.engine.transport.state("changing/desk", str(n))["asked"][0] for n in range(20)}
    assert told == [Told(f"told {n}, gone") for n in range(20)]
    assert {run.status for run in runs} == {RunStatus.DONE}
    assert states == {b"1"}
