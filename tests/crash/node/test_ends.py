"""What a stop must not wait for, because it cannot come any more: it would use up the grace and end the same."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from junctor import Flow, Service, action
from junctor.errors import NotRunning
from junctor.runtime import engine
from tests.crash.node.test_order import Ask, Asker, Item, Line

SOON = 4.0
"""Seconds; the grace has eight."""


class Sender(Service):
    @action
    async def send(self, n: int) -> None:
        await self.target("line", Item).send(Item(n))


async def settled(condition: object) -> None:
    async with asyncio.timeout(10):
        while not condition():  # type: ignore[operator]
            await asyncio.sleep(0.005)


async def test_a_sender_that_waits_for_room_is_refused(short_dir: Path) -> None:
    """From outside and in an action: nothing leaves the queue while the node stops."""
    Line.gate, Line.seen = asyncio.Event(), []
    flow = Flow("full").add(Line(), queue=1).add(Sender())
    async with flow.running(store=short_dir / "store") as node:
        line = node.target("line", Item)
        await line.send(Item(0))
        waiting = [asyncio.ensure_future(node.call("sender", "send", n=1)), asyncio.ensure_future(_send(line))]
        await settled(lambda: node.engine.hosts["full/line"].mailbox.senders.waiting == 2)
        stop = asyncio.ensure_future(node.stop())
        for each in waiting:
            with pytest.raises(NotRunning):
                await asyncio.wait_for(each, SOON)
        Line.gate.set()
        await asyncio.wait_for(stop, SOON)
    assert Line.seen == [0]


async def _send(line: object) -> None:
    await line.send(Item(2))  # type: ignore[attr-defined]


async def test_a_request_behind_the_backlog_is_not_waited_for(short_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is in the store behind messages that are not handled any more; the asker goes back to its queue."""
    monkeypatch.setattr(engine, "WINDOW", 2)
    Line.gate, Line.seen, Asker.done = asyncio.Event(), [], []
    flow = Flow("behind").add(Line()).add(Asker())
    async with flow.running(store=short_dir / "store") as node:
        line = node.target("line", Item)
        for n in range(6):
            await line.send(Item(n))
        await node.target("asker", Ask).send(Ask(6))
        await settled(lambda: node.engine.hosts["behind/line"].depth.count == 7)
        stop = asyncio.ensure_future(node.stop())
        await settled(lambda: node.engine.stopping)
        Line.gate.set()
        begin = time.monotonic()
        await stop
        assert time.monotonic() - begin < SOON
        assert Asker.done == []
    async with flow.running(store=short_dir / "store"):
        await settled(lambda: Asker.done)
    assert Line.seen == [0, 1, 2, 3, 4, 5, 6]
    assert Asker.done == [6]
