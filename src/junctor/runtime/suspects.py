"""Suspects: messages that were being handled when the node ended uncleanly. One of them may be the reason."""

from __future__ import annotations

import asyncio
from collections import Counter, deque

from junctor.core.hop import Hop


class Turn:
    """Lets suspects run one at a time in the node, so that one which ends the process again is known.

    A suspect that asks another service gives its turn up: the answer may have to come from a suspect too, and both
    would wait for each other. It takes a turn again before it goes on with the last answer it waits for.
    """

    def __init__(self) -> None:
        self._holder: Hop | None = None
        self._suspects: set[Hop] = set()
        self._asking: Counter[Hop] = Counter()
        self._line: deque[tuple[Hop, asyncio.Future[None]]] = deque()

    async def take(self, suspect: Hop) -> None:
        """Wait for the turn of this suspect; at once when it has it already."""
        self._suspects.add(suspect)
        if self._holder is None:
            self._holder = suspect
        if self._holder is suspect:
            return
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._line.append((suspect, place))
        try:
            await place
        except BaseException:
            self.give_up(suspect)
            raise

    def includes(self, hop: Hop) -> bool:
        """Whether this hop is a suspect whose delivery has begun."""
        return hop in self._suspects

    def holds(self, hop: Hop) -> bool:
        """Whether it is the turn of this hop."""
        return self._holder is hop

    def asks(self, hop: Hop) -> None:
        """A suspect has made a request."""
        self._asking[hop] += 1

    def answered(self, hop: Hop) -> bool:
        """One of its requests has come back. True when none is open any more."""
        self._asking[hop] -= 1
        return self._asking[hop] <= 0

    def give_up(self, hop: Hop) -> None:
        """Let the next one run, if it is this hop's turn."""
        if self._holder is not hop:
            return
        self._holder = None
        while self._line and self._holder is None:
            suspect, place = self._line.popleft()
            if not place.done():
                self._grant(suspect, place)

    def _grant(self, suspect: Hop, place: asyncio.Future[None]) -> None:
        """To all that wait for the same suspect: it may have asked several at once."""
        self._holder = suspect
        place.set_result(None)
        for other, its_place in self._line:
            if other is suspect and not its_place.done():
                its_place.set_result(None)

    def leave(self, hop: Hop) -> None:
        """The delivery of a suspect is over."""
        self._suspects.discard(hop)
        self._asking.pop(hop, None)
        self.give_up(hop)
