"""Stop is clean: inputs first, what runs may finish, the rest returns to the queue, and it always ends."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from junctor.clock import VirtualClock
from junctor.core.lifecycle import State
from junctor.core.policy import QueuePolicy, RetryPolicy
from junctor.errors import JunctorError, NotRunning
from junctor.messages import Status
from tests.unit.runtime.flowkit import PATIENCE, Answer, Bag, Gate, Item, Me, Seen, Store, running, service, start


async def test_what_runs_may_finish_and_nothing_new_begins(store: Store) -> None:
    begun, gate = list[int](), Gate()

    async def act(me: Me, item: Item) -> None:
        begun.append(item.n)
        await gate.wait()

    node = await start(store, service("slow", act))
    await node.send_all("slow", [Item(n) for n in range(3)])
    await node.until(lambda: gate.inside)
    stopping = asyncio.ensure_future(node.engine.stop(5))
    await asyncio.sleep(0.01)
    gate.open()
    await stopping
    assert begun == [0]
    if not store.durable:
        assert node.statuses("slow") == ["DONE", "READY", "READY"]


async def test_loop_and_schedules_end_before_the_handlers(store: Store) -> None:
    events: list[str] = []

    async def act(me: Me, item: Item) -> None:
        await asyncio.sleep(0.05)
        events.append("handled")

    async def main(me: Me) -> None:
        while not await me.port.sleep(0.001):
            pass
        events.append("loop ended")

    async def on_stop(me: Me) -> None:
        events.append("on_stop")

    async with running(store, service("slow", act, main=main, stop=on_stop)) as node:
        await node.send("slow", Item(1))
        await asyncio.sleep(0.01)
    assert events == ["loop ended", "handled", "on_stop"]


async def test_a_delivery_that_waits_for_a_reply_during_the_stop_gets_it(store: Store) -> None:
    gate, got = Gate(), list[int]()

    async def answer(me: Me, item: Item) -> Answer:
        await gate.wait()
        return Answer(item.n)

    async def relay(me: Me, bag: Bag) -> None:
        got.append((await me.request("answers", Item(1))).n)
        got.append((await me.request("answers", Item(2))).n)

    services = service("answers", answer, replies=Answer), service("relay", relay, accepts=Bag)
    node = await start(store, *services)
    await node.send("relay", Bag([]))
    await node.until(lambda: gate.inside)
    stopping = asyncio.ensure_future(node.engine.stop(5))
    await asyncio.sleep(0.01)
    gate.open()
    await stopping
    assert got == [1, 2], "also a request that begins during the stop"


async def test_what_a_last_delivery_sends_is_there_after_the_next_start(durable: Store) -> None:
    gate, seen = Gate(), Seen()

    async def relay(me: Me, bag: Bag) -> None:
        await me.send("sink", Item(1))
        await gate.wait()

    services = service("sink", seen.take), service("relay", relay, accepts=Bag)
    node = await start(durable, *services)
    await node.send("relay", Bag([]))
    await node.until(lambda: gate.inside)
    stopping = asyncio.ensure_future(node.engine.stop(5))
    await asyncio.sleep(0.01)
    gate.open()
    await stopping
    async with running(durable, *services) as node:
        await node.until(lambda: seen == [1])


@pytest.mark.parametrize("blocking", [False, True])
async def test_a_handler_that_does_not_end_is_named_and_its_message_is_delivered_after_the_next_start(
    durable: Store, blocking: bool, caplog: pytest.LogCaptureFixture
) -> None:
    gate, done = Gate(), list[int]()

    async def act(me: Me, item: Item) -> None:
        if item.n == 1 and not gate.opened:
            await gate.wait()
            return
        done.append(item.n)

    def act_blocking(me: Me, item: Item) -> None:
        if item.n == 1 and not gate.opened:
            gate.wait_blocking()
            return
        done.append(item.n)

    spec = service("stuck", act_blocking if blocking else act)
    node = await start(durable, spec)
    await node.send_all("stuck", [Item(n) for n in range(4)])
    await node.until(lambda: gate.inside)
    (message,) = [record.message for record in node.records("stuck") if record.message.body["n"] == 1]
    with caplog.at_level(logging.WARNING):
        async with asyncio.timeout(PATIENCE):
            await node.engine.stop(0.2)
    assert "flow/stuck.act" in caplog.text and message.id in caplog.text
    gate.open()
    async with running(durable, spec) as node:
        await node.until(lambda: done == [0, 1, 2, 3])
        await node.until(lambda: node.statuses("stuck") == ["DONE"] * 4)
        assert [record.attempt for record in node.records("stuck")] == [1, 1, 1, 1]


async def test_a_blocking_loop_that_does_not_listen_is_named(memory: Store, caplog: pytest.LogCaptureFixture) -> None:
    gate = Gate()

    def main(me: Me) -> None:
        gate.wait_blocking()

    with caplog.at_level(logging.WARNING):
        async with running(memory, service("deaf", main=main), grace=0.2):
            pass
    gate.open()
    assert "flow/deaf.loop does not stop" in caplog.text


async def test_an_on_stop_that_hangs_or_raises_does_not_keep_the_node(
    memory: Store, caplog: pytest.LogCaptureFixture
) -> None:
    gate = Gate()

    async def hangs(me: Me) -> None:
        await gate.wait()

    async def raises(me: Me) -> None:
        raise SystemExit(3)

    with caplog.at_level(logging.ERROR):
        async with running(memory, service("hangs", stop=hangs), service("raises", stop=raises), grace=0.1):
            pass
    assert "flow/hangs: on_stop" in caplog.text and "flow/raises: on_stop" in caplog.text


async def test_outside_callers_get_an_error_and_never_hang(store: Store) -> None:
    """A request that waits for its reply, a send that waits for room, and anything after the stop."""
    gate = Gate()

    async def act(me: Me, item: Item) -> Answer:
        await gate.wait()
        return Answer(1)

    spec = service("slow", act, replies=Answer, queue=QueuePolicy(limit=2, wait=60))
    node = await start(store, spec)
    waiting = [asyncio.ensure_future(result(node.request("slow", Item(n)))) for n in range(2)]
    await node.until(lambda: gate.inside)
    waiting.append(asyncio.ensure_future(result(node.send("slow", Item(3)))))
    await asyncio.sleep(0.01)
    await node.engine.stop(0.1)
    answers = await asyncio.wait_for(asyncio.gather(*waiting), 2)
    assert [type(answer) for answer in answers] == [NotRunning] * 3
    for call in (node.send, node.request):
        assert isinstance(await asyncio.wait_for(result(call("slow", Item(9))), 2), JunctorError)
    gate.open()


async def test_a_thread_that_asks_a_stopped_node_gets_an_error(store: Store) -> None:
    node = await start(store, service("sink", Seen().take))
    await node.engine.stop()

    def ask() -> object:
        try:
            return node.send("sink", Item(1)).result(2)
        except Exception as error:
            return error

    assert isinstance(await asyncio.to_thread(ask), JunctorError)


async def test_stop_twice_and_stop_of_a_node_that_never_started(store: Store) -> None:
    async with running(store, service("sink", Seen().take)) as node:
        await node.engine.stop()
    assert node.host("sink").lifecycle.state is State.STOPPED


async def test_held_and_retried_messages_are_there_after_the_next_start(durable: Store, clock: VirtualClock) -> None:
    failing, done = [True], list[int]()

    async def act(me: Me, item: Item) -> None:
        if failing:
            raise ConnectionError("away")
        done.append(item.n)

    on: dict[str, Any] = {"ConnectionError": "hold"}
    specs = (
        service("holds", act, retry=RetryPolicy(on=on)),
        service("retries", act, retry=RetryPolicy(attempts=50, initial=1, max=1)),
    )
    async with running(durable, *specs, clock=clock) as node:
        for name in ("holds", "retries"):
            await node.send_all(name, [Item(n) for n in range(3)])
        await node.advance(2)
    failing.clear()
    async with running(durable, *specs, clock=clock) as node:
        await node.advance(5)
        assert sorted(done) == [0, 0, 1, 1, 2, 2]
        assert node.bodies("holds", Status.DONE) == node.bodies("retries", Status.DONE) == [0, 1, 2]


async def result(pending: Any) -> Any:
    try:
        return await pending
    except JunctorError as error:
        return error
