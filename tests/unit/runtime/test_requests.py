"""Requests end with a reply, a failure or at their deadline, and never hang."""

from __future__ import annotations

import asyncio
import threading

import pytest

from junctor.clock import VirtualClock
from junctor.core.policy import RetryPolicy
from junctor.errors import EncodeError, JunctorError, RequestFailed, RequestTimeout
from junctor.messages import Status
from junctor.runtime.pending import WouldBlock
from tests.unit.runtime.flowkit import Answer, Bag, Gate, Item, Me, Store, running, service

ONCE = RetryPolicy(attempts=1)


async def test_at_its_deadline_a_request_ends_and_the_late_reply_is_recorded(store: Store, clock: VirtualClock) -> None:
    async def slow(me: Me, item: Item) -> Answer:
        await me.port.sleep(3)
        return Answer(1)

    async with running(store, service("slow", slow, replies=Answer), clock=clock) as node:
        reply = node.request("slow", Item(1), timeout=2)
        await node.advance(2.5)
        with pytest.raises(RequestTimeout):
            await reply
        await node.advance(1)
        (record,) = node.records("slow")
        assert record.status is Status.DONE and record.reply is not None
        assert record.late, "the reply came, but too late"


async def test_a_reply_in_time_is_not_late(store: Store) -> None:
    async def quick(me: Me, item: Item) -> Answer:
        return Answer(1)

    async with running(store, service("quick", quick, replies=Answer)) as node:
        await node.request("quick", Item(1))
        (record,) = node.records("quick")
        assert not record.late


async def test_a_request_that_expires_before_its_handler_starts_is_not_delivered(
    store: Store, clock: VirtualClock
) -> None:
    handled: list[int] = []

    async def slow(me: Me, item: Item) -> Answer:
        handled.append(item.n)
        await me.port.sleep(3)
        return Answer(1)

    async with running(store, service("slow", slow, replies=Answer), clock=clock) as node:
        first = node.request("slow", Item(1), timeout=10)
        second = node.request("slow", Item(2), timeout=1)
        third = node.request("slow", Item(3), timeout=10)
        await node.advance(7)
        assert (await first, await third) == (Answer(1), Answer(1))
        with pytest.raises(RequestTimeout):
            await second
        assert handled == [1, 3]
        assert node.statuses("slow") == ["DONE", "EXPIRED", "DONE"]
        assert node.host("slow").counters.expired == 1


async def test_the_flow_gives_the_time_of_a_request_that_names_none(store: Store, clock: VirtualClock) -> None:
    async def never(me: Me, item: Item) -> Answer:
        await me.port.sleep(60)
        return Answer(1)

    async with running(store, service("slow", never, replies=Answer, timeout=5.0), clock=clock) as node:
        reply = asyncio.ensure_future(_awaited(node.request("slow", Item(1))))
        await node.advance(4.5)
        assert not reply.done()
        await node.advance(1)
        with pytest.raises(RequestTimeout):
            await reply


async def test_many_callers_get_each_their_own_reply(store: Store) -> None:
    async def double(me: Me, item: Item) -> Answer:
        return Answer(item.n * 2)

    async with running(store, service("double", double, replies=Answer, pool=4)) as node:
        replies = await asyncio.gather(*(_awaited(node.request("double", Item(n))) for n in range(200)))
    assert [reply.n for reply in replies] == [n * 2 for n in range(200)]


async def test_a_handler_without_a_reply_answers_with_nothing(store: Store) -> None:
    async def quiet(me: Me, item: Item) -> None:
        return None

    async with running(store, service("quiet", quiet)) as node:
        assert await node.request("quiet", Item(1), None) is None


async def test_a_reply_of_another_type_than_declared_is_the_handlers_failure(store: Store) -> None:
    async def wrong(me: Me, item: Item) -> Answer:
        return Bag([]) if item.n else None  # type: ignore[return-value]

    async with running(store, service("wrong", wrong, replies=Answer)) as node:
        for n, returned in enumerate(["NoneType", "Bag"]):
            with pytest.raises(RequestFailed, match=f"declares Answer and returned {returned}"):
                await node.request("wrong", Item(n))
        assert node.statuses("wrong") == ["PARKED", "PARKED"]
        assert [len(record) for record in [node.attempts("wrong")]] == [2], "no second attempt: it cannot get better"


