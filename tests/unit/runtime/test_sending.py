"""Messages reach their handlers from everywhere code can run, and what is sent in a delivery joins it."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from junctor.core.policy import RetryPolicy
from junctor.core.spec import ActionSpec
from junctor.messages import Kind
from tests.unit.runtime.flowkit import Answer, Bag, Item, Me, Seen, Store, running, service

SENDERS = ["send", "request", "publish", "broadcast"]


async def plus_one(me: Me, item: Item) -> Answer:
    return Answer(item.n + 1)


def sink(seen: Seen) -> Any:
    async def take(me: Me, item: Item) -> Answer:
        seen.append(item.n)
        return Answer(item.n)

    return service("sink", take, replies=Answer, subscribes=True)


async def act_with(me: Me, how: str, n: int) -> None:
    """One message in each way, from async code."""
    match how:
        case "send":
            await me.send("sink", Item(n))
        case "request":
            assert await me.request("sink", Item(n)) == Answer(n)
        case "publish":
            assert await me.port.publish(Item(n)) == 1
        case "broadcast":
            assert await me.port.broadcast(Item(n)) == 1


def act_blocking(me: Me, how: str, n: int) -> None:
    """The same from a thread."""
    match how:
        case "send":
            me.send("sink", Item(n)).result()
        case "request":
            assert me.request("sink", Item(n)).result(5) == Answer(n)
        case "publish":
            assert me.port.publish(Item(n)).result() == 1
        case "broadcast":
            assert me.port.broadcast(Item(n)).result() == 1


# From outside -----------------------------------------------------------------------------------------------


async def test_a_send_from_outside_gives_a_receipt_and_is_handled(store: Store) -> None:
    seen = Seen()
    async with running(store, sink(seen)) as node:
        receipt = await node.send("sink", Item(7))
        await node.until(lambda: seen == [7])
        (record,) = node.records("sink")
        assert (receipt.id, receipt.session) == (record.message.id, record.message.session_id)
        assert not receipt.duplicate


async def test_a_request_from_outside_gets_its_reply(store: Store) -> None:
    async with running(store, service("add", plus_one, replies=Answer)) as node:
        assert await node.request("add", Item(41)) == Answer(42)


async def test_a_publish_reaches_subscribers_only_and_a_broadcast_every_handler(store: Store) -> None:
    a, b, c = Seen(), Seen(), Seen()
    services = service("a", a.take, subscribes=True), service("b", b.take, subscribes=True), service("c", c.take)
    async with running(store, *services) as node:
        assert await node.client.publish(Item(1)) == 2
        assert await node.client.broadcast(Item(2)) == 3
        await node.until(lambda: (a, b, c) == ([1, 2], [1, 2], [2]))


async def test_a_publish_without_subscriber_reaches_nobody(store: Store) -> None:
    async with running(store, service("c", Seen().take)) as node:
        assert await node.client.publish(Item(1)) == 0


async def test_a_body_that_can_change_is_copied_at_the_moment_of_sending(store: Store) -> None:
    got: list[Bag] = []

    async def take(me: Me, bag: Bag) -> None:
        bag.items.append(99)
        got.append(bag)

    async with running(store, service("sink", take, accepts=Bag)) as node:
        bag = Bag([1])
        pending = node.send("sink", bag)
        bag.items.append(2)
        await pending
        await node.until(lambda: got)
    assert (got[0].items, bag.items) == ([1, 99], [1, 2])


# From inside ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", SENDERS)
@pytest.mark.parametrize("loop", ["shared", "own"])
async def test_from_an_async_handler(store: Store, how: str, loop: str) -> None:
    seen = Seen()

    async def relay(me: Me, bag: Bag) -> None:
        await act_with(me, how, bag.items[0])

    async with running(store, sink(seen), service("relay", relay, accepts=Bag, loop=loop)) as node:
        await node.send("relay", Bag([5]))
        await node.until(lambda: seen == [5])


@pytest.mark.parametrize("how", SENDERS)
@pytest.mark.parametrize("loop", ["shared", "own"])
async def test_from_a_blocking_handler(store: Store, how: str, loop: str) -> None:
    seen = Seen()

    def relay(me: Me, bag: Bag) -> None:
        act_blocking(me, how, bag.items[0])

    async with running(store, sink(seen), service("relay", relay, accepts=Bag, loop=loop)) as node:
        await node.send("relay", Bag([5]))
        await node.until(lambda: seen == [5])


@pytest.mark.parametrize("how", SENDERS)
@pytest.mark.parametrize("loop", ["shared", "own"])
async def test_from_on_start_and_loop(store: Store, how: str, loop: str) -> None:
    seen = Seen()

    async def on_start(me: Me) -> None:
        await act_with(me, how, 1)

    async def main(me: Me) -> None:
        await act_with(me, how, 2)
        await me.port.sleep(60)

    async with running(store, sink(seen), service("source", start=on_start, main=main, loop=loop)) as node:
        await node.until(lambda: seen == [1, 2])


@pytest.mark.parametrize("how", SENDERS)
async def test_from_a_blocking_on_start_and_loop(store: Store, how: str) -> None:
    seen = Seen()

    def on_start(me: Me) -> None:
        act_blocking(me, how, 1)

    def main(me: Me) -> None:
        act_blocking(me, how, 2)
        while not me.port.sleep(60).result():
            pass

    async with running(store, sink(seen), service("source", start=on_start, main=main)) as node:
        await node.until(lambda: seen == [1, 2])


@pytest.mark.parametrize("how", SENDERS)
@pytest.mark.parametrize("blocking", [False, True])
async def test_from_an_action(store: Store, how: str, blocking: bool) -> None:
    seen = Seen()

    async def act(me: Me) -> None:
        await act_with(me, how, 3)

    def act_in_thread(me: Me) -> None:
        act_blocking(me, how, 3)

    async with running(store, sink(seen), service("door")) as node:
        host = node.host("door")
        chosen = act_in_thread if blocking else act
        call = host.bound(ActionSpec(name="act", bind=lambda me: lambda: chosen(me), signature=act))
        entered = await host.enter(Kind.ACTION, "act", call, blocking)
        await node.until(lambda: seen == [3])
        (record,) = node.records("sink")
        assert record.message.session == entered.session
        assert record.message.source == "flow/door"


@pytest.mark.parametrize("how", SENDERS)
async def test_from_a_tick(store: Store, how: str) -> None:
    seen = Seen()

    async def tick(me: Me) -> None:
        await act_with(me, how, 4)

    async with running(store, sink(seen), service("timer", every=3600, tick=tick)) as node:
        await node.until(lambda: seen == [4])
        (record,) = node.records("sink")
        assert record.message.source == "flow/timer"


@pytest.mark.parametrize("how", SENDERS)
async def test_from_a_foreign_thread_with_and_without_a_loop_of_its_own(store: Store, how: str) -> None:
    seen, ports = Seen(), list[Me]()

    async def on_start(me: Me) -> None:
        ports.append(me)

    async with running(store, sink(seen), service("source", start=on_start)) as node:
        await asyncio.to_thread(act_blocking, ports[0], how, 1)
        await asyncio.to_thread(lambda: asyncio.run(act_with(ports[0], how, 2)))
        await node.until(lambda: seen == [1, 2])


async def test_a_thread_that_a_handler_starts_is_outside_its_delivery(store: Store) -> None:
    seen = Seen()

    def relay(me: Me, bag: Bag) -> None:
        thread = threading.Thread(target=lambda: me.send("sink", Item(1)))
        thread.start()
        thread.join()
        raise ValueError("the delivery fails, the thread's send counts")

    relay_once = service("relay", relay, accepts=Bag, retry=RetryPolicy(attempts=1))
    async with running(store, sink(seen), relay_once) as node:
        await node.send("relay", Bag([]))
        await node.until(lambda: node.statuses("relay") == ["PARKED"])
        await node.until(lambda: seen == [1])


async def test_a_session_follows_through_all_hops(store: Store) -> None:
    seen = Seen()

    async def relay(me: Me, bag: Bag) -> None:
        await me.send("sink", Item(1))
        await me.request("sink", Item(2))

    async with running(store, sink(seen), service("relay", relay, accepts=Bag)) as node:
        receipt = await node.send("relay", Bag([]))
        await node.until(lambda: len(seen) == 2)
        await node.until(lambda: node.statuses("relay") == ["DONE"])
        (first,) = node.records("relay")
        assert {record.message.session_id for record in node.records("sink")} == {receipt.session}
        assert {record.message.cause for record in node.records("sink")} == {first.message.seq}
