"""Suspects: messages that were being handled when the node ended uncleanly. One of them may be the reason."""

from __future__ import annotations

import asyncio

from junctor.core.hop import Hop


class Turn:
    """Lets suspects run one at a time in the node, so that one which ends the process again is known.

    A suspect that asks another service gives its turn up: the answer may have to come from a suspect too, and both would
    wait for each other.
    """

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._holder: Hop | None = None

    async def take(self, suspect: Hop) -> None:
        await self._lock.acquire()
        self._holder = suspect

    def give_up(self, hop: Hop) -> None:
        """Let the next one run, if it is this hop's turn."""
        if self._holder is hop:
            self._holder = None
            self._lock.release()
