"""Which clients are too slow, whatever parses their requests."""

from __future__ import annotations

from typing import Any

from junctor.http.listening.hangup import has_gone
from junctor.http.listening.limits import Limits


class Paced:
    """A part of a connection: told the time about once a second, it drops a client that holds the connection up.

    The protocol says when it waits for the client, how long that may take, and how it drops one that is slow.
    ``_since`` is when the message under way began; ``_stalled`` and ``_paused`` are when writing and reading paused, 0
    for not now.
    """

    limits = Limits()
    transport: Any
    flow: Any
    _since: float
    _stalled: float
    _paused: float

    def sweep(self, now: float) -> None:
        """Drop the client when it is too slow."""
        if self.transport.is_closing():
            return
        if self.flow.write_paused:
            self._stalled = self._stalled or now
            if now - self._stalled > self.limits.send:
                self.transport.abort()
            return
        self._stalled = 0.0
        if self.flow.read_paused:
            self._since = now  # not the client's delay: an earlier request of this connection is not answered yet
            self._paused = self._paused or now
            if now - self._paused > self.limits.receive and has_gone(self.transport):
                self.transport.abort()
            return
        self._paused = 0.0
        if self._waits_for_client() and now - self._since > self._allowance():
            self._drop_slow()

    def _waits_for_client(self) -> bool:
        raise NotImplementedError

    def _allowance(self) -> float:
        raise NotImplementedError

    def _drop_slow(self) -> None:
        raise NotImplementedError
