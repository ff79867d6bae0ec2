"""Time for everything that waits or stamps: the real clock, and a virtual one for tests.

Nothing above this module reads the time or sets a timer by itself; a test that owns the clock owns the order of events.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import os
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Protocol
from zoneinfo import ZoneInfo

__all__ = (
    "Clock",
    "RealClock",
    "SECOND",
    "Timer",
    "VirtualClock",
    "machine_zone",
    "parse_duration",
)


SECOND = 1_000_000_000


class Timer(Protocol):
    """A pending call; ``cancel`` is idempotent."""

    def cancel(self) -> None: ...


class Clock(Protocol):
    """Wall time in nanoseconds since 1970 (UTC), monotonic time in seconds, and timers on the running loop.

    ``virtual``: time moves only when a test says so; nobody sets the wall clock, and no thread may wait for it by
    itself.
    """

    @property
    def virtual(self) -> bool: ...

    def time_ns(self) -> int: ...

    def monotonic(self) -> float: ...

    def call_later(self, delay: float, call: Callable[[], object]) -> Timer: ...

    def look_after(self, period: float, late: Callable[[], object], due: Callable[[], int]) -> Timer:
        """Call ``late`` again and again, for what is too many or too short-lived to have timers of its own.

        :param period: seconds between two calls on a real clock.
        :param due: when the next call has something to do, nanoseconds since 1970, 0 for not yet: a virtual clock
            calls exactly then.
        """
        ...


class RealClock:
    """The clock of the machine. Timers run on the event loop that is current when they are set."""

    virtual = False

    def __init__(self) -> None:
        # Bound once: an attribute of the instance is one lookup cheaper on the hot path than a method.
        self.time_ns = time.time_ns
        self.monotonic = time.monotonic

    def call_later(self, delay: float, call: Callable[[], object]) -> Timer:
        return asyncio.get_running_loop().call_later(max(delay, 0.0), call)

    def look_after(self, period: float, late: Callable[[], object], due: Callable[[], int]) -> Timer:
        return _Round(self, period, late)


class _Round:
    """Calls again and again until cancelled."""

    def __init__(self, clock: Clock, period: float, late: Callable[[], object]) -> None:
        self._clock = clock
        self._period = period
        self._late = late
        self._timer = clock.call_later(period, self._call)

    def _call(self) -> None:
        self._timer = self._clock.call_later(self._period, self._call)
        self._late()

    def cancel(self) -> None:
        self._timer.cancel()


class VirtualClock:
    """A clock that stands still until :meth:`advance`; timers fire in order of their due time, then of their making.

    Its grain is a microsecond: a timer with any delay at all fires later than now, never at the same instant.

    :param start: what it shows first; the beginning of 2030 (UTC) by default. Without a time zone it is UTC.
    """

    virtual = True

    def __init__(self, start: datetime | None = None) -> None:
        begin = start or datetime(2030, 1, 1, tzinfo=UTC)
        begin = begin if begin.tzinfo is not None else begin.replace(tzinfo=UTC)
        self._begin = (begin - _EPOCH) // _MICROSECOND * 1000
        self._elapsed = 0
        self._heap: list[tuple[int, int, _VirtualTimer]] = []
        self._order = itertools.count()
        self._looks: list[_Look] = []

    def time_ns(self) -> int:
        return self._begin + self._elapsed

    def monotonic(self) -> float:
        return self._elapsed / SECOND

    @property
    def now(self) -> datetime:
        """What it shows (UTC)."""
        return instant(self.time_ns())

    def call_later(self, delay: float, call: Callable[[], object]) -> Timer:
        timer = _VirtualTimer(call)
        heapq.heappush(self._heap, (self._elapsed + _grains(delay), next(self._order), timer))
        return timer

    def look_after(self, period: float, late: Callable[[], object], due: Callable[[], int]) -> Timer:
        look = _Look(self._looks, late, due)
        self._looks.append(look)
        return look

    @property
    def next_due(self) -> int:
        """When the next timer fires, nanoseconds since 1970; 0 when there is none."""
        while self._heap and self._heap[0][2].cancelled:
            heapq.heappop(self._heap)
        found = [due for look in self._looks if (due := look.next())]
        if self._heap:
            found.append(self._begin + self._heap[0][0])
        return max(min(found), self.time_ns()) if found else 0

    def step(self, end: int) -> bool:
        """Go to the next due time and fire what is first there; False when nothing is due up to ``end``, which stays
        as far as time may go (nanoseconds since 1970)."""
        due = self.next_due
        if not due or due > end:
            return False
        self._elapsed = due - self._begin
        for look in self._looks:
            if 0 < look.next() <= due:
                look.call()
                return True
        heapq.heappop(self._heap)[2].fire()
        return True

    def go_to(self, end: int) -> None:
        """Show this time; what is due before stays to be fired. Never backwards."""
        self._elapsed = max(self._elapsed, end - self._begin)

    async def advance(self, seconds: float, settle: Callable[[], Awaitable[object]] | None = None) -> None:
        """Let ``seconds`` pass: each due timer fires at its own instant, and the loop settles between two of them.

        :param settle: returns when everything has run that can; some turns of the loop by default.
        """
        settled = settle or _settle
        end = self.time_ns() + _grains(seconds)
        await settled()
        while self.step(end):
            await settled()
        self.go_to(end)


def machine_zone() -> tzinfo | None:
    """The time zone of the machine, with its summer and winter time; None where neither ``TZ`` nor the system names
    one that is known here."""
    try:
        if "TZ" in os.environ:
            return ZoneInfo(os.environ["TZ"].removeprefix(":") or "UTC")
        with open("/etc/localtime", "rb") as file:
            return ZoneInfo.from_file(file)
    except (OSError, ValueError, LookupError):
        return None


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def instant(time: int) -> datetime:
    """The date of a time in nanoseconds since 1970, in UTC and whole microseconds."""
    return _EPOCH + time // 1000 * _MICROSECOND


def _grains(seconds: float) -> int:
    """Nanoseconds, in whole microseconds; any delay at all is at least one."""
    return max(round(seconds * 1_000_000), 1) * 1000 if seconds > 0 else 0


class _Look:
    def __init__(self, looks: list[_Look], late: Callable[[], object], due: Callable[[], int]) -> None:
        self._looks = looks
        self._late = late
        self._due = due
        self._left = 0

    def next(self) -> int:
        due = self._due()
        return due if due != self._left else 0

    def call(self) -> None:
        due = self._due()
        self._late()
        # What it leaves as it is, it will not do now: time must not stand still for it.
        self._left = due if self._due() == due else 0

    def cancel(self) -> None:
        if self in self._looks:
            self._looks.remove(self)


class _VirtualTimer:
    def __init__(self, call: Callable[[], object]) -> None:
        self._call: Callable[[], object] | None = call

    def fire(self) -> None:
        call, self._call = self._call, None
        if call is not None:
            call()

    def cancel(self) -> None:
        self._call = None

    @property
    def cancelled(self) -> bool:
        return self._call is None


async def _settle() -> None:
    # Ready callbacks may make others ready: a fixed number of turns covers the chains of a delivery without a clock.
    for _ in range(20):
        await asyncio.sleep(0)


LONGEST = 10**10
"""Seconds from which on a time is none: some 300 years, beyond which nanoseconds do not fit 64 bits."""


def parse_duration(text: str | float) -> float:
    """Seconds from ``"200ms"``, ``"2s"``, ``"5m"``, ``"1h"``, ``"1d"``, ``"1h30m"`` or a number of seconds.

    :raises ValueError: the text is not a duration; the message shows valid ones.
    """
    if isinstance(text, (int, float)) and not isinstance(text, bool):
        seconds = float(text)
    else:
        seconds = _parse_text(str(text).strip())
    if not 0 <= seconds < LONGEST:
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
