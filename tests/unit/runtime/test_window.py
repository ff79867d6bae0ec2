"""A window in memory over what the store owes: order kept, everything delivered, memory bounded."""

from __future__ import annotations

import asyncio
import random

import pytest

from junctor.clock import VirtualClock
from junctor.messages import Status
from junctor.runtime.engine import WINDOW
from tests.unit.runtime.flowkit import Gate, Item, Me, Seen, Store, running, service, start


async def test_many_messages_to_a_slow_service_come_in_order_and_memory_stays_bounded(durable: Store) -> None:
    seen, gate, most = Seen(), Gate(), 0

    async def take(me: Me, item: Item) -> None:
        nonlocal most
        if not gate.opened:
            await gate.wait()
        if len(seen) % 50 == 0:
            await asyncio.sleep(0)
        most = max(most, len(node.host("sink").mailbox.ready))
        seen.append(item.n)

    async with running(durable, service("sink", take)) as node:
        await node.send_all("sink", [Item(n) for n in range(5000)])
        box = node.host("sink").mailbox
        assert (box.depth.count, box.active, len(box.ready)) == (5000, WINDOW, WINDOW - 1)
        gate.open()
        await node.until(lambda: len(seen) == 5000)
        assert seen == list(range(5000))
        assert most < WINDOW
        await node.until(lambda: (box.depth.count, box.depth.bytes, box.active, box.backlog) == (0, 0, 0, 0))


async def test_senders_and_a_slow_service_at_the_same_time(durable: Store) -> None:
    """The window overflows and empties again and again while new ones come in; nothing overtakes."""
    seen, chance = Seen(), random.Random(7)

    async def take(me: Me, item: Item) -> None:
        if chance.random() < 0.02:
            await asyncio.sleep(0.001)
        seen.append(item.n)

    async with running(durable, service("sink", take)) as node:
        node.host("sink").mailbox._window = 16
        node.host("sink").mailbox._low = 8
        pending = []
        for n in range(2000):
            pending.append(node.send("sink", Item(n)))
            if chance.random() < 0.05:
                await asyncio.sleep(chance.random() * 0.002)
        for one in pending:
            await one
        await node.until(lambda: len(seen) == 2000)
        assert seen == list(range(2000))


async def test_a_backlog_is_delivered_in_order_after_the_next_start(durable: Store) -> None:
    seen, gate = Seen(), Gate()

    async def wait(me: Me, item: Item) -> None:
        await gate.wait()

    node = await start(durable, service("sink", wait))
    await node.send_all("sink", [Item(n) for n in range(2500)])
    await node.engine.stop(0.05)
    async with running(durable, service("sink", seen.take)) as node:
        await node.send_all("sink", [Item(n) for n in range(2500, 2600)])
        await node.until(lambda: len(seen) == 2600)
        assert seen == list(range(2600))
        box = node.host("sink").mailbox
        await node.until(lambda: (box.depth.count, box.active, box.backlog) == (0, 0, 0))


# Delayed messages -------------------------------------------------------------------------------------------


async def test_delayed_messages_come_in_order_of_their_time(store: Store, clock: VirtualClock) -> None:
    seen, at = Seen(), list[float]()

    async def take(me: Me, item: Item) -> None:
        seen.append(item.n)
        at.append(round(clock.monotonic(), 2))

    async with running(store, service("sink", take), clock=clock) as node:
        for n, delay in enumerate([3.0, 1.0, 2.0, 0.0, 1.0]):
            await node.send("sink", Item(n), delay=delay)
        await node.idle()
        assert (seen, node.host("sink").mailbox.depth.count) == ([3], 4)
        await node.advance(3.5)
        assert seen == [3, 1, 4, 2, 0]
        assert at == [0, 1, 1, 2, 3]
        assert node.host("sink").mailbox.depth.count == 0


async def test_a_delayed_send_of_a_delivery_joins_it(store: Store, clock: VirtualClock) -> None:
    seen = Seen()

    async def relay(me: Me, item: Item) -> None:
        await me.send("sink", item, delay=5)
        if item.n == 1:
            raise ValueError("this one is never sent")

    from junctor.core.policy import RetryPolicy

    services = service("sink", seen.take), service("relay", relay, retry=RetryPolicy(attempts=1))
    async with running(store, *services, clock=clock) as node:
        await node.send_all("relay", [Item(1), Item(2)])
        await node.advance(4)
        assert (seen, node.bodies("sink")) == ([], [2])
        await node.advance(1.5)
        assert seen == [2]


