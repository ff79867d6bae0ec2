"""The message that travels between services."""

from __future__ import annotations

from typing import Any


class QueueMessage:
    """One message, as actions get it.

    ``source`` and ``destination`` are ids of services, such as ``sender_py``; ``action`` is the name of the method that
    is to be called. ``message`` is a tuple of one, the payload: existing services read ``message.message[0]``.
    """

    def __init__(self, source: str, destination: str, action: str, message: Any) -> None:
        self.source = source
        self.destination = destination
        self.action = action
        self.message: tuple[Any] = (message,)

    def __repr__(self) -> str:
        return f"<QueueMessage {self.source} -> {self.destination}.{self.action}: {self.message[0]!r:.200}>"
