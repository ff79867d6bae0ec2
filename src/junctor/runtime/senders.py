"""Senders that wait for room in a full queue: one line, first come, first served."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from functools import partial

from junctor.clock import Clock

Place = asyncio.Future[None]


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
            await self._stand(self._line.append, deadline)
            while not self._room(size):
                error = refused(self._clock.monotonic() >= deadline)
                if error is not None:
                    raise error
                await self._stand(self._line.appendleft, deadline)
        finally:
            self.waiting -= 1
            self._changed()
            self.call()

    async def _stand(self, enter: Callable[[Place], object], deadline: float) -> None:
        place: Place = asyncio.get_running_loop().create_future()
        enter(place)
        timer = self._clock.call_later(max(0.0, deadline - self._clock.monotonic()), partial(_wake, place))
        try:
            await place
        finally:
            timer.cancel()
            if place is self._called:
                self._called = None
            elif place in self._line:
                self._line.remove(place)

    def call(self) -> None:
        """There may be room: the first in line looks. The next one only after it, or they would overtake each other."""
        while self._line and self._called is None and self._room(0):
            place = self._line.popleft()
            if not place.done():  # else its patience has just ended
                self._called = place
                place.set_result(None)

    def dismiss(self) -> None:
        """Let all of them look again: there will be no room any more, and they are refused."""
        for place in self._line:
            _wake(place)


def _wake(place: Place) -> None:
    if not place.done():
        place.set_result(None)
