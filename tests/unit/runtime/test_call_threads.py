"""Threads for calls beside the queue: quick ones share one, and none waits for long behind one that blocks."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from junctor.runtime.threads import PROBATION, QUICK, CallThreads

NOBODY: tuple[Any, ...] = ()


def where() -> str:
    return threading.current_thread().name


@pytest.fixture
async def threads() -> AsyncIterator[CallThreads]:
    made = CallThreads("lab")
    yield made
    made.close()


async def proved(threads: CallThreads) -> None:
    """Calls one after the other until they share a thread; on a busy machine some take long, and it begins anew."""
    async with asyncio.timeout(60):
        while not threads._shares:
            await threads.share(where, NOBODY, None)


async def test_calls_at_once_have_threads_of_their_own_at_first(threads: CallThreads) -> None:
    together = threading.Barrier(8)
    async with asyncio.timeout(60):
        await asyncio.gather(*(threads.share(together.wait, (), None) for _ in range(8)))


async def test_quick_ones_share_a_thread(threads: CallThreads) -> None:
    await proved(threads)
    names = await asyncio.gather(*(threads.share(where, NOBODY, None) for _ in range(200)))
    assert len(set(names)) < 50  # on a busy machine the one may be held up, and others help


async def test_what_lies_behind_a_call_that_waits_goes_on(threads: CallThreads) -> None:
    await proved(threads)
    gate = threading.Event()
    waits = threads.share(gate.wait, (), None)
    async with asyncio.timeout(60):
        names = await asyncio.gather(*(threads.share(where, NOBODY, None) for _ in range(10)))
    assert len(names) == 10 and not waits.done()
    gate.set()
    assert await waits


async def test_a_call_may_wait_for_one_behind_it(threads: CallThreads) -> None:
    for _ in range(3):
        threads._shares = True
        gate = threading.Event()
        async with asyncio.timeout(60):
            waited, _ = await asyncio.gather(threads.share(gate.wait, (), None), threads.share(gate.set, (), None))
        assert waited


async def test_each_time_that_one_waits_they_are_apart_for_longer(threads: CallThreads) -> None:
    apart = [threads._probation]
    for _ in range(3):
        await proved(threads)
        gate = threading.Event()
        waits = threads.share(gate.wait, (), None)
        async with asyncio.timeout(60):
            while threads._probation == apart[-1]:
                await threads.share(where, NOBODY, None)
        gate.set()
        assert await waits
        apart.append(threads._probation)
    assert apart == [PROBATION, PROBATION * 10, PROBATION * 100, PROBATION * 1000]


async def test_slow_ones_never_share(threads: CallThreads) -> None:
    for _ in range(PROBATION * 2):
        await threads.share(time.sleep, (QUICK * 1.5,), None)
        assert not threads._shares


async def test_nothing_is_put_behind_a_call_that_is_to_be_alone(threads: CallThreads) -> None:
    await proved(threads)
    await threads.share(where, NOBODY, None)
    gate = threading.Event()
    stays = threads.call(gate.wait, (), None)
    alone = threads.busy
    names = await asyncio.gather(*(threads.share(where, NOBODY, None) for _ in range(50)))
    assert not {thread.name for thread in alone} & set(names) and not stays.done()
    gate.set()
    assert await stays


async def test_errors_come_to_their_callers_in_order(threads: CallThreads) -> None:
    await proved(threads)
    texts = ["1", "x", "3", "y"]
    results = await asyncio.gather(*(threads.share(int, (text,), None) for text in texts), return_exceptions=True)
    assert [type(result) for result in results] == [int, ValueError, int, ValueError]


async def test_closed_they_end_also_what_was_shared() -> None:
    threads = CallThreads("lab")
    await proved(threads)
    gate = threading.Event()
    first, *others = (threads.share(one, (), None) for one in (gate.wait, where, where))
    running = threads.busy
    threads.close()
    async with asyncio.timeout(60):
        await asyncio.gather(*others)
    gate.set()
    assert await first
    for thread in running:
        thread.join(60)
        assert not thread.is_alive()


async def test_closed_while_one_waits_no_thread_is_left() -> None:
    before = set(threading.enumerate())
    threads = CallThreads("lab")
    await proved(threads)
    gate = threading.Event()
    calls = [threads.share(one, (), None) for one in (gate.wait, where, where)]
    threads.close()
    async with asyncio.timeout(60):
        await asyncio.gather(*calls[1:])
        gate.set()
        await calls[0]
    for thread in set(threading.enumerate()) - before:
        await asyncio.to_thread(thread.join, 10)
        assert not thread.is_alive() or not thread.name.startswith("lab"), thread
