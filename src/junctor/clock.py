"""Time for everything that waits or stamps: the real clock, and a virtual one for tests.

Nothing above this module reads the time or sets a timer by itself; a test that owns the clock owns the order of events.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

__all__ = (
    "Clock",
    "RealClock",
    "SECOND",
    "Timer",
    "VirtualClock",
    "parse_duration",
)


SECOND = 1_000_000_000


class Timer(Protocol):
    """A pending call; ``cancel`` is idempotent."""

    def cancel(self) -> None: ...


class Clock(Protocol):
    """Wall time in nanoseconds since 1970 (UTC), monotonic time in seconds, and timers on the running loop."""

    def time_ns(self) -> int: ...

    def monotonic(self) -> float: ...

    def call_later(self, delay: float, call: Callable[[], object]) -> Timer: ...


class RealClock:
    """The clock of the machine. Timers run on the event loop that is current when they are set."""

    def __init__(self) -> None:
        # Bound once: an attribute of the instance is one lookup cheaper on the hot path than a method.
        self.time_ns = time.time_ns
        self.monotonic = time.monotonic

    def call_later(self, delay: float, call: Callable[[], object]) -> Timer:
        return asyncio.get_running_loop().call_later(max(delay, 0.0), call)


class VirtualClock:
    """A clock that stands still until :meth:`advance`; timers fire in order of their due time, then of their making."""

    def __init__(self, start: datetime | None = None) -> None:
        begin = start or datetime(2030, 1, 1, tzinfo=UTC)
        self._now = int(begin.timestamp()) * SECOND
        self._elapsed = 0
        self._heap: list[tuple[int, int, _VirtualTimer]] = []
        self._order = itertools.count()

    def time_ns(self) -> int:
        return self._now

    def monotonic(self) -> float:
        return self._elapsed / SECOND

    def call_later(self, delay: float, call: Callable[[], object]) -> Timer:
        timer = _VirtualTimer(call)
        heapq.heappush(self._heap, (self._elapsed + int(max(delay, 0.0) * SECOND), next(self._order), timer))
        return timer

    async def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass: each due timer fires at its own instant, and the loop settles between two of them."""
        end = self._elapsed + int(seconds * SECOND)
        await _settle()
        while self._heap and self._heap[0][0] <= end:
            due, _, timer = heapq.heappop(self._heap)
            self._move_to(due)
            timer.fire()
            await _settle()
        self._move_to(end)

    def _move_to(self, elapsed: int) -> None:
        self._now += elapsed - self._elapsed
        self._elapsed = elapsed


class _VirtualTimer:
    def __init__(self, call: Callable[[], object]) -> None:
        self._call: Callable[[], object] | None = call

    def fire(self) -> None:
        call, self._call = self._call, None
        if call is not None:
            call()

    def cancel(self) -> None:
        self._call = None


async def _settle() -> None:
    # Ready callbacks may make others ready: a fixed number of turns covers the chains of a delivery without a clock.
    for _ in range(20):
        await asyncio.sleep(0)


def parse_duration(text: str | float) -> float:
    """Seconds from ``"200ms"``, ``"2s"``, ``"5m"``, ``"1h"``, ``"1d"``, ``"1h30m"`` or a number of seconds.

    :raises ValueError: the text is not a duration; the message shows valid ones.
    """
    if isinstance(text, (int, float)) and not isinstance(text, bool):
        seconds = float(text)
    else:
        seconds = _parse_text(str(text).strip())
    if not 0 <= seconds < 10**10:
        raise ValueError(f"{text!r} is not a duration: it must be between 0 and 300 years")
    return seconds


_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def _parse_text(text: str) -> float:
    import re

    parts = re.findall(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)", text)
    if parts and "".join(number + unit for number, unit in parts) == text:
        return sum(float(number) * _UNITS[unit] for number, unit in parts)
    try:
        return float(text)
    except ValueError:
        raise ValueError(f'{text!r} is not a duration: write for example "200ms", "2s", "5m", "1h30m"') from None
