"""Names as numbers: each address, type and node name is stored once."""

from __future__ import annotations

from typing import NamedTuple
from zlib import crc32

import apsw

from junctor.messages import Message
from junctor.store.connection import select
from junctor.store.spans import Spans


class Route(NamedTuple):
    """The names of a message as numbers, and the beginning of its checksum, which covers them as text."""

    node: int
    source: int
    target: int
    type: int
    flow: int
    checksum: int


class Words:
    """The writer's side: gives out numbers at once, and says which of them are not in the database yet. ``routes`` has
    those that :meth:`route` was asked for before, by node, source, target and type."""

    def __init__(self, db: apsw.Connection) -> None:
        self._numbers: dict[str, int] = dict(select(db, "SELECT text, id FROM word"))
        self.routes: dict[tuple[str, str, str, str], Route] = {}
        self._next = max(self._numbers.values(), default=0) + 1
        self.fresh: list[tuple[int, str]] = []
        self.spans = Spans()

    def number(self, text: str) -> int:
        found = self._numbers.get(text)
        return found if found is not None else self._add(text)

    def route(self, message: Message) -> Route:
        names = (message.node, message.source, message.target, message.type)
        found = self.routes.get(names)
        return found if found is not None else self._add_route(names)

    def _add(self, text: str) -> int:
        number = self._numbers[text] = self._next
        self._next += 1
        self.fresh.append((number, text))
        return number

    def _add_route(self, names: tuple[str, str, str, str]) -> Route:
        node, source, target, kind = (self.number(name) for name in names)
        flow = self.number(names[2].partition("/")[0])
        route = self.routes[names] = Route(node, source, target, kind, flow, names_checksum(*names))
        return route

    def committed(self) -> None:
        self.fresh.clear()
        self.spans.committed()

    def rolled_back(self) -> None:
        """Forget what was given out since the last commit: it is not in the database."""
        if self.fresh:
            self.routes.clear()
        for _, text in self.fresh:
            del self._numbers[text]
        self.fresh.clear()
        self.spans.rolled_back()


def names_checksum(node: str, source: str, target: str, kind: str) -> int:
    """CRC-32 of the names of a message, the first part of the checksum of its record."""
    return crc32("\0".join((node, source, target, kind)).encode())


class Glossary:
    """The readers' side: numbers to names, asking the database for those it has not met. Safe in several threads."""

    def __init__(self) -> None:
        self._texts: dict[int, str] = {}

    def text(self, db: apsw.Connection, number: int) -> str:
        found = self._texts.get(number)
        if found is None:
            texts = select(db, "SELECT CAST(text AS BLOB) FROM word WHERE id = ?", (number,))
            # A number without a name, or a name of other bytes, is damage; the checksum of the record will say so.
            found = self._texts[number] = texts[0][0].decode(errors="replace") if texts else f"?{number}"
        return found

    @staticmethod
    def number(db: apsw.Connection, text: str) -> int:
        """The number of a name, -1 when no record has it."""
        numbers = select(db, "SELECT id FROM word WHERE text = ?", (text,))
        return int(numbers[0][0]) if numbers else -1
