"""Order at the seams of the window, each found by the campaign and made to happen here every time."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from junctor import Flow, Service, handler
from junctor.runtime import engine
from junctor.transports.base import Commit


@dataclass(frozen=True)
class Item:
    n: int


class Line(Service):
    """Notes what comes, behind a gate."""

    gate = asyncio.Event()
    seen: list[int] = []

    @handler
    async def on_item(self, item: Item) -> None:
        await Line.gate.wait()
        Line.seen.append(item.n)


async def test_what_comes_while_the_backlog_is_claimed_stays_behind_it(
    short_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commit that hands the end of the backlog out, and the one that accepts the next message, are one group."""
    monkeypatch.setattr(engine, "WINDOW", 2)
    Line.gate, Line.seen = asyncio.Event(), []
    async with Flow("lines").add(Line()).running(store=short_dir / "store") as node:
        line = node.target("line", Item)
        sent: list[Any] = [line.send(Item(n)) for n in range(6)]
        transport: Any = node.engine.transport
        commit = transport.commit

        def and_send(given: Commit) -> None:
            commit(given)
            if given.claims and len(sent) < 20:
                sent.append(line.send(Item(len(sent))))

        monkeypatch.setattr(transport, "commit", and_send)
        for each in sent[:6]:
            await each
        Line.gate.set()
        async with asyncio.timeout(10):
            while len(Line.seen) < len(sent):
                await asyncio.sleep(0.005)
        assert len(sent) > 6
        assert Line.seen == sorted(Line.seen)


@dataclass(frozen=True)
class Ask:
    n: int


class Asker(Service):
    done: list[int] = []

    @handler
    async def on_ask(self, ask: Ask) -> None:
        await self.target("line", Item).request(Item(ask.n))
        Asker.done.append(ask.n)


class BlockingLine(Service):
    """The same line as :class:`Line` in a thread."""

    @handler
    def on_item(self, item: Item) -> None:
        while not Line.gate.is_set():
            time.sleep(0.005)
        Line.seen.append(item.n)


@pytest.mark.parametrize("kind", [Line, BlockingLine])
async def test_a_stop_lets_no_request_overtake_its_line(short_dir: Path, kind: type[Service]) -> None:
    """The asker may finish, for which its request must be handled, for which what stands before it must be."""
    Line.gate, Line.seen, Asker.done = asyncio.Event(), [], []
    flow = Flow("stops").add(kind(), name="line").add(Asker())
    async with flow.running(store=short_dir / "store") as node:
        line, asker = node.target("line", Item), node.target("asker", Ask)
        for n in range(4):
            await line.send(Item(n))
        await asker.send(Ask(4))
        depth = node.engine.hosts["stops/line"].depth
        async with asyncio.timeout(10):
            while depth.count < 5:
                await asyncio.sleep(0.005)
        await line.send(Item(5))
        stop = asyncio.ensure_future(node.stop())
        while not node.engine.stopping:
            await asyncio.sleep(0)
        Line.gate.set()
        await stop
    assert Line.seen == [0, 1, 2, 3, 4]
    assert Asker.done == [4]
    async with flow.running(store=short_dir / "store"):
        async with asyncio.timeout(10):
            while len(Line.seen) < 6:
                await asyncio.sleep(0.005)
    assert Line.seen == [0, 1, 2, 3, 4, 5]
