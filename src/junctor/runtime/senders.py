"""Senders that wait for room in a full queue: one line, first come, first served, and given up together."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from functools import partial

from junctor.clock import Clock

TOGETHER = 0.25
"""Seconds at most by which senders give up early, when one who came a moment before them gives up. Else the messages of
one source would change places: the first finds no room, and the next one does because it may wait a moment longer."""


class Place:
    """One in line: woken by ``future``. Whose ``over`` is true gives up, also where there is room meanwhile."""

    __slots__ = ("deadline", "future", "over")

    def __init__(self, deadline: float) -> None:
        self.deadline = deadline
        self.over = False
        self.future: asyncio.Future[None] = asyncio.get_running_loop().create_future()


class Senders:
    """``waiting`` counts those in line and the one whose turn it is; who comes while somebody waits stands in line too.

    :param room: whether a message of so many bytes fits now.
    :param changed: called when somebody begins or ends to wait.
    """

    def __init__(self, clock: Clock, room: Callable[[int], bool], changed: Callable[[], object]) -> None:
        self.waiting = 0
        self._clock = clock
        self._room = room
        self._changed = changed
        self._line: deque[Place] = deque()
        self._called: Place | None = None

    async def wait(self, size: int, patience: float, refused: Callable[[bool], Exception | None]) -> None:
        """Return when there is room for the caller, who takes it at once.

        :param patience: seconds.
        :param refused: asked whenever there is no room, with True when the patience is at its end: the error to raise.
        """
        deadline = self._clock.monotonic() + patience
        self.waiting += 1
        self._changed()
        try:
            over = await self._stand(self._line.append, deadline)
            while over or not self._room(size):
                too_long = over or self._clock.monotonic() >= deadline
                error = refused(too_long)
                if error is not None:
                    if too_long:
                        self._give_up(deadline + min(TOGETHER, patience))
                    raise error
                over = await self._stand(self._line.appendleft, deadline)
        finally:
            self.waiting -= 1
            self._changed()
            self.call()

    async def _stand(self, enter: Callable[[Place], object], deadline: float) -> bool:
        """Whether to give up."""
        place = Place(deadline)
        enter(place)
        timer = self._clock.call_later(max(0.0, deadline - self._clock.monotonic()), partial(_wake, place))
        try:
            await place.future
        finally:
            timer.cancel()
            if place is self._called:
                self._called = None
            elif place in self._line:
                self._line.remove(place)
        return place.over

    def _give_up(self, until: float) -> None:
        """Let those who came a moment later go, too."""
        for place in self._line:
            if place.deadline <= until:
                place.over = True
                _wake(place)
        if self._called is not None and self._called.deadline <= until:
            self._called.over = True

    def call(self) -> None:
        """There may be room: the first in line looks. The next one only after it, or they would overtake each other."""
        while self._line and self._called is None and self._room(0):
            place = self._line.popleft()
            if not place.future.done():  # else its patience has just ended
                self._called = place
                place.future.set_result(None)

    def dismiss(self) -> None:
        """Let all of them look again: there will be no room any more, and they are refused."""
        for place in self._line:
            _wake(place)


def _wake(place: Place) -> None:
    if not place.future.done():
        place.future.set_result(None)
