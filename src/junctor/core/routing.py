"""Which handler of a service a message is for: the one it names, else the first that takes its type."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Generic, TypeVar

from junctor.core.spec import ServiceSpec
from junctor.messages import HANDLER, Message, MessageType, type_name

E = TypeVar("E")

PLAIN = type_name(Any)
"""The type of messages whose body is of no class."""


def refused_unnamed(spec: ServiceSpec, service: str) -> tuple[str, str] | None:
    """What to tell a sender that names no handler of a service, and the fix; None where the service has one for it."""
    names = [handler.name for handler in spec.handlers]
    if not names or not all(handler.by_name for handler in spec.handlers):
        return None
    what = f"{service} chooses among its handlers by their names: {', '.join(names)}"
    fix = f'Name one: self.target("{service}", handler="{names[0]}"), --type {names[0]} of `junctor request`,'
    return what, f'{fix} "{service}.{names[0]}" in a component of iop.'


class Routing(Generic[E]):
    """The handlers of one service, added in the order of its spec. ``typed`` has those that are found by a type."""

    __slots__ = ("_by_type", "_fallback", "_named", "typed")

    def __init__(self) -> None:
        self.typed: dict[str, E] = {}
        self._named: dict[str, dict[str, E]] = {}
        self._by_type: list[E] = []
        self._fallback: E | None = None

    def add(self, name: str, accepts: MessageType, handler: E, by_name: bool = False) -> None:
        """Take a handler in. Several may take one type: the first gets it, the others are reached by their names.

        :param by_name: it is reached by its name alone.
        """
        named = self._named.setdefault(name, {})
        for known_as in (accepts.name, *accepts.aliases):
            named.setdefault(known_as, handler)
            if not by_name:
                self.typed.setdefault(known_as, handler)
        if not by_name:
            self._by_type.append(handler)
        if not by_name and accepts.cls is Any and self._fallback is None:
            self._fallback = handler

    def find(self, message: Message) -> E | None:
        """The handler for a message, None when there is none.

        Of several with the name it asks for, the one that takes its type, else one for ``Any``, else the first: plain
        data is then read as its type. Plain data that names none is for the only one there is, likewise.
        """
        if message.headers and (name := message.headers.get(HANDLER)) is not None:
            named = self._named.get(name, {})
            return named.get(message.type) or named.get("any") or next(iter(named.values()), None)
        found = self.typed.get(message.type) or self._fallback
        if found is None and message.type == PLAIN and len(self._by_type) == 1:
            return self._by_type[0]
        return found

    def all(self) -> Iterable[tuple[str, E]]:
        """Every handler with its name."""
        return [(name, handler) for name, named in self._named.items() for handler in named.values()]
