"""What a delivery sends becomes visible with its success, whole, or not at all."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from junctor.core.policy import RetryPolicy
from junctor.core.spec import ActionSpec
from junctor.messages import Kind, Status
from tests.unit.runtime.flowkit import Answer, Bag, Gate, Item, Me, Seen, Store, running, service

ONCE = RetryPolicy(attempts=1)


def sink(seen: Seen) -> Any:
    return service("sink", seen.take, subscribes=True)


@pytest.mark.parametrize("blocking", [False, True])
async def test_nothing_is_visible_while_the_handler_runs_and_all_when_it_succeeds(store: Store, blocking: bool) -> None:
    seen, gate = Seen(), Gate()

    async def relay(me: Me, bag: Bag) -> None:
        for n in bag.items:
            await me.send("sink", Item(n))
        assert await me.port.publish(Item(8)) == 1
        assert await me.port.broadcast(Item(9)) == 1
        await gate.wait()

    def relay_blocking(me: Me, bag: Bag) -> None:
        for n in bag.items:
            me.send("sink", Item(n))
        me.port.publish(Item(8))
        me.port.broadcast(Item(9))
        gate.wait_blocking()

    relays = service("relay", relay_blocking if blocking else relay, accepts=Bag)
    async with running(store, sink(seen), relays) as node:
        await node.send("relay", Bag([1, 2, 3]))
        await node.until(lambda: gate.inside)
        await node.idle()
        assert node.records("sink") == []
        gate.open()
        await node.until(lambda: seen == [1, 2, 3, 8, 9])


@pytest.mark.parametrize("blocking", [False, True])
async def test_nothing_is_ever_visible_when_the_handler_fails(store: Store, blocking: bool) -> None:
    seen = Seen()

    async def relay(me: Me, bag: Bag) -> None:
        await me.send("sink", Item(1))
        await me.port.publish(Item(2))
        raise ValueError("no")

    def relay_blocking(me: Me, bag: Bag) -> None:
        me.send("sink", Item(1))
        raise ValueError("no")

    relays = service("relay", relay_blocking if blocking else relay, accepts=Bag, retry=ONCE)
    async with running(store, sink(seen), relays) as node:
        await node.send("relay", Bag([]))
        await node.until(lambda: node.statuses("relay") == ["PARKED"])
        await node.idle()
        assert node.records("sink") == []


async def test_the_send_and_the_acknowledgement_are_one_commit(durable: Store) -> None:
    """Whoever looks into the store never finds the one without the other."""
    found: list[tuple[int, int]] = []

    async def relay(me: Me, item: Item) -> None:
        await me.send("sink", Item(item.n))

    async with running(durable, sink(Seen()), service("relay", relay)) as node:
        await node.send_all("relay", [Item(n) for n in range(40)])
        while len(node.records("relay", Status.DONE)) < 40:
            sent, done = len(node.records("sink")), len(node.records("relay", Status.DONE))
            found.append((sent, done))
            await asyncio.sleep(0)
        assert all(sent <= done for sent, done in found)
        await node.until(lambda: len(node.records("sink")) == 40)


async def test_a_failed_tick_sends_nothing_and_a_good_one_all(store: Store) -> None:
    seen, ticks = Seen(), list[int]()

    async def tick(me: Me) -> None:
        ticks.append(1)
        await me.send("sink", Item(len(ticks)))
        if len(ticks) == 1:
            raise ValueError("the first tick fails")

    async with running(store, sink(seen), service("timer", every=0.02, tick=tick)) as node:
        await node.until(lambda: len(seen) >= 2)
        assert seen[:2] == [2, 3]


async def test_in_an_action_each_send_is_accepted_on_its_own(store: Store) -> None:
    seen = Seen()

    async def act(me: Me) -> None:
        await me.send("sink", Item(1))
        raise ValueError("after the send")

    async with running(store, sink(seen), service("door")) as node:
        host = node.host("door")
        call = host.bound(ActionSpec(name="act", bind=lambda me: lambda: act(me), signature=act))
        with pytest.raises(ValueError, match="after the send"):
            await host.enter(Kind.ACTION, "act", call, False)
        await node.until(lambda: seen == [1])


async def test_a_task_that_outlives_its_delivery_sends_on_its_own(store: Store) -> None:
    seen, gate, tasks = Seen(), Gate(), list[asyncio.Task[None]]()

    async def later(me: Me) -> None:
        await gate.wait()
        receipt = await me.send("sink", Item(2))
        assert receipt is not None, "it was accepted on its own"

    async def relay(me: Me, bag: Bag) -> None:
        await me.send("sink", Item(1))
        tasks.append(asyncio.ensure_future(later(me)))

    async with running(store, sink(seen), service("relay", relay, accepts=Bag)) as node:
        await node.send("relay", Bag([]))
        await node.until(lambda: seen == [1])
        gate.open()
        await tasks[0]
        await node.until(lambda: seen == [1, 2])


async def test_a_delivery_may_send_to_its_own_service(store: Store) -> None:
    seen = Seen()

    async def count_down(me: Me, item: Item) -> None:
        seen.append(item.n)
        if item.n:
            await me.send("down", Item(item.n - 1))

    async with running(store, service("down", count_down)) as node:
        await node.send("down", Item(5))
        await node.until(lambda: seen == [5, 4, 3, 2, 1, 0])


async def test_a_reply_of_a_request_is_part_of_the_commit(store: Store) -> None:
    async def answer(me: Me, item: Item) -> Answer:
        return Answer(item.n * 2)

    async with running(store, service("double", answer, replies=Answer)) as node:
        assert await node.request("double", Item(4)) == Answer(8)
        (record,) = node.records("double")
        assert record.status is Status.DONE
        assert record.reply is not None and record.reply.type == "Answer"
