"""A container and those that take its place while its node runs: one of them is opened or closed at a time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from junctor.core.port import Port
from junctor.core.spec import service_address
from junctor.dialects.pip_services.commons.errors import InvalidStateException
from junctor.dialects.pip_services.container.refer.closing import Closing
from junctor.node.here import node_of

if TYPE_CHECKING:
    from junctor.node.node import Node

PATIENCE = 30.0
"""Seconds that an opening waits for a container that is still being closed."""


class Turn:
    """Whose turn it is. ``closing`` is what closes the components of the container that is open."""

    def __init__(self) -> None:
        self._taken = threading.Lock()
        self.closing = Closing()

    @contextmanager
    def to_open(self, port: Port, name: str) -> Iterator[None]:
        """Wait for a container that is still being closed.

        :raises InvalidStateException: it does not come to its end.
        """
        if not self._taken.acquire(blocking=False):
            port.log.warning("%s waits: %s is still being closed", name, self.closing.current or name)
            if not self._taken.acquire(timeout=PATIENCE):
                text = f"{self.closing.current or name} is still being closed after {PATIENCE:.0f} s"
                raise InvalidStateException(None, "STILL_CLOSING", text)
        try:
            yield
        finally:
            self._taken.release()

    @contextmanager
    def to_close(self, seconds: float | None) -> Iterator[None]:
        """Wait for what is being opened or closed.

        :param seconds: for all of the closing; None for as long as it takes.
        :raises InvalidStateException: it does not come to its end.
        """
        if seconds is not None:
            self.closing.limit(seconds)
        if not self._taken.acquire(timeout=-1 if seconds is None else seconds):
            text = f"{self.closing.current or 'what is being opened'} does not come to its end; nothing more is closed"
            raise InvalidStateException(None, "NOT_CLOSED", text)
        try:
            yield
        finally:
            self._taken.release()


_turns: WeakKeyDictionary[Node, dict[str, Turn]] = WeakKeyDictionary()


def turn_of(port: Port) -> Turn:
    """The turn that a service shares with those that take its place."""
    address = service_address(port.flow, port.service)
    node = node_of(address)
    return Turn() if node is None else _turns.setdefault(node, {}).setdefault(address, Turn())
