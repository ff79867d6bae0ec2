"""What is the same for all conversations of a service: its callbacks, attributes, and the types of its replies."""

from __future__ import annotations

import threading
from collections.abc import Callable
from operator import attrgetter
from typing import Any

import msgspec

from junctor.core.outcome import Park, Reply
from junctor.core.snapshot import Waiting
from junctor.core.spec import Context
from junctor.messages import PASSED, Message, TypeRegistry
from junctor.messages.types import MessageType
from junctor.services.conversation.attributes import Attributes
from junctor.services.conversation.callbacks import Callbacks


def passed(message: Message) -> Waiting:
    """What a message stands for that was passed on."""
    seq, _, asker = message.headers.get(PASSED, "0 ").partition(" ")
    return Waiting(int(seq), asker)


class Plan:
    """How the conversations of one class go. Shared by the threads of a service."""

    # What follows from the rest is in slots: where a flow is read again, two plans are compared by their other parts.
    __slots__ = ("__dict__", "_lock", "_types", "attributes")

    def __init__(
        self,
        cls: type,
        build: Callable[[Context], Any],
        callbacks: Callbacks,
        targets: tuple[str, ...],
        code: str,
    ) -> None:
        self.cls = cls
        self.build = build
        self.callbacks = callbacks
        self.targets = targets
        self.attributes = Attributes(cls)
        self.code = code
        self._types = TypeRegistry()
        self._lock = threading.Lock()

    @staticmethod
    def inner(name: str) -> str:
        """The name of the handler in the line of a conversation that belongs to one that finds it."""
        return f"junctor-{name}"

    def key_of(self, handler: str, body: Any) -> str:
        """The key of a message for a handler.

        :raises Park: it has none.
        """
        field = self.callbacks.handlers[handler][1].key
        try:
            value = body[field] if isinstance(body, dict) else attrgetter(field)(body)
        except (AttributeError, KeyError):
            value = None
        if value is None:
            raise Park(f"{type(body).__name__}.{field} is not there, so nothing says which conversation it is for")
        return str(value)

    # Types --------------------------------------------------------------------------------------------------

    def _type_of(self, value: Any) -> MessageType:
        with self._lock:
            return self._types.of(value)

    def reply(self, value: Any) -> Reply:
        """A reply of the type that it has."""
        kind = self._type_of(value)
        return Reply(kind.name, kind.encode(value), kind.version)

    def kept(self, body: Any) -> tuple[str, msgspec.Raw]:
        """The body of a request as it is kept until its end: the name of its type, and its JSON."""
        kind = self._type_of(body)
        return kind.name, msgspec.Raw(kind.encode(body))

    def read(self, name: str, data: bytes, in_flow: Callable[[str], MessageType | None]) -> Any:
        """The body of a request that was kept; plain data where its type is not known any more.

        :param in_flow: the types that the flow knows: after a restart this service has met none by itself.
        """
        with self._lock:
            kind = self._types.named(name)
        kind = kind or in_flow(name)
        return msgspec.json.decode(data) if kind is None else kind.decode(data)
