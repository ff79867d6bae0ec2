"""Closed-loop load: the same driver, on the same loop, for both sides of a job."""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from time import perf_counter
from typing import Any, TypeVar

T = TypeVar("T")
LOOP_VARIABLE = "JUNCTOR_BENCH_LOOP"


@dataclass(frozen=True, slots=True)
class Load:
    """How a side is driven; comes as JSON from the harness."""

    callers: int
    seconds: float
    chunk: int = 20  # calls between two looks at the clock, to keep the clock out of the figure

    @property
    def warm_up(self) -> Load:
        return Load(self.callers, min(0.3, self.seconds / 2), self.chunk)


def loop_name() -> str:
    """The loop both sides run on: uvloop when it can be imported, unless the caller chose another."""
    wanted = os.environ.get(LOOP_VARIABLE, "")
    if wanted:
        return wanted
    try:
        import uvloop  # noqa: F401
    except ImportError:
        return "asyncio"
    return "uvloop"


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run a side on the pinned loop."""
    factory = None
    if loop_name() == "uvloop":
        import uvloop

        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(main)


async def closed_loop(call: Callable[[], Awaitable[object]], load: Load) -> tuple[int, float]:
    """Keep ``load.callers`` calls outstanding; return calls made and the seconds from first call to last answer."""
    gc.collect()
    begin = perf_counter()
    end = begin + load.seconds
    chunk = range(load.chunk)

    async def caller() -> int:
        calls = 0
        while perf_counter() < end:
            for _ in chunk:
                await call()
            calls += load.chunk
        return calls

    calls = await asyncio.gather(*(caller() for _ in range(load.callers)))
    return sum(calls), perf_counter() - begin


async def rate(call: Callable[[], Awaitable[object]], load: Load) -> float:
    """Calls a second, after a warm-up."""
    await closed_loop(call, load.warm_up)
    calls, seconds = await closed_loop(call, load)
    return calls / seconds
