"""Queues are bounded by count and bytes: a full one slows its senders or refuses; memory stays flat."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace

from junctor.clock import VirtualClock
from junctor.core.lifecycle import State
from junctor.core.policy import HoldPolicy, PoolPolicy, QueuePolicy, RetryPolicy
from junctor.core.spec import ActionSpec
from junctor.errors import JunctorError, QueueFull
from junctor.messages import Kind
from tests.unit.runtime.flowkit import Answer, Bag, Gate, Item, Me, Seen, Store, running, service


def slow(gate: Gate, seen: Seen, **queue: Any) -> Any:
    async def take(me: Me, item: Item) -> Answer:
        await gate.wait()
        seen.append(item.n)
        return Answer(item.n)

    return service("slow", take, replies=Answer, queue=QueuePolicy(**queue))


async def test_a_sender_outside_waits_for_room_and_is_accepted_when_there_is(store: Store) -> None:
    gate, seen = Gate(), Seen()
    async with running(store, slow(gate, seen, limit=3, wait=30)) as node:
        await node.send_all("slow", [Item(n) for n in range(3)])
        waiting = [asyncio.ensure_future(awaited(node.send("slow", Item(n)))) for n in range(3, 8)]
        await node.idle()
        assert not any(sender.done() for sender in waiting)
        gate.open()
        await asyncio.gather(*waiting)
        await node.until(lambda: seen == list(range(8)))


async def test_nobody_overtakes_those_who_wait_for_room(store: Store) -> None:
    """Also not who comes in the moment between the end of a message and the turn of the one that waits."""
    gate, seen, late = Gate(), Seen(), list[Any]()

    async def take(me: Me, item: Item) -> None:
        if item.n == 0:
            await gate.wait()
            asyncio.get_running_loop().call_soon(lambda: late.append(node.send("slow", Item(2))))
        seen.append(item.n)

    async with running(store, service("slow", take, queue=QueuePolicy(limit=1))) as node:
        await node.send("slow", Item(0))
        waiting = node.send("slow", Item(1))
        await node.idle()
        gate.open()
        await waiting
        await late[0]
        await node.until(lambda: len(seen) == 3)
        assert seen == [0, 1, 2]


@pytest.mark.parametrize("how", ["send", "request"])
async def test_a_sender_outside_that_waited_long_enough_is_refused(store: Store, clock: VirtualClock, how: str) -> None:
    gate, seen = Gate(), Seen()
    async with running(store, slow(gate, seen, limit=2, wait=5), clock=clock) as node:
        await node.send_all("slow", [Item(1), Item(2)])
        refused = asyncio.ensure_future(awaited(getattr(node, how)("slow", Item(3))))
        await node.advance(4.5)
        assert not refused.done()
        await node.advance(1)
        error = await refused
        assert isinstance(error, QueueFull) and "2 messages" in str(error) and "limit" in str(error)
        assert node.bodies("slow") == [1, 2]
        gate.open()


async def test_a_request_waits_for_room_no_longer_than_for_its_reply(store: Store, clock: VirtualClock) -> None:
    gate, seen = Gate(), Seen()
    async with running(store, slow(gate, seen, limit=1, wait=60), clock=clock) as node:
        await node.send("slow", Item(1))
        refused = asyncio.ensure_future(awaited(node.request("slow", Item(2), timeout=2)))
        await node.advance(2.5)
        assert refused.done() and isinstance(refused.result(), QueueFull)
        gate.open()


async def test_a_sender_that_is_cancelled_in_the_line_sends_nothing(store: Store) -> None:
    gate, seen = Gate(), Seen()
    async with running(store, slow(gate, seen, limit=1)) as node:
        await node.send("slow", Item(1))
        gone = asyncio.ensure_future(awaited(node.send("slow", Item(2))))
        stays = asyncio.ensure_future(awaited(node.send("slow", Item(3))))
        await node.idle()
        gone.cancel()
        gate.open()
        await stays
        await node.until(lambda: seen == [1, 3])


async def test_after_one_sender_gave_up_the_next_one_gets_the_room(store: Store, clock: VirtualClock) -> None:
    gate, seen = Gate(), Seen()
    async with running(store, slow(gate, seen, limit=1, wait=5), clock=clock) as node:
        await node.send("slow", Item(1))
        impatient = asyncio.ensure_future(awaited(node.send("slow", Item(2))))
        await node.advance(3)
        patient = asyncio.ensure_future(awaited(node.send("slow", Item(3))))
        await node.advance(2.5)
        assert isinstance(await impatient, QueueFull)
        gate.open()
        await node.until(patient.done)
        await node.until(lambda: seen == [1, 3])


async def test_a_thread_outside_waits_in_its_call(store: Store) -> None:
    gate, seen = Gate(), Seen()
    async with running(store, slow(gate, seen, limit=1, wait=30)) as node:
        await node.send("slow", Item(1))
        sent = asyncio.ensure_future(asyncio.to_thread(lambda: node.send("slow", Item(2)).result()))
        await asyncio.sleep(0.02)
        assert not sent.done()
        gate.open()
        await sent
        await node.until(lambda: seen == [1, 2])


async def test_an_action_waits_like_any_sender_outside(store: Store) -> None:
    gate, seen = Gate(), Seen()

    async def act(me: Me) -> None:
        await me.send("slow", Item(2))

    async with running(store, slow(gate, seen, limit=1, wait=30), service("door")) as node:
        await node.send("slow", Item(1))
        host = node.host("door")
        call = host.bound(ActionSpec(name="act", bind=lambda me: lambda: act(me), signature=act))
        entered = asyncio.ensure_future(host.enter(Kind.ACTION, "act", call, False))
        await node.idle()
        assert not entered.done()
        gate.open()
        await entered
        await node.until(lambda: seen == [1, 2])


async def test_inside_a_delivery_the_message_is_held_back_and_not_lost(store: Store, clock: VirtualClock) -> None:
    """The full queue is an outage of somebody else: the sender's service is held, no attempt is spent."""
    gate, seen = Gate(), Seen()

    async def relay(me: Me, bag: Bag) -> None:
        await me.send("slow", Item(bag.items[0]))

    relays = service(
        "relay", relay, accepts=Bag, retry=RetryPolicy(attempts=1), hold=HoldPolicy(initial=1, max=1, jitter=0)
    )
    async with running(store, slow(gate, seen, limit=2), relays, clock=clock) as node:
        await node.send_all("slow", [Item(0), Item(1)])
        await node.send_all("relay", [Bag([n]) for n in range(2, 6)])
        await node.advance(3)
        assert node.host("relay").lifecycle.state is State.HELD
        assert node.bodies("slow") == [0, 1]
        gate.open()
        await node.until(lambda: seen == [0, 1])
        await node.advance(6)
        await node.until(lambda: seen == list(range(6)))
        assert [record.attempt for record in node.records("relay")] == [1] * 4


