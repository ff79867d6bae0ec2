"""Watches the event loop from outside: code that blocks it is found while it blocks, and named."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
import time
from collections.abc import Callable
from types import CodeType, FrameType

from junctor.observe.frames import stack_text
from junctor.runtime.debugger import Standstills

log = logging.getLogger("junctor.watchdog")

_BEAT = 0.25


class Watchdog:
    """``lag`` is the longest delay of the loop in the last beats, in seconds.

    :param name_of: from a code object to the name of the handler it belongs to.
    :param standstills: kept up to date here; code at a breakpoint does not block.
    :param limit: seconds without a turn of the loop before the blocker is named.
    """

    def __init__(self, name_of: Callable[[CodeType], str | None], standstills: Standstills, limit: float = 1.0) -> None:
        self.lag = 0.0
        self.blocked_by = ""
        self._name_of = name_of
        self._standstills = standstills
        self._limit = limit
        self._beat = time.monotonic()
        self._stop = threading.Event()
        self._loop_thread = 0
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        self._loop_thread = threading.get_ident()
        self._beat = time.monotonic()
        self._tick(asyncio.get_running_loop(), self._beat)
        threading.Thread(target=self._watch, name="junctor watchdog", daemon=True).start()

    def stop(self) -> None:
        self._stop.set()
        if self._timer is not None:
            self._timer.cancel()

    def _tick(self, loop: asyncio.AbstractEventLoop, expected: float) -> None:
        now = time.monotonic()
        late = max(0.0, now - expected)
        self.lag = max(late, self.lag * 0.5)
        self._beat = now
        self._timer = loop.call_later(_BEAT, self._tick, loop, now + _BEAT)

    def _watch(self) -> None:
        reported = 0.0
        while not self._stop.wait(_BEAT):
            if self._standstills.look():
                self._beat = time.monotonic()
                reported = 0.0
                continue
            silent = time.monotonic() - self._beat - _BEAT
            if silent < self._limit:
                if reported:
                    log.warning("the event loop runs again after %.1f s", reported)
                reported = 0.0
            elif silent >= 2 * reported:
                reported = silent
                self._report(silent)

    def _report(self, silent: float) -> None:
        frame = sys._current_frames().get(self._loop_thread)
        name = self._blocker(frame)
        self.blocked_by = name or "code outside a handler"
        log.error(
            "the event loop is blocked for %.1f s by %s. Make the handler a plain def (it then runs in a thread), or "
            "await instead of blocking\n%s",
            silent,
            self.blocked_by,
            stack_text(frame),
        )

    def _blocker(self, frame: FrameType | None) -> str | None:
        while frame is not None:
            name = self._name_of(frame.f_code)
            if name is not None:
                return name
            frame = frame.f_back
        return None
