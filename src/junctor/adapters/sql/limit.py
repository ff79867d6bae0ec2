"""An end to calls that wait for a database which does not answer."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable

LOOK = 5.0
"""Seconds between two looks at most."""


class Limit:
    """``with limit: cursor.execute(...)``: after ``seconds`` the call is cut off, from a thread beside it.

    A server that lives ends a statement by itself; this is for one that has vanished without a word, or for a
    database that is a file. The thread looks now and then, so a call costs no more than two assignments.

    :param cut: makes the call end with an error. It is called once for each call that takes too long.
    """

    def __init__(self, seconds: float, cut: Callable[[], None]) -> None:
        self.seconds = seconds
        self.exceeded = False
        self._cut = cut
        self._until = 0.0
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._one = threading.Lock()

    def __enter__(self) -> None:
        if self._thread is None:
            given = (weakref.ref(self), self._stop, min(LOOK, self.seconds / 4))
            self._thread = threading.Thread(target=_watch, args=given, name="sql limit", daemon=True)
            self._thread.start()
        self.exceeded = False
        self._until = time.monotonic() + self.seconds

    def __exit__(self, *_: object) -> None:
        with self._one:
            self._until = 0.0

    def close(self) -> None:
        """End the thread."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def look(self) -> None:
        """Cut the call off that takes too long."""
        with self._one:
            if self._until and time.monotonic() > self._until:
                self._until = 0.0
                self.exceeded = True
                self._cut()


def _watch(whose: weakref.ref[Limit], stop: threading.Event, pause: float) -> None:
    """Ends also when nobody has the limit any more."""
    while not stop.wait(pause):
        limit = whose()
        if limit is None:
            return
        limit.look()
        del limit
