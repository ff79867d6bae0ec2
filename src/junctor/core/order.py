"""Order within a service: which messages may run now. Pure bookkeeping over opaque items.

A lane is a key with something running, retried or waiting. Its first item runs alone; the others wait behind it. Items of
different lanes pass each other. A lane whose head is being retried is *blocked*; to keep memory flat, only a few items
wait behind a blocked head in memory, and the rest is *skipped*: it stays in the store and is fetched by key later.
"""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")

KEPT_BEHIND_BLOCKED = 16


class Lane(Generic[T]):
    """One key. ``skipped`` counts items left in the store behind it; ``last`` is the seq of the last one kept."""

    __slots__ = ("blocked", "last", "skipped", "waiting")

    def __init__(self) -> None:
        self.waiting: deque[T] = deque()
        self.blocked = False
        self.skipped = 0
        self.last = 0


class Lanes(Generic[T]):
    """All lanes of one service."""

    def __init__(self) -> None:
        self._lanes: dict[str, Lane[T]] = {}

    def keeps(self, key: str) -> bool:
        """Whether a new item of this key may be held in memory; False counts it as skipped."""
        lane = self._lanes.get(key)
        if lane is None or (not lane.skipped and not (lane.blocked and len(lane.waiting) >= KEPT_BEHIND_BLOCKED)):
            return True
        lane.skipped += 1
        return False

    def enter(self, key: str, item: T, seq: int) -> bool:
        """Put an item in line. True: it may run now; False: it waits behind another one of its key."""
        lane = self._lanes.get(key)
        if lane is None:
            lane = self._lanes[key] = Lane()
            lane.last = seq
            return True
        lane.waiting.append(item)
        lane.last = max(lane.last, seq)
        return False

    def block(self, key: str) -> int:
        """The head will be retried. The number of items that wait behind it in memory."""
        lane = self._lanes[key]
        lane.blocked = True
        return len(lane.waiting)

    def unblock(self, key: str) -> int:
        """The head is about to run again. The number of items behind it."""
        lane = self._lanes[key]
        lane.blocked = False
        return len(lane.waiting)

    def is_blocked(self, key: str) -> bool:
        lane = self._lanes.get(key)
        return lane is not None and lane.blocked

    def leave(self, key: str) -> T | None:
        """The head is settled: the next item that may run now, if one is in memory."""
        lane = self._lanes[key]
        lane.blocked = False
        if lane.waiting:
            return lane.waiting.popleft()
        if not lane.skipped:
            del self._lanes[key]
        return None

    def drained(self, key: str) -> Lane[T] | None:
        """The lane, when nothing of it is left in memory but more of it is in the store."""
        lane = self._lanes.get(key)
        return lane if lane is not None and lane.skipped and not lane.waiting and not lane.blocked else None

    def refilled(self, key: str, items: list[T], last: int) -> T | None:
        """Items fetched for a drained lane: the first of them runs now. Without any, the lane ends."""
        lane = self._lanes[key]
        lane.skipped = max(0, lane.skipped - len(items))
        if not items:
            del self._lanes[key]
            return None
        lane.last = last
        lane.waiting.extend(items[1:])
        return items[0]

    def __len__(self) -> int:
        return len(self._lanes)
