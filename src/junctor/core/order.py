"""Order within a service: which messages may run now. Pure bookkeeping over numbered items.

A lane is a key with something running, retried or waiting. Its first item runs alone; the others wait behind it. Items
of different lanes pass each other. A lane whose head is being retried is *blocked*; to keep memory flat, only a few
items wait behind a blocked head in memory, and the rest is *skipped*: it stays in the store, or goes back there, and is
fetched by key when the lane has run empty.

While anything of a lane is skipped, everything new of it is: so the store has the younger items, memory the older ones.
"""

from __future__ import annotations

import enum
from collections import deque
from typing import Generic, Protocol, TypeVar


class Numbered(Protocol):
    """What the lanes look at. ``special`` items carry a history that the store does not have: they stay in memory."""

    seq: int
    special: bool


T = TypeVar("T", bound=Numbered)

KEPT_BEHIND_BLOCKED = 16


class Place(enum.Enum):
    """Where an item went: it RUNS now, WAITS behind another one of its key, or goes BACK to the store."""

    RUNS = 0
    WAITS = 1
    BACK = 2


RUNS, WAITS, BACK = Place


class Lane(Generic[T]):
    """One key. ``busy``: one of it runs, is retried or held. ``coming``: admitted to memory and on their way there.
    ``skipped``: in the store. ``filling``: they are being fetched."""

    __slots__ = ("blocked", "busy", "coming", "filling", "skipped", "waiting")

    def __init__(self) -> None:
        self.waiting: deque[T] = deque()
        self.busy = False
        self.blocked = False
        self.filling = False
        self.coming = 0
        self.skipped = 0


class Lanes(Generic[T]):
    """All lanes of one service.

    :param kept: how many items may wait behind a blocked head in memory.
    """

    def __init__(self, kept: int = KEPT_BEHIND_BLOCKED) -> None:
        self._lanes: dict[str, Lane[T]] = {}
        self._kept = kept

    # To memory ----------------------------------------------------------------------------------------------

    def admit(self, key: str) -> bool:
        """Whether a new item of this key may come to memory; then it will :meth:`arrive`. False: it is skipped."""
        lane = self._lanes.get(key)
        if lane is None:
            lane = self._lanes[key] = Lane()
        elif self._is_full(lane):
            lane.skipped += 1
            return False
        lane.coming += 1
        return True

    def withdraw(self, key: str, admitted: bool) -> None:
        """An item was not accepted after all."""
        lane = self._lanes[key]
        if admitted:
            lane.coming -= 1
        else:
            lane.skipped -= 1
        self._forget(key, lane)

    def is_next(self, key: str) -> bool:
        """Whether the item that was admitted last is the only one on its way, and would find room."""
        lane = self._lanes[key]
        return lane.coming == 1 and not self._is_full(lane)

    def arrive(self, key: str, item: T) -> Place:
        """An admitted item is there. What has changed since may send it back to the store."""
        lane = self._lanes[key]
        lane.coming -= 1
        if self._is_full(lane):
            lane.skipped += 1
            return BACK
        return self._join(lane, item)

    def join(self, key: str, item: T) -> Place:
        """An item that is in memory anyway takes its place: tried again, come due, or left by an earlier run."""
        lane = self._lanes.get(key)
        if lane is None:
            lane = self._lanes[key] = Lane()
        return self._join(lane, item)

    def _join(self, lane: Lane[T], item: T) -> Place:
        if lane.busy:
            lane.waiting.append(item)
            return WAITS
        lane.busy = True
        return RUNS

    def _is_full(self, lane: Lane[T]) -> bool:
        return lane.skipped > 0 or (lane.blocked and len(lane.waiting) + lane.coming >= self._kept)

    def crowded(self, key: str) -> bool:
        """Whether no more of this key should come to memory now."""
        lane = self._lanes.get(key)
        return lane is not None and self._is_full(lane)

    # The head -----------------------------------------------------------------------------------------------

    def block(self, key: str) -> list[T]:
        """The head will be retried. The items that are too many behind it: they are skipped now and go to the store."""
        lane = self._lanes[key]
        lane.blocked = True
        surplus: deque[T] = deque()
        while len(lane.waiting) > self._kept and not lane.waiting[-1].special:
            surplus.appendleft(lane.waiting.pop())
        lane.skipped += len(surplus)
        return list(surplus)

    def unblock(self, key: str) -> None:
        """The head is about to run again."""
        self._lanes[key].blocked = False

    def is_blocked(self, key: str) -> bool:
        lane = self._lanes.get(key)
        return lane is not None and lane.blocked

    def behind(self, key: str) -> int:
        """How many items wait behind the head in memory."""
        return len(self._lanes[key].waiting)

    def leave(self, key: str) -> T | None:
        """The head is settled: the next item that may run now, if one is in memory."""
        lane = self._lanes[key]
        lane.blocked = False
        if lane.waiting:
            return lane.waiting.popleft()
        lane.busy = False
        self._forget(key, lane)
        return None

    # From the store -----------------------------------------------------------------------------------------

    def fetches(self, key: str) -> bool:
        """Whether to fetch now what was skipped: nothing older is in memory or on its way. Then :meth:`refilled`."""
        lane = self._lanes.get(key)
        if lane is None or not lane.skipped or lane.busy or lane.waiting or lane.coming or lane.filling:
            return False
        lane.filling = True
        return True

    def refilled(self, key: str, items: list[T], *, certain: bool = True) -> T | None:
        """What the store had, oldest first: the first of it runs now.

        :param certain: nothing is on its way to the store, so nothing found means that nothing is skipped any more.
        """
        lane = self._lanes[key]
        lane.filling = False
        lane.skipped = max(0, lane.skipped - len(items)) if items or not certain else 0
        lane.waiting.extend(items)
        if lane.busy or not lane.waiting:
            self._forget(key, lane)
            return None
        lane.busy = True
        return lane.waiting.popleft()

    def behind_heads(self) -> list[T]:
        """Everything that waits in memory behind a head, oldest first within its lane."""
        return [item for lane in self._lanes.values() for item in lane.waiting]

    def _forget(self, key: str, lane: Lane[T]) -> None:
        if not (lane.busy or lane.coming or lane.skipped or lane.filling or lane.waiting):
            del self._lanes[key]

    def __len__(self) -> int:
        return len(self._lanes)
