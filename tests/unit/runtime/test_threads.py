"""Blocking handlers run in threads, one instance a slot; services with a loop of their own live in theirs."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import defaultdict

import pytest

from junctor.core.policy import RetryPolicy
from tests.unit.runtime.flowkit import Answer, Gate, Item, Me, Seen, Store, handles, running, service


async def test_blocking_handlers_leave_the_loop_free(store: Store) -> None:
    gate, turns = Gate(), 0

    def act(me: Me, item: Item) -> None:
        gate.wait_blocking()

    async with running(store, service("blocks", act)) as node:
        await node.send("blocks", Item(1))
        await node.until(lambda: gate.inside)
        for _ in range(50):
            await asyncio.sleep(0)
            turns += 1
        gate.open()
    assert turns == 50


async def test_with_a_pool_there_is_an_instance_and_a_thread_for_each_slot(store: Store) -> None:
    threads: dict[int, set[str]] = defaultdict(set)
    gate = Gate()

    def act(me: Me, item: Item) -> None:
        threads[me.slot].add(threading.current_thread().name)
        gate.wait_blocking()

    async with running(store, service("blocks", act, pool=3)) as node:
        await node.send_all("blocks", [Item(n) for n in range(9)])
        await node.until(lambda: gate.inside == 3)
        gate.open()
        await node.until(lambda: node.statuses("blocks") == ["DONE"] * 9)
    assert {slot: len(names) for slot, names in threads.items()} == {0: 1, 1: 1, 2: 1}


async def test_async_handlers_of_a_pool_share_one_instance(store: Store) -> None:
    instances: set[int] = set()

    async def act(me: Me, item: Item) -> None:
        instances.add(id(me))
        await asyncio.sleep(0.001)

    async with running(store, service("shares", act, pool=3)) as node:
        await node.send_all("shares", [Item(n) for n in range(9)])
        await node.until(lambda: node.statuses("shares") == ["DONE"] * 9)
    assert len(instances) == 1


async def test_a_burst_of_blocking_deliveries_keeps_order_and_stops_at_a_failing_head(store: Store) -> None:
    """Several go to the thread at once; one that fails must not be passed by those behind it."""
    begun, done = list[int](), Seen()

    def act(me: Me, item: Item) -> None:
        begun.append(item.n)
        if item.n == 5 and begun.count(5) < 3:
            raise ValueError("twice")
        done.append(item.n)

    spec = service("blocks", act, retry=RetryPolicy(attempts=5, initial=0.01, jitter=0))
    async with running(store, spec) as node:
        await node.send_all("blocks", [Item(n) for n in range(40)])
        await node.until(lambda: len(done) == 40)
        assert done == list(range(40))
        assert begun == [*range(6), 5, 5, *range(6, 40)]
        await node.until(lambda: node.statuses("blocks") == ["DONE"] * 40)


async def test_a_burst_of_blocking_deliveries_with_keys_runs_each_once(store: Store) -> None:
    begun: list[int] = []

    def act(me: Me, item: Item) -> None:
        begun.append(item.n)
        if item.n % 7 == 0 and begun.count(item.n) == 1:
            raise ValueError("once")

    spec = service("blocks", act, pool=3, key="key", retry=RetryPolicy(attempts=5, initial=0.005, jitter=0))
    async with running(store, spec) as node:
        await node.send_all("blocks", [Item(n, f"k{n % 5}") for n in range(200)])
        await node.until(lambda: node.statuses("blocks") == ["DONE"] * 200)
        assert sorted(begun) == sorted([*range(200), *range(0, 200, 7)])
        for key in range(5):
            first = list(dict.fromkeys(n for n in begun if n % 5 == key))
            assert first == sorted(first)


async def test_blocking_and_async_handlers_of_one_service_keep_its_line(store: Store) -> None:
    seen: list[int] = []

    def slow(me: Me, item: Item) -> None:
        time.sleep(0.002)
        seen.append(item.n)

    async def quick(me: Me, answer: Answer) -> None:
        seen.append(answer.n)

    async with running(store, service("both", handlers=[handles("a", slow), handles("b", quick, Answer)])) as node:
        pending = [node.send("both", Item(n) if n % 2 else Answer(n)) for n in range(30)]
        for one in pending:
            await one
        await node.until(lambda: len(seen) == 30)
    assert seen == list(range(30))


@pytest.mark.parametrize("loop", ["shared", "own"])
async def test_code_that_blocks_inside_async_stops_only_its_own_loop(store: Store, loop: str) -> None:
    gate, seen = Gate(), Seen()

    async def act(me: Me, item: Item) -> None:
        if loop == "own":
            gate.wait_blocking()

    async with running(store, service("own", act, loop=loop), service("sink", seen.take)) as node:
        await node.send("own", Item(1))
        await node.send("sink", Item(2))
        await node.until(lambda: seen == [2])
        gate.open()


async def test_blocking_calls_beside_the_queue_run_at_the_same_time(store: Store) -> None:
    from junctor.messages import Kind

    gate = Gate()
    async with running(store, service("door")) as node:
        host = node.host("door")
        calls = [asyncio.ensure_future(host.enter(Kind.ACTION, "wait", gate.wait_blocking, True)) for _ in range(5)]
        await node.until(lambda: gate.inside == 5)
        gate.open()
        await asyncio.gather(*calls)


async def test_threads_end_with_the_node(store: Store) -> None:
    before = set(threading.enumerate())

    def act(me: Me, item: Item) -> None:
        return None

    from junctor.messages import Kind

    async with running(store, service("blocks", act, pool=2), service("own", Seen().take, loop="own")) as node:
        await node.send_all("blocks", [Item(n) for n in range(4)])
        await node.host("blocks").enter(Kind.ACTION, "x", lambda: None, True)
        await node.until(lambda: node.statuses("blocks") == ["DONE"] * 4)
    await node.until(lambda: not [t for t in set(threading.enumerate()) - before if "asyncio" not in t.name])


async def test_a_thread_whose_call_outlives_the_node_ends_after_it(memory: Store) -> None:
    from junctor.messages import Kind

    before, gate = set(threading.enumerate()), Gate()
    async with running(memory, service("door"), grace=0.05) as node:
        call = asyncio.ensure_future(node.host("door").enter(Kind.ACTION, "wait", gate.wait_blocking, True))
        await node.until(lambda: gate.inside)
    gate.open()
    await call
    await node.until(lambda: not set(threading.enumerate()) - before)
