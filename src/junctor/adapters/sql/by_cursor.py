"""New rows by columns that only grow."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any, Literal

from sqlalchemy import Select, and_, column

from junctor.adapters.sql.database import Database, Row
from junctor.adapters.sql.reasons import StatementUnusable
from junctor.adapters.sql.selection import Batch, Source, above, folded, picked, present, up_to
from junctor.adapters.sql.values import kept, restored
from junctor.errors import nearest

State = MutableMapping[str, Any]
Values = list[Any]

MARKS = 20
"""How often within a lag it is noted how far the rows go."""


class ByCursor:
    """Rows above the last one that was sent, in the order of the cursor. Rows with equal cursors stay together, so
    that none of them is left out.

    :param start: where the first look begins.
    :param lag: seconds for which rows may be committed after others with a higher cursor. Only what is not above the
        highest row of so long ago is taken: what was under way then is there.
    """

    def __init__(
        self,
        source: Source,
        columns: list[str],
        start: Values | Literal["beginning", "now"],
        batch: Batch,
        lag: float,
    ) -> None:
        self._source = source
        self._columns = columns
        self._start = start
        self._batch = batch
        self._lag = lag
        self._marks: list[tuple[float, Values]] = []

    def settle(self, database: Database, state: State) -> bool:
        """Nothing is to be done for rows that were sent."""
        return False

    def take(self, database: Database, state: State, now: float) -> list[Row]:
        """The next rows; the cursor behind them is in the state."""
        after = self._begun(database, state)
        limit: Values | None = None
        if self._lag:
            limit = self._marked(database, now)
            if limit is None:
                return []
        rows = self._complete(database, after, limit)
        if rows:
            self._keep(state, picked(rows[-1], self._columns))
        return rows

    # The cursor ---------------------------------------------------------------------------------------------

    def _begun(self, database: Database, state: State) -> Values:
        """The last row that was sent; empty where there was none."""
        known = state.get("cursor")
        if known is None:
            first = self._highest(database) if self._start == "now" else self._start
            values = first if isinstance(first, list) else []
            if self._start == "now":
                self._keep(state, values)
            return values
        if (known["of"], known["columns"]) != (self._source.name, self._columns):
            was = ", ".join(known["columns"])
            raise StatementUnusable(
                f"what was sent is known by {was} of {known['of'] or 'a query'}, and not by what the settings say now",
                fix="Set table and cursor as they were, or give the service another name: it begins by start then.",
            )
        return [restored(value) for value in known["values"]]

    def _keep(self, state: State, values: Values) -> None:
        state["cursor"] = {
            "of": self._source.name,
            "columns": self._columns,
            "values": [kept(value) for value in values],
        }

    # Rows ---------------------------------------------------------------------------------------------------

    def _complete(self, database: Database, after: Values, limit: Values | None) -> list[Row]:
        """A batch that does not end between two rows with equal cursors."""
        batch = self._batch
        while True:
            chosen = self._select(after, limit).limit(batch.rows + 1)
            rows, all_of_them = self._rows(database, chosen, after, batch)
            if rows and after and picked(rows[0], self._columns) == after:
                raise StatementUnusable(
                    f"a row comes again and again: its {', '.join(self._columns)} is above what is read of it",
                    fix="Use columns that are read exactly as they are: no real, no text that is not UTF-8.",
                )
            if all_of_them:
                return rows
            following = folded(picked(rows[-1], self._columns))
            while rows and folded(picked(rows[-1], self._columns)) == following:
                rows.pop()
            if rows:
                return rows
            batch = batch.larger()

    def _select(self, after: Values, limit: Values | None) -> Select[Any]:
        chosen = self._source.select().where(present(self._columns))
        if after:
            chosen = chosen.where(above(self._columns, after))
        if limit is not None:
            chosen = chosen.where(up_to(self._columns, limit))
        return chosen.order_by(*(column(name) for name in self._columns))

    def _rows(self, database: Database, statement: Select[Any], after: Values, batch: Batch) -> tuple[list[Row], bool]:
        given = self._source.values(self._columns, after) if after else {}
        with database.transaction(reading=True) as transaction:
            rows, all_of_them = transaction.batch(statement, given, batch.rows + 1, batch.size)
        missing = [name for name in self._columns if rows and name not in rows[0]]
        if missing:
            raise StatementUnusable(
                f'the rows have no column "{missing[0]}", which is in cursor',
                fix=nearest(missing[0], rows[0]).strip() or "Select it.",
            )
        return rows, all_of_them

    def _highest(self, database: Database) -> Values:
        """The cursor of the last row there is; empty where there is none."""
        chosen = self._source.select().where(and_(present(self._columns)))
        last = chosen.order_by(*(column(name).desc() for name in self._columns)).limit(1)
        rows, _ = self._rows(database, last, [], self._batch)
        return picked(rows[0], self._columns) if rows else []

    def _marked(self, database: Database, now: float) -> Values | None:
        """The highest cursor of at least ``lag`` ago; None where that is not known yet."""
        if self._marks and now < self._marks[-1][0]:
            self._marks.clear()  # the clock was set back
        if not self._marks or now - self._marks[-1][0] >= self._lag / MARKS:
            highest = self._highest(database)
            if highest:
                self._marks.append((now, highest))
        old = [mark for mark in self._marks if now - mark[0] >= self._lag]
        if not old:
            return None
        self._marks = self._marks[len(old) - 1 :]
        return old[-1][1]
