"""A service that is paused gets nothing, whatever becomes of the node: not even what somebody waits for."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from junctor import Flow, Service, Target, connect, handler, setting
from junctor.flows import wire


@dataclass(frozen=True)
class Ask:
    n: int


@dataclass(frozen=True)
class Item:
    n: int


class Asker(Service):
    items: Target[Item, int]

    @handler
    async def on_ask(self, ask: Ask) -> None:
        await self.items.request(Item(ask.n))


class Line(Service):
    step: int = setting(1)
    seen: list[int] = []

    @handler
    async def on_item(self, item: Item) -> int:
        Line.seen.append(item.n)
        return item.n


@pytest.fixture(autouse=True)
def fresh() -> None:
    Line.seen = []


def flow(step: int = 1) -> Flow:
    return Flow("plant").add(Asker()).add(Line(step=step))


async def until(condition: Any) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.005)


@pytest.mark.parametrize("what", ["apply", "restart", "stop"])
async def test_what_waits_for_a_paused_service_goes_on_waiting(short_dir: Path, what: str) -> None:
    """An item and a request behind it, whose asker could finish before the end if it were answered."""
    async with flow().running(store=short_dir / "store") as node, connect(short_dir / "store") as client:
        line = node.engine.hosts["plant/line"]
        await client.ask("pause", service="line")
        await node.target("line", Item).send(Item(1))
        await node.target("asker", Ask).send(Ask(2))
        await until(lambda: line.depth.count == 2)
        if what == "apply":
            await node.apply([wire(flow(2))], who="test")
        elif what == "restart":
            await client.ask("restart", service="line")
        else:
            await node.stop()
        assert Line.seen == [], f"a paused service worked at the {what}"
    async with flow().running(store=short_dir / "store") as node, connect(short_dir / "store") as client:
        assert Line.seen == []
        await client.ask("resume", service="line")
        await until(lambda: len(Line.seen) == 2)
    assert Line.seen == [1, 2]
