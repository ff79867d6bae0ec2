"""How code of an instance that has been stopped hears of it, and sends no more."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Generator
from typing import Any

FIRST_WAIT, LONGEST_WAIT = 0.05, 5.0
"""Seconds that a call of a ``Start`` which was cancelled waits before it fails: one that catches everything and goes on
keeps no processor busy."""


class Ending:
    """The end of one instance: ``start`` is its ``Start`` once that was cancelled, ``over`` is set once another
    instance has taken its place."""

    def __init__(self) -> None:
        self.start: asyncio.Task[Any] | None = None
        self.over = False
        self._told = False
        self._calls = 0

    @property
    def is_here(self) -> bool:
        """Whether the code that calls is the ``Start`` that was cancelled."""
        if self.start is None or asyncio._get_running_loop() is None:
            return False
        return asyncio.current_task() is self.start

    def reach(self) -> None:
        """Cancel a ``Start`` that blocks its loop, from inside: no cancellation can come to it otherwise.

        :raises CancelledError: the code that calls is such a one.
        """
        task = self.start
        if task is None or not self.is_here or task.cancelling():
            return
        if self._calls:
            time.sleep(self._next_wait())  # it has caught this before; the loop is blocked anyway
        self._calls += 1
        raise asyncio.CancelledError

    def refuse(self) -> Refused:
        """What a ``Start`` awaits that was cancelled and submits."""
        wait = self._next_wait()
        self._calls += 1
        return Refused(wait)

    def first(self) -> bool:
        """Whether this is the first time that something is left out; it is told once."""
        told, self._told = self._told, True
        return not told

    def _next_wait(self) -> float:
        return float(min(FIRST_WAIT * 2.0 ** min(self._calls, 20), LONGEST_WAIT))


class Refused:
    """The end of a call that waits for a while, then is cancelled."""

    def __init__(self, wait: float) -> None:
        self._wait = wait

    def __await__(self) -> Generator[Any, Any, None]:
        yield from asyncio.sleep(self._wait).__await__()
        raise asyncio.CancelledError


class LeftOut:
    """What was left out, for code that awaits it."""

    def __await__(self) -> Generator[Any, Any, None]:
        return
        yield
