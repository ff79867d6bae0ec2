"""All rows of a table whose pages may be damaged: what cannot be read is stepped over."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import apsw

Row = tuple[object, ...]

UNREADABLE = (apsw.CorruptError, apsw.IOError, apsw.NotADBError, apsw.SQLError, UnicodeDecodeError)
"""A page that is not what was written or that the disk does not give, a table that is not there, text that is none."""

_LAST = 2**63 - 1


class Walk:
    """The rows of a table in the order of their numbers, from 0. ``holes`` says afterwards what was stepped over:
    ``numbers 120 to 162``."""

    def __init__(self, db: apsw.Connection, table: str, columns: Sequence[str]) -> None:
        self.holes: list[str] = []
        self._db = db
        chosen = ", ".join(("rowid", *columns))
        self._sql = f"SELECT {chosen} FROM {table} NOT INDEXED WHERE rowid > ? ORDER BY rowid"

    def __iter__(self) -> Iterator[Row]:
        after = -1
        while True:
            try:
                for number, *row in self._db.execute(self._sql, (after,)):
                    if number <= after:
                        raise apsw.CorruptError("the numbers go back")
                    yield tuple(row)
                    after = number
                return
            except UNREADABLE:
                found = self._beyond(after)
            last = "the end" if found is None else str(found - 1)
            self.holes.append(f"numbers {after + 1} to {last}")
            if found is None:
                return
            after = found - 1

    def _beyond(self, after: int) -> int | None:
        """The number of the first row that can be read again; None where none is found."""
        low, step = after, 1
        while (found := self._first(after + step)) == 0:
            low, step = after + step, step * 2
            if after + step > _LAST:
                return None
        high = after + step
        while found is not None and high - low > 1:
            middle = (low + high) // 2
            nearer = self._first(middle)
            if nearer == 0:
                low = middle
            else:
                high, found = middle, nearer
        return found

    def _first(self, after: int) -> int | None:
        """The number of the first row above ``after``; None where there is none, 0 where it cannot be read."""
        try:
            for row in self._db.execute(f"{self._sql} LIMIT 1", (after,)):
                return int(row[0]) if row[0] > after else 0
        except UNREADABLE:
            return 0
        return None


def walk_keys(db: apsw.Connection, table: str, columns: Sequence[str], keys: str, lost: list[str]) -> Iterator[Row]:
    """The rows of a table without numbers: from its beginning up to damage, then from its end back to it.

    :param keys: what its rows are found by, as in ``ORDER BY``.
    :param lost: gets a sentence where rows are missing between.
    """
    sql = f"SELECT {', '.join(columns)} FROM {table} ORDER BY "
    seen: set[Row] = set()
    try:
        for row in db.execute(sql + keys):
            seen.add(row)
            yield row
        return
    except UNREADABLE:
        lost.append(f"{table}: rows behind the first {len(seen)} cannot be read")
    try:
        for row in db.execute(sql + ", ".join(f"{key} DESC" for key in keys.split(", "))):
            if row in seen:
                return
            yield row
    except UNREADABLE:
        return
