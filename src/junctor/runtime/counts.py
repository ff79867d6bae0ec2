"""What a service counts of its own, by words of its own: lines read, bytes sent."""

from __future__ import annotations

import threading

MOST = 100
"""Words that one service counts by; what comes under more is added up as ``other``. A word that was made of data would
fill the memory of the node, and of whoever reads its metrics."""

OTHER = "other"


class Counts:
    """Sums by word since the node started. Callable from any thread; who counts nothing has nothing of it."""

    __slots__ = ("_lock", "_sums")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sums: dict[str, int] = {}

    def add(self, what: str, amount: int = 1) -> None:
        """Add ``amount`` to the sum of ``what``."""
        with self._lock:
            sums = self._sums
            if what not in sums and len(sums) >= MOST:
                what = OTHER
            sums[what] = sums.get(what, 0) + amount

    def now(self) -> dict[str, int]:
        """A copy of the sums."""
        with self._lock:
            return dict(self._sums)

    def taken(self) -> dict[str, int]:
        """The sums, which begin anew."""
        with self._lock:
            sums, self._sums = self._sums, {}
        return sums
