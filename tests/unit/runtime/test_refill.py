"""The narrow moments between a fetch and its answer. The store of these tests answers when it is told to."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import Any

from junctor.clock import VirtualClock
from junctor.core.policy import RetryPolicy
from junctor.messages import Status
from junctor.transports.base import Stored, Transport
from junctor.transports.sqlite import SqliteTransport
from tests.unit.runtime.flowkit import Gate, Item, Me, Node, Store, running, service

SLOW = RetryPolicy(attempts=5, initial=10, factor=1, jitter=0)


class LateTransport(SqliteTransport):
    """The real one; with ``held`` set, what a look at the whole queue has found arrives when that is opened."""

    held: Gate | None = None

    async def fetch(self, target: str, after: int, limit: int, now: int, key: str | None = None) -> list[Stored]:
        rows = await super().fetch(target, after, limit, now, key)
        if self.held is not None and key is None:
            await self.held.wait()
        return rows


class LateStore(Store):
    def transport(self) -> Transport:
        return LateTransport(self.folder, reserve=0)


def late(store: Store) -> LateStore:
    return LateStore("sqlite", store.folder)


def hold_answers(node: Node) -> Gate:
    transport = node.engine.transport
    assert isinstance(transport, LateTransport)
    transport.held = Gate()
    return transport.held


def small(node: Node, window: int, kept: int) -> Any:
    """The mailbox of the sink with little room, so that a few messages show what thousands do."""
    box = node.host("sink").mailbox
    box._window, box._low = window, window // 2
    assert box._lanes is not None
    box._lanes._kept = kept
    return box


class Sink:
    """Keys that begin with ``g`` wait at a gate of their own; number 0 fails once."""

    def __init__(self) -> None:
        self.begun: list[int] = []
        self.done: list[int] = []
        self.gates: dict[str, Gate] = defaultdict(Gate)

    async def take(self, me: Me, item: Item) -> None:
        self.begun.append(item.n)
        if item.key.startswith("g"):
            await self.gates[item.key].wait()
        if item.n == 0 and self.begun.count(0) == 1:
            raise ValueError("once")
        self.done.append(item.n)

    def spec(self) -> Any:
        return service("sink", self.take, pool=6, key="key", retry=SLOW)

    def open(self, *keys: str) -> None:
        for key in keys:
            self.gates[key].open()


async def test_what_is_stored_during_a_look_that_finds_nothing_is_looked_for_again(durable: Store) -> None:
    sink = Sink()
    async with running(late(durable), sink.spec()) as node:
        small(node, 2, 1)
        answers = hold_answers(node)
        node.host("sink").refill.due()
        await node.until(lambda: answers.inside)
        await node.send_all("sink", [Item(1, "g1"), Item(2, "g2")])
        await node.until(lambda: sink.begun == [1, 2])
        await node.send("sink", Item(3, "k"))
        sink.open("g1", "g2")
        await node.until(lambda: sorted(sink.done) == [1, 2])
        answers.open()
        await node.until(lambda: sorted(sink.done) == [1, 2, 3])


async def test_a_key_that_is_fetched_for_itself_leaves_the_backlog_to_the_look_at_the_queue(
    durable: Store, clock: VirtualClock
) -> None:
    """Both are under way for messages of one key; none of these is handed out by both."""
    sink = Sink()
    async with running(late(durable), sink.spec(), clock=clock) as node:
        small(node, 4, 1)
        await node.send("sink", Item(0, "bad"))
        await node.until(lambda: sink.begun == [0])
        await node.idle()
        await node.send_all("sink", [Item(1, "bad"), Item(2, "bad")])
        await node.send_all("sink", [Item(10 + n, f"g{n}") for n in range(4)])
        await node.until(lambda: len(sink.begun) == 5)
        await node.send_all("sink", [Item(3, "bad"), Item(4, "bad")])
        answers = hold_answers(node)
        sink.open("g0", "g1", "g2")
        await node.until(lambda: answers.inside)
        for _ in range(40):
            await clock.advance(0.5)
            await asyncio.sleep(0.001)
        await node.until(lambda: 2 in sink.done)
        answers.open()
        await node.until(lambda: 4 in sink.done)
        await node.idle()
        sink.open("g3")
        assert [n for n in sink.begun if n < 10] == [0, 0, 1, 2, 3, 4]
        await node.until(lambda: len(node.records("sink", Status.DONE)) == 9)


async def test_others_are_found_behind_a_backlog_of_a_blocked_key(durable: Store, clock: VirtualClock) -> None:
    """A whole look may find only what has to stay in the store; the next one goes on behind it."""
    sink = Sink()
    async with running(durable, sink.spec(), clock=clock) as node:
        box = small(node, 4, 1)
        await node.send("sink", Item(0, "bad"))
        await node.until(lambda: sink.begun == [0])
        await node.idle()
        await node.send_all("sink", [Item(100 + n, f"g{n}") for n in range(4)])
        await node.until(lambda: len(sink.begun) == 5)
        await node.send_all("sink", [*(Item(n, "bad") for n in range(1, 20)), Item(50, "other")])
        assert box.backlog == 20
        sink.open("g0", "g1", "g2", "g3")
        await node.until(lambda: 50 in sink.done)
        await node.advance(10.5)
        await node.until(lambda: sink.done[-20:] == list(range(20)))