async def test_what_came_due_while_the_node_was_down_comes_at_the_start_in_order_of_its_time(
    durable: Store, clock: VirtualClock
) -> None:
    seen = Seen()
    async with running(durable, service("sink", seen.take), clock=clock) as node:
        for n, delay in enumerate([30.0, 10.0, 20.0, 500.0]):
            await node.send("sink", Item(n), delay=delay)
    await clock.advance(60)
    async with running(durable, service("sink", seen.take), clock=clock) as node:
        await node.advance(1)
        assert seen == [1, 2, 0]
        await node.advance(450, step=10)
        assert seen == [1, 2, 0, 3]


async def test_after_a_start_delayed_messages_keep_nothing_from_the_short_way(
    durable: Store, clock: VirtualClock
) -> None:
    """They are no backlog: what is sent now is handed over at once, not stored, fetched and claimed."""
    seen = Seen()
    async with running(durable, service("sink", seen.take), clock=clock) as node:
        await node.send("sink", Item(0), delay=1000)
    async with running(durable, service("sink", seen.take), clock=clock) as node:
        await node.idle()
        assert node.host("sink").mailbox.backlog == 0
        await node.send("sink", Item(1))
        await node.until(lambda: seen == [1])


async def test_more_due_messages_at_once_than_the_window(durable: Store, clock: VirtualClock) -> None:
    seen = Seen()
    async with running(durable, service("sink", seen.take), clock=clock) as node:
        total = WINDOW + 500
        await node.send_all("sink", [Item(n) for n in range(total)], delay=5)
        await node.advance(6)
        await node.until(lambda: len(seen) == total)
        assert seen == list(range(total))
        await node.until(lambda: node.bodies("sink", Status.DONE) == list(range(total)))


async def test_due_messages_of_a_blocked_key_wait_in_the_store(durable: Store, clock: VirtualClock) -> None:
    from junctor.core.policy import RetryPolicy

    tried = Seen()

    async def take(me: Me, item: Item) -> None:
        tried.append(item.n)
        if tried.count(0) == 1 and item.n == 0:
            raise ValueError("once")

    spec = service("sink", take, pool=2, key="key", retry=RetryPolicy(initial=20, jitter=0, max=20))
    async with running(durable, spec, clock=clock) as node:
        await node.send("sink", Item(0, "a"))
        await node.idle()
        await node.send_all("sink", [Item(n, "a") for n in range(1, 101)], delay=2)
        await node.send_all("sink", [Item(n, "b") for n in range(101, 111)], delay=2)
        await node.advance(3)
        assert tried == [0, *range(101, 111)]
        lanes = node.host("sink").mailbox._lanes
        assert lanes is not None and lanes.behind("a") <= 16 + WINDOW
        await node.advance(20)
        assert sorted(tried) == sorted([0, *range(111)])
        assert node.bodies("sink", Status.DONE) == list(range(111))


@pytest.mark.parametrize("pool", [1, 3])
async def test_delayed_and_plain_messages_and_a_backlog_of_the_same_key(
    durable: Store, clock: VirtualClock, pool: int
) -> None:
    """Each way to memory (admitted, fetched, come due) leads there once."""
    seen, gate = Seen(), Gate()

    async def take(me: Me, item: Item) -> None:
        if not gate.opened:
            await gate.wait()
        seen.append(item.n)

    async with running(durable, service("sink", take, pool=pool, key="key"), clock=clock) as node:
        box = node.host("sink").mailbox
        box._window, box._low = 8, 4
        for n in range(60):
            await node.send("sink", Item(n, f"k{n % 2}"), delay=1 if n % 3 == 0 else 0)
        await node.advance(2)
        gate.open()
        await node.advance(3)
        await node.until(lambda: len(seen) == 60)
        assert sorted(seen) == list(range(60))
        plain = [n for n in seen if n % 3]
        for key in range(2):
            assert [n for n in plain if n % 2 == key] == [n for n in range(60) if n % 3 and n % 2 == key]
        await node.until(lambda: (box.depth.count, box.active, box.backlog, len(box._lanes or ())) == (0, 0, 0, 0))
