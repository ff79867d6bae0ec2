"""Connections of this process to nodes: one a call at a time, kept for the next, made anew when the node is another."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path

from junctor.errors import JunctorError
from junctor.node.control.client import NodeClient
from junctor.node.control.wire import ConnectionLost, NoAnswer

IDLE = 16
"""Connections that are kept for one node."""


class Connections:
    """Connections by data directory. Safe for many threads, and for programs that fork."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: dict[Path, list[NodeClient]] = {}
        self._process = os.getpid()

    @contextlib.contextmanager
    def to(self, directory: Path) -> Iterator[NodeClient]:
        """A connection that nobody else uses in the block.

        :raises NodeNotFound: the node does not run.
        """
        client = self._take(directory) or NodeClient(directory)
        try:
            yield client
        except JunctorError as error:
            if isinstance(error, ConnectionLost | NoAnswer):
                client.close()
            else:  # the node has answered: that it refuses
                self._give_back(directory, client)
            raise
        except BaseException:
            client.close()
            raise
        self._give_back(directory, client)

    def close(self) -> None:
        """Hang up what nobody uses. Idempotent."""
        with self._lock:
            clients = [client for some in self._idle.values() for client in some]
            self._idle.clear()
        for client in clients:
            client.close()

    def _take(self, directory: Path) -> NodeClient | None:
        while True:
            with self._lock:
                if self._process != os.getpid():  # a worker of a web server: these are its parent's
                    self._process, self._idle = os.getpid(), {}
                idle = self._idle.get(directory)
                client = idle.pop() if idle else None
            if client is None or not client.await_end(0):
                return client
            client.close()

    def _give_back(self, directory: Path, client: NodeClient) -> None:
        with self._lock:
            idle = self._idle.setdefault(directory, [])
            if len(idle) < IDLE:
                idle.append(client)
                return
        client.close()