async def test_a_reply_that_cannot_be_encoded_is_the_handlers_failure(store: Store) -> None:
    async def wrong(me: Me, item: Item) -> object:
        return {"when": threading.Lock()} if item.n else {"value": float("nan")}

    from typing import Any

    async with running(store, service("wrong", wrong, replies=Any)) as node:
        for n in range(2):
            with pytest.raises(RequestFailed) as raised:
                await node.request("wrong", Item(n), Any)
            assert raised.value.error_type == "EncodeError"


async def test_a_reply_to_a_send_is_nothing(store: Store) -> None:
    async def answers(me: Me, item: Item) -> Answer:
        return Answer(1)

    async with running(store, service("answers", answers, replies=Answer)) as node:
        await node.send("answers", Item(1))
        await node.until(lambda: node.statuses("answers") == ["DONE"])
        (record,) = node.records("answers")
        assert record.reply is None


async def test_result_on_the_nodes_own_loop_says_to_await(store: Store) -> None:
    async def quick(me: Me, item: Item) -> Answer:
        await asyncio.sleep(0)
        return Answer(1)

    async with running(store, service("quick", quick, replies=Answer)) as node:
        pending = node.request("quick", Item(1))
        with pytest.raises(WouldBlock, match="await"):
            pending.result()
        assert await pending == Answer(1)


async def test_a_request_nobody_awaits_is_handled_all_the_same(store: Store) -> None:
    async def wrong(me: Me, item: Item) -> Answer:
        raise ValueError("nobody listens")

    async with running(store, service("wrong", wrong, replies=Answer, retry=ONCE)) as node:
        pending = node.request("wrong", Item(1))
        await node.until(lambda: node.statuses("wrong") == ["PARKED"])
        with pytest.raises(RequestFailed):
            await pending


async def test_a_caller_that_is_cancelled_leaves_nothing_behind(store: Store) -> None:
    gate = Gate()

    async def slow(me: Me, item: Item) -> Answer:
        await gate.wait()
        return Answer(1)

    async with running(store, service("slow", slow, replies=Answer)) as node:
        caller = asyncio.ensure_future(_awaited(node.request("slow", Item(1))))
        await node.until(lambda: gate.inside)
        caller.cancel()
        gate.open()
        # The store may tell of it before the loop has heard that it was committed.
        await node.until(lambda: node.statuses("slow") == ["DONE"] and not node.engine.dispatcher.waiters)


async def test_a_body_of_the_wrong_type_is_refused_at_once(store: Store) -> None:
    async def quick(me: Me, item: Item) -> Answer:
        return Answer(1)

    async with running(store, service("quick", quick, replies=Answer)) as node:
        link = node.client.link_to("quick", Item, Answer)
        for call in (node.client.send, node.client.request):
            with pytest.raises(EncodeError, match="expected Item, got str"):
                await call(link, "not an item")
        assert node.records("quick") == []


async def test_a_chain_of_requests_through_three_services(store: Store) -> None:
    async def add(me: Me, item: Item) -> Answer:
        if item.n >= 30:
            return Answer(item.n)
        following = {"a": "b", "b": "c", "c": "a"}[me.name]
        if following == "a":
            return Answer(item.n)
        return Answer((await me.request(following, Item(item.n + 1))).n)

    services = [service(name, add, replies=Answer) for name in "abc"]
    async with running(store, *services) as node:
        assert await node.request("a", Item(1)) == Answer(3)


async def _awaited(pending: object) -> Answer:
    result = await pending  # type: ignore[misc]
    assert isinstance(result, Answer)
    return result


def test_every_error_of_a_request_says_what_to_do() -> None:
    for kind in (RequestTimeout, RequestFailed, WouldBlock):
        assert issubclass(kind, JunctorError) and kind.default_fix


async def test_a_service_with_a_pool_of_1_that_asks_itself_is_told_at_once(store: Store) -> None:
    async def asks(me: Me, item: Item) -> Answer:
        return await me.request("sink", item)  # type: ignore[no-any-return]

    async with running(store, service("sink", asks, replies=Answer)) as node:
        with pytest.raises(RequestFailed, match="it would wait for itself"):
            await node.request("sink", Item(1), timeout=60)
        assert node.statuses("sink") == ["PARKED"]
