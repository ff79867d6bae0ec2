"""The deliveries that a worker has and has not begun."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from junctor.runtime.workers.protocol import Deliver


class Line:
    """First in, first out. Filled by the thread that reads, emptied by the one that handles.

    :param unstarted: called with what is taken back.
    """

    def __init__(self, unstarted: Callable[[Deliver], object]) -> None:
        self._waiting: deque[Deliver] = deque()
        self._changed = threading.Condition()
        self._unstarted = unstarted

    def put(self, frame: Deliver) -> None:
        with self._changed:
            self._waiting.append(frame)
            self._changed.notify()

    def take(self) -> Deliver:
        """The next one, when there is one."""
        with self._changed:
            while not self._waiting:
                self._changed.wait()
            return self._waiting.popleft()

    def take_now(self) -> Deliver | None:
        """The next one, None when there is none."""
        with self._changed:
            return self._waiting.popleft() if self._waiting else None

    def recall(self) -> None:
        """Give all back that has not begun."""
        with self._changed:
            waiting = list(self._waiting)
            self._waiting.clear()
        for frame in waiting:
            self._unstarted(frame)
