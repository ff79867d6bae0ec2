"""What a service counts in a worker process, on its way to the node."""

from __future__ import annotations

import asyncio

from junctor.runtime.counts import Counts
from junctor.runtime.workers import protocol
from junctor.runtime.workers.channel import Channel

MOMENT = 0.25
"""Seconds after which the node is told, all at once: a service may count every line of a file. A process that is killed
takes with it what it counted since."""


class TellingCounts(Counts):
    """Sums that the node adds to its own."""

    __slots__ = ("_channel", "_loop", "_soon")

    def __init__(self, channel: Channel) -> None:
        super().__init__()
        self._channel = channel
        self._loop = asyncio.get_running_loop()
        self._soon = False

    def add(self, what: str, amount: int = 1) -> None:
        super().add(what, amount)
        if not self._soon:
            self._soon = True
            self._loop.call_soon_threadsafe(self._loop.call_later, MOMENT, self.tell)

    def tell(self) -> None:
        """Tell the node what it does not know yet."""
        self._soon = False
        if sums := self.taken():
            self._channel.send(protocol.Counted(sums))
