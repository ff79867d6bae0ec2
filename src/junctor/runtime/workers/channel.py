"""The worker's end of the socket: frames are written by any thread, at once, and read by a thread of their own.

A frame is in the kernel's hands when :meth:`Channel.send` returns, so what a worker said is known even when it dies in
the next moment: a settled delivery stays settled.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator

from junctor.forks import close_in_children
from junctor.runtime.workers import protocol

UNHEARD = 74
"""The exit code of a worker that cannot reach its node (EX_IOERR of sysexits.h)."""

_PIECE = 256 * 1024


class Channel:
    """Frames over a connected stream socket. ``frames`` are those of the node, until it is gone."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._lock = threading.Lock()
        self._process = os.getpid()
        self._feed = protocol.Feed()
        self.frames = self._frames()
        # A child that a handler forks is not the worker: with the socket it would keep the node waiting.
        close_in_children(connection.fileno())

    @property
    def ours(self) -> bool:
        """Whether this is the worker's process, and not a child that user code has forked."""
        return os.getpid() == self._process

    def send(self, frame: protocol.Frame) -> None:
        """Write a frame. Where that is not possible any more the process ends: the node is gone, or user code has
        closed the socket, and nobody would ever hear of what this process does."""
        data = protocol.pack(frame)
        with self._lock:
            try:
                self._socket.sendall(data)
            except OSError:
                os._exit(UNHEARD)

    def _frames(self) -> Iterator[protocol.Frame]:
        """All frames of the node until it is gone."""
        while data := self._receive():
            yield from self._feed.frames(data)

    def _receive(self) -> bytes:
        try:
            return self._socket.recv(_PIECE)
        except OSError:
            return b""

    def read_in_thread(self, take: Callable[[protocol.Frame], object], ended: Callable[[], object]) -> None:
        """Hand each frame to ``take`` in a thread of its own, then call ``ended``."""

        def run() -> None:
            for frame in self.frames:
                take(frame)
            ended()

        threading.Thread(target=run, name="junctor node", daemon=True).start()
