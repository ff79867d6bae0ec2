"""A request commits what was sent before it; a repeated attempt sends none of it again and gets the recorded reply."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from junctor.clock import VirtualClock
from junctor.core.outcome import Hold
from junctor.core.policy import HoldPolicy, RetryPolicy
from junctor.errors import RequestFailed, RequestTimeout
from junctor.messages import Status
from tests.unit.runtime.flowkit import Answer, Bag, Gate, Item, Me, Seen, Store, running, service

SOON: dict[str, Any] = {"retry": RetryPolicy(attempts=5, initial=0.01, jitter=0), "hold": HoldPolicy(initial=0.01)}


class Flow:
    """A relay with a script for each attempt, a sink and an answerer that counts how often it was asked."""

    def __init__(self, *attempts: Any) -> None:
        self.seen = Seen()
        self.asked: list[int] = []
        self.got: list[int] = []
        self.attempts = list(attempts)

    async def answer(self, me: Me, item: Item) -> Answer:
        self.asked.append(item.n)
        return Answer(len(self.asked) * 100)

    async def relay(self, me: Me, bag: Bag) -> None:
        await self.attempts.pop(0)(self, me)

    def services(self, **answerer: Any) -> tuple[Any, ...]:
        return (
            service("sink", self.seen.take),
            service("asked", self.answer, replies=Answer, **answerer),
            service("relay", self.relay, accepts=Bag, **SOON),
        )


async def ask(flow: Flow, me: Me, n: int = 2) -> None:
    flow.got.append((await me.request("asked", Item(n))).n)


async def send_and_ask(flow: Flow, me: Me) -> None:
    await me.send("sink", Item(1))
    await ask(flow, me)
    await me.send("sink", Item(3))


async def then_fail(flow: Flow, me: Me) -> None:
    await send_and_ask(flow, me)
    raise ValueError("after the request")


async def then_hold(flow: Flow, me: Me) -> None:
    await send_and_ask(flow, me)
    raise Hold("after the request")


@pytest.mark.parametrize("first", [then_fail, then_hold])
async def test_send_and_request_happen_once_and_the_second_attempt_gets_the_recorded_reply(
    store: Store, first: Any
) -> None:
    flow = Flow(first, send_and_ask)
    async with running(store, *flow.services()) as node:
        await node.send("relay", Bag([]))
        await node.until(lambda: node.statuses("relay") == ["DONE"])
        await node.until(lambda: flow.seen == [1, 3])
        assert (flow.asked, flow.got) == ([2], [100, 100])
        assert node.bodies("sink") == [1, 3]


async def test_what_precedes_a_request_is_visible_before_the_handler_ends_and_stays_when_it_fails(store: Store) -> None:
    gate = Gate()

    async def first(flow: Flow, me: Me) -> None:
        await send_and_ask(flow, me)
        await gate.wait()
        raise ValueError("no")

    async def second(flow: Flow, me: Me) -> None:
        return None

    flow = Flow(first, second)
    async with running(store, *flow.services()) as node:
        await node.send("relay", Bag([]))
        await node.until(lambda: flow.seen == [1])
        gate.open()
        await node.until(lambda: node.statuses("relay") == ["DONE"])
        await node.idle()
        assert node.bodies("sink") == [1], "what follows the savepoint was undone"


@pytest.mark.parametrize("first", [then_fail, then_hold])
async def test_a_second_attempt_that_takes_another_way_sends_the_saved_messages_no_second_time(
    store: Store, first: Any
) -> None:
    async def send_only(flow: Flow, me: Me) -> None:
        await me.send("sink", Item(1))

    flow = Flow(first, send_only)
    async with running(store, *flow.services()) as node:
        await node.send("relay", Bag([]))
        await node.until(lambda: node.statuses("relay") == ["DONE"])
        await node.idle()
        assert node.bodies("sink") == [1]


async def test_other_content_under_the_same_counter_is_a_new_message_with_a_warning(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    async def other(flow: Flow, me: Me) -> None:
        await me.send("sink", Item(7))
        await ask(flow, me, 8)

    flow = Flow(then_fail, other)
    with caplog.at_level(logging.WARNING, "junctor.dispatcher"):
        async with running(store, *flow.services()) as node:
            await node.send("relay", Bag([]))
            await node.until(lambda: node.statuses("relay") == ["DONE"])
            await node.until(lambda: sorted(flow.seen) == [1, 7])
    assert (flow.asked, flow.got) == ([2, 8], [100, 200])
    assert "differs from that of an earlier attempt" in caplog.text


async def test_equal_messages_of_one_delivery_are_no_duplicates(store: Store) -> None:
    async def twice(flow: Flow, me: Me) -> None:
        await me.send("sink", Item(1))
        await me.send("sink", Item(1))
        await ask(flow, me)
        await ask(flow, me)

    flow = Flow(twice)
    async with running(store, *flow.services()) as node:
        await node.send("relay", Bag([]))
        await node.until(lambda: node.statuses("relay") == ["DONE"])
        assert (flow.seen, flow.got) == ([1, 1], [100, 200])


async def test_two_causes_with_equal_sends_are_no_duplicates(store: Store) -> None:
    flow = Flow(send_and_ask, send_and_ask)
    async with running(store, *flow.services()) as node:
        await node.send_all("relay", [Bag([]), Bag([])])
        await node.until(lambda: flow.seen == [1, 3, 1, 3])
        assert flow.got == [100, 200], "each got its own"


async def test_savepoints_of_a_blocking_handler(store: Store) -> None:
    seen, asked, got = Seen(), list[int](), list[int]()

    async def answer(me: Me, item: Item) -> Answer:
        asked.append(item.n)
        return Answer(5)

    def relay(me: Me, bag: Bag) -> None:
        me.send("sink", Item(1))
        got.append(me.request("asked", Item(2)).result().n)
        if len(got) == 1:
            raise ValueError("once")

    services = service("sink", seen.take), service("asked", answer, replies=Answer)
    async with running(store, *services, service("relay", relay, accepts=Bag, **SOON)) as node:
        await node.send("relay", Bag([]))
        await node.until(lambda: node.statuses("relay") == ["DONE"])
        assert (seen, asked, got) == ([1], [2], [5, 5])


async def test_a_reply_recorded_before_the_node_ended_is_given_after_it(durable: Store) -> None:
    gate = Gate()

    async def hang(flow: Flow, me: Me) -> None:
        await send_and_ask(flow, me)
        await gate.wait()

    flow = Flow(hang, send_and_ask)
    async with running(durable, *flow.services(), grace=0.1) as node:
        await node.send("relay", Bag([]))
        await node.until(lambda: flow.got)
    async with running(durable, *flow.services()) as node:
        await node.until(lambda: node.statuses("relay") == ["DONE"])
        await node.until(lambda: flow.seen == [1, 3])
        assert (flow.asked, flow.got) == ([2], [100, 100])


async def test_a_retry_waits_for_a_request_of_the_first_attempt_that_is_still_on_its_way(
    store: Store, clock: VirtualClock
) -> None:
    async def impatient(flow: Flow, me: Me) -> None:
        flow.got.append((await me.request("asked", Item(2), timeout=1)).n)

    async def answer(me: Me, item: Item) -> Answer:
        flow.asked.append(item.n)
        await me.port.sleep(1.5)
        return Answer(9)

    flow = Flow(impatient, impatient)
    services = service("asked", answer, replies=Answer), service("relay", flow.relay, accepts=Bag, **SOON)
    async with running(store, *services, clock=clock) as node:
        await node.send("relay", Bag([]))
        await node.advance(3, step=0.1)
        assert (flow.asked, flow.got) == ([2], [9])
        assert node.statuses("relay") == ["DONE"]


async def test_a_request_that_expired_undelivered_is_asked_anew_by_the_retry(store: Store, clock: VirtualClock) -> None:
    """Nobody saw it, so nothing is doubled; without that, no retry could ever succeed."""
    gate = Gate()

    async def impatient(flow: Flow, me: Me) -> None:
        flow.got.append((await me.request("asked", Item(2), timeout=1)).n)

    async def answer(me: Me, item: Item) -> Answer:
        flow.asked.append(item.n)
        if item.n == 1:
            await me.port.sleep(2)
        return Answer(9)

    flow = Flow(impatient, impatient, impatient)
    retry = RetryPolicy(attempts=3, initial=2, jitter=0)
    services = service("asked", answer, replies=Answer), service("relay", flow.relay, accepts=Bag, retry=retry)
    async with running(store, *services, clock=clock) as node:
        await node.send("asked", Item(1))
        await node.send("relay", Bag([]))
        await node.advance(5, step=0.1)
        assert (flow.asked, flow.got) == ([1, 2], [9])
        assert node.statuses("asked") == ["DONE", "EXPIRED", "DONE"]
    assert not gate.opened


async def test_the_recorded_failure_of_a_request_is_given_again(store: Store) -> None:
    errors: list[Exception] = []

    async def careful(flow: Flow, me: Me) -> None:
        try:
            await me.request("refuses", Item(1))
        except RequestFailed as error:
            errors.append(error)
            if len(errors) == 1:
                raise RuntimeError("once more") from error

    calls: list[int] = []

    async def refuse(me: Me, item: Item) -> Answer:
        calls.append(1)
        raise LookupError("never")

    flow = Flow(careful, careful)
    refusing = service("refuses", refuse, replies=Answer, retry=RetryPolicy(attempts=1))
    async with running(store, *flow.services(), refusing) as node:
        await node.send("relay", Bag([]))
        await node.until(lambda: node.statuses("relay") == ["DONE"])
        assert (len(calls), len(errors)) == (1, 2)
        assert "never" in str(errors[1])


# Idempotency keys -------------------------------------------------------------------------------------------


async def test_the_same_idempotency_key_is_accepted_once(store: Store) -> None:
    seen = Seen()
    async with running(store, service("sink", seen.take), service("other", seen.take)) as node:
        first = await node.send("sink", Item(1), idempotency_key="order-7")
        again = await node.send("sink", Item(2), idempotency_key="order-7")
        other = await node.send("other", Item(3), idempotency_key="order-7")
        await node.until(lambda: sorted(seen) == [1, 3])
        assert (first.duplicate, again.duplicate, other.duplicate) == (False, True, False)
        assert again.id == first.id
        box = node.host("sink").mailbox
        await node.until(lambda: (box.depth.count, box.active) == (0, 0))


async def test_the_same_idempotency_key_is_accepted_once_by_two_senders_at_the_same_moment(store: Store) -> None:
    seen = Seen()
    async with running(store, service("sink", seen.take)) as node:
        receipts = await node.send_all("sink", [Item(n) for n in range(5)], idempotency_key="x")
        assert [receipt.duplicate for receipt in receipts] == [False, True, True, True, True]
        assert len({receipt.id for receipt in receipts}) == 1
        await node.until(lambda: node.statuses("sink") == ["DONE"])
        assert seen == [0]


async def test_the_same_idempotency_key_from_deliveries_is_accepted_once(store: Store) -> None:
    seen = Seen()

    async def relay(me: Me, item: Item) -> None:
        await me.send("sink", item, idempotency_key="once")

    async with running(store, service("sink", seen.take), service("relay", relay)) as node:
        await node.send_all("relay", [Item(1), Item(2)])
        await node.until(lambda: node.statuses("relay") == ["DONE", "DONE"])
        await node.idle()
        assert (seen, node.bodies("sink")) == ([1], [1])


async def test_an_idempotency_key_is_remembered_over_the_end_of_the_node(durable: Store) -> None:
    seen = Seen()
    for n in range(2):
        async with running(durable, service("sink", seen.take)) as node:
            receipt = await node.send("sink", Item(n), idempotency_key="order-7")
            assert receipt.duplicate == (n == 1)
            await node.until(lambda: node.records("sink", Status.DONE))
    assert seen == [0]


async def test_a_timeout_inside_a_delivery_is_its_failure(store: Store, clock: VirtualClock) -> None:
    caught: list[Exception] = []

    async def impatient(flow: Flow, me: Me) -> None:
        try:
            await me.request("asked", Item(2), timeout=1)
        except RequestTimeout as error:
            caught.append(error)

    async def never(me: Me, item: Item) -> Answer:
        await me.port.sleep(60)
        return Answer(0)

    flow = Flow(impatient)
    services = service("asked", never, replies=Answer), service("relay", flow.relay, accepts=Bag)
    async with running(store, *services, clock=clock) as node:
        await node.send("relay", Bag([]))
        await node.advance(1.5)
        assert len(caught) == 1
        assert node.statuses("relay") == ["DONE"]
