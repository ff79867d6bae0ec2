"""Names as numbers: each address, type and node name is stored once."""

from __future__ import annotations

import apsw

from junctor.store.connection import select


class Words:
    """The writer's side: gives out numbers at once, and says which of them are not in the database yet."""

    def __init__(self, db: apsw.Connection) -> None:
        self._numbers: dict[str, int] = dict(select(db, "SELECT text, id FROM word"))
        self._next = max(self._numbers.values(), default=0) + 1
        self.fresh: list[tuple[int, str]] = []

    def number(self, text: str) -> int:
        found = self._numbers.get(text)
        return found if found is not None else self._add(text)

    def _add(self, text: str) -> int:
        number = self._numbers[text] = self._next
        self._next += 1
        self.fresh.append((number, text))
        return number

    def committed(self) -> None:
        self.fresh.clear()

    def rolled_back(self) -> None:
        """Forget what was given out since the last commit: it is not in the database."""
        for _, text in self.fresh:
            del self._numbers[text]
        self.fresh.clear()


class Glossary:
    """The readers' side: numbers to names, asking the database for those it has not met. Safe in several threads."""

    def __init__(self) -> None:
        self._texts: dict[int, str] = {}

    def text(self, db: apsw.Connection, number: int) -> str:
        found = self._texts.get(number)
        if found is None:
            texts = select(db, "SELECT text FROM word WHERE id = ?", (number,))
            # A number without a name is damage; the checksum of the record will say so.
            found = self._texts[number] = texts[0][0] if texts else f"?{number}"
        return found

    @staticmethod
    def number(db: apsw.Connection, text: str) -> int:
        """The number of a name, -1 when no record has it."""
        numbers = select(db, "SELECT id FROM word WHERE text = ?", (text,))
        return int(numbers[0][0]) if numbers else -1
