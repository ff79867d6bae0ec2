"""An end for conversations with servers that are slow, silent, or drip."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from types import TracebackType

STOPPING = 2.0
"""Seconds that a conversation still has when its service is asked to stop."""

_LOOK = 0.25


class Limit:
    """Hangs up after ``seconds``, whatever the other side does: time-outs of a socket count anew with each byte.

    ::

        with Limit(10.0, stopping) as limit:
            limit.watch(sock)

    :param stopping: whether the service is asked to stop: then there is less time.

    ``over``: it hung up.
    """

    def __init__(self, seconds: float, stopping: Callable[[], bool] = lambda: False) -> None:
        self.over = False
        self._end = time.monotonic() + seconds
        self._stopping = stopping
        self._twin: socket.socket | None = None
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._wait, name="junctor alert limit", daemon=True)

    @property
    def left(self) -> float:
        """Seconds that are left; a moment at least, as 0 means for ever to a socket."""
        return max(self._end - time.monotonic(), 0.01)

    def watch(self, sock: socket.socket) -> None:
        """Hang up this connection, also where it is wrapped in TLS later: its twin is the same connection."""
        self._twin = sock.dup()

    def __enter__(self) -> Limit:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()
        if self._twin is not None:
            self._twin.close()

    def _wait(self) -> None:
        while not self._done.wait(min(_LOOK, self.left)):
            if self._stopping():
                self._end = min(self._end, time.monotonic() + STOPPING)
                self._stopping = lambda: False
            if time.monotonic() >= self._end:
                self.over = True
                if self._twin is not None:
                    with contextlib.suppress(OSError):  # it is closed already
                        self._twin.shutdown(socket.SHUT_RDWR)
                return
