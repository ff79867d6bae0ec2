"""What a component sees of the engine that runs it, and what stands there when none does."""

from __future__ import annotations

import logging
from typing import Any, NoReturn, Protocol

from junctor.core.port import Pending

LOGGER = "iop"
"""The logger of components that no node runs."""


class Door(Protocol):
    """The engine, as one running component sees it: set as its ``_door``, before any of its hooks is called.

    ``item`` is the name of the component in its production, ``Python.MyOperation``; lines of ``log`` join the trace.
    Errors are those of the engine; the component makes the ones of the dialect from them.
    """

    item: str
    log: logging.Logger | logging.LoggerAdapter[logging.Logger]

    def send(self, target: str, request: Any, description: str | None) -> None:
        """Hand a message over; no reply is wanted."""
        ...

    def request(self, target: str, request: Any, timeout: float, description: str | None) -> Pending[Any]:
        """Hand a message over and get the reply.

        :param timeout: seconds, -1 for ever.
        """
        ...


class ProcessDoor(Door, Protocol):
    """What a business process has beside it."""

    def ask(self, target: str, request: Any, description: str | None, key: str | None) -> None:
        """A request whose reply comes to ``on_response``, under the completion key."""
        ...

    def timer(self, seconds: float, key: str | None) -> None:
        """Call ``on_response`` after a time, under the completion key."""
        ...

    def reply(self, response: Any) -> None:
        """Answer the request that began the process; it goes on."""
        ...


class OutsideNode:
    """The door of a component that no node runs: in a unit test, or a notebook. It logs, and refuses all else."""

    log: logging.Logger | logging.LoggerAdapter[logging.Logger] = logging.getLogger(LOGGER)

    def __init__(self, item: str = "") -> None:
        self.item = item

    def _refuse(self, what: str) -> NoReturn:
        raise RuntimeError(
            f"{self.item or 'this component'} cannot {what}: no node runs it. "
            "Start its production, or give it a door in a test: component._door = ..."
        )

    def send(self, target: str, request: Any, description: str | None) -> None:
        """:raises RuntimeError: always."""
        self._refuse(f"send to {target!r}")

    def request(self, target: str, request: Any, timeout: float, description: str | None) -> Pending[Any]:
        """:raises RuntimeError: always."""
        self._refuse(f"send to {target!r}")

    def ask(self, target: str, request: Any, description: str | None, key: str | None) -> None:
        """:raises RuntimeError: always."""
        self._refuse(f"send to {target!r}")

    def timer(self, seconds: float, key: str | None) -> None:
        """:raises RuntimeError: always."""
        self._refuse("set a timer")

    def reply(self, response: Any) -> None:
        """:raises RuntimeError: always."""
        self._refuse("reply")