async def test_the_bound_by_bytes(store: Store) -> None:
    gate, seen = Gate(), Seen()

    async def take(me: Me, bag: Bag) -> None:
        await gate.wait()
        seen.append(len(bag.items))

    spec = service("slow", take, accepts=Bag, queue=QueuePolicy(bytes=1000, wait=0))
    async with running(store, spec) as node:
        await node.send("slow", Bag([1] * 400))
        error = await awaited(node.send("slow", Bag([1] * 200)))
        assert isinstance(error, QueueFull) and "bytes" in str(error)
        await node.send("slow", Bag([1] * 20))
        gate.open()
        await node.until(lambda: seen == [400, 20])
        await node.until(lambda: node.host("slow").mailbox.depth.bytes == 0)


async def test_refused_messages_leave_no_trace_in_the_counts(store: Store) -> None:
    gate, seen = Gate(), Seen()
    async with running(store, slow(gate, seen, limit=2, wait=0)) as node:
        answers = [await awaited(node.send("slow", Item(n))) for n in range(50)]
        assert sum(isinstance(answer, QueueFull) for answer in answers) == 48
        gate.open()
        await node.until(lambda: seen == [0, 1])
        box = node.host("slow").mailbox
        await node.until(lambda: (box.depth.count, box.depth.bytes, box.active, box.backlog) == (0, 0, 0, 0))


async def test_calls_beside_the_queue_are_bounded_too(store: Store) -> None:
    gate, spec = Gate(), service("door")
    spec = replace(spec, policies=replace(spec.policies, pool=PoolPolicy(calls=2)))
    async with running(store, spec) as node:
        host = node.host("door")
        calls = [asyncio.ensure_future(host.enter(Kind.ACTION, "wait", gate.wait, False)) for _ in range(2)]
        await node.until(lambda: gate.inside == 2)
        with pytest.raises(QueueFull, match="2 calls"):
            await host.enter(Kind.ACTION, "wait", gate.wait, False)
        assert host.counters.refused == 1
        gate.open()
        await asyncio.gather(*calls)
        await host.enter(Kind.ACTION, "wait", gate.wait, False)


@pytest.mark.parametrize("outcome", ["done", "parked"])
async def test_memory_stays_flat_under_a_steady_load(store: Store, outcome: str) -> None:
    """What the engine holds of finished messages does not grow with their number."""

    async def take(me: Me, item: Item) -> Answer:
        if outcome == "parked":
            raise ValueError("no")
        return Answer(item.n)

    spec = service("sink", take, replies=Answer, retry=RetryPolicy(attempts=1), pool=2, key="key")
    async with running(store, spec) as node:
        for turn in range(6):
            await node.send_all("sink", [Item(n, f"{turn}-{n}") for n in range(100)])
            box, dispatcher = node.host("sink").mailbox, node.engine.dispatcher
            await node.until(lambda: box.depth.count == 0)  # noqa: B023
        held = (box.ready, box._lanes, box.retrying, box._left, box.senders._line, dispatcher.waiters)
        assert [len(part or ()) for part in held] == [0] * 6
        assert len(node.host("sink").pending_state) == 0


async def awaited(pending: Any) -> Any:
    try:
        return await pending
    except JunctorError as error:
        return error
