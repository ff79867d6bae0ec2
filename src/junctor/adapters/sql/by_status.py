"""New rows by a status, which is written when they were sent; or rows that are deleted then."""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Executable, column, delete, select, true, tuple_, update
from sqlalchemy import table as table_of

from junctor.adapters.sql.database import Database, Row
from junctor.adapters.sql.reasons import StatementUnusable
from junctor.adapters.sql.selection import Batch, Source, among, having, of_value, picked, present
from junctor.adapters.sql.values import kept, restored
from junctor.errors import nearest

State = MutableMapping[str, Any]
Value = str | int | bool | None

AT_ONCE = 500
"""Rows that are marked in one statement: databases have a limit of parameters."""


@dataclass(frozen=True)
class Status:
    """A column and its values; without a name all rows are new. ``claim`` is "" where no other node looks."""

    name: str
    new: Value
    done: Value
    claim: Value = ""


class ByStatus:
    """Rows of a status, in order. Which ones were sent is in the state, committed with the messages, until they are
    marked: so none is left out and none comes twice."""

    def __init__(
        self, source: Source, status: Status, ids: list[str], order: list[str], batch: Batch, remove: bool
    ) -> None:
        self._source = source
        self._status = status
        self._ids = ids
        self._order = order or ids
        self._batch = batch
        self._remove = remove
        self._marked: set[tuple[Any, ...]] = set()
        schema, _, own = source.name.rpartition(".")
        names = dict.fromkeys([*ids, *([status.name] if status.name else [])])
        self._table = table_of(own, *(column(name) for name in names), schema=schema or None)

    def settle(self, database: Database, state: State) -> bool:
        """Mark the rows that were sent by an earlier look. Whether there were some."""
        sent = [[restored(value) for value in row] for row in state.get("sent", [])]
        self._marked = set(map(tuple, sent))
        if not sent:
            return False
        with database.transaction() as transaction:
            for begin in range(0, len(sent), AT_ONCE):
                transaction.run(self._mark(sent[begin : begin + AT_ONCE]))
        del state["sent"]
        return True

    def take(self, database: Database, state: State, now: float) -> list[Row]:
        """The next rows; that they were sent is in the state."""
        rows = self._rows(database)
        if not rows and self._status.claim != "" and self._claim(database):
            rows = self._rows(database)
        if self._marked and any(tuple(picked(row, self._ids)) in self._marked for row in rows):
            raise StatementUnusable(
                f"rows of {self._source.name} stay as they are when they are marked, and would be sent again and again",
                fix="Look at triggers, and whether the columns of id are read exactly as they are.",
            )
        if rows:
            state["sent"] = [[kept(value) for value in picked(row, self._ids)] for row in rows]
        return rows

    # Statements ---------------------------------------------------------------------------------------------

    @property
    def _current(self) -> ColumnElement[bool]:
        """Rows that are to be sent by this node."""
        if not self._status.name:
            return true()
        value = self._status.new if self._status.claim == "" else self._status.claim
        return having(self._status.name, value)

    def _rows(self, database: Database) -> list[Row]:
        chosen = self._source.select().where(self._current, present(self._ids))
        with database.transaction(reading=True) as transaction:
            wanted = chosen.order_by(*map(column, self._order)).limit(self._batch.rows)
            rows, _ = transaction.batch(wanted, {}, self._batch.rows, self._batch.size)
        missing = [name for name in self._ids if rows and name not in rows[0]]
        if missing:
            raise StatementUnusable(
                f'the rows have no column "{missing[0]}", which is in id',
                fix=nearest(missing[0], rows[0]).strip() or "Name it in columns, too.",
            )
        return rows

    def _mark(self, sent: list[list[Any]]) -> Executable:
        """A row whose status somebody has changed meanwhile stays as it is."""
        these = among(self._ids, sent)
        if self._remove:
            return delete(self._table).where(these, self._current)
        return update(self._table).where(these, self._current).values({self._status.name: of_value(self._status.done)})

    def _claim(self, database: Database) -> int:
        """Take rows from the other nodes, as many as a batch has. Rows that another one takes at the moment are left
        out where the database can do that, waited for where it cannot."""
        status = self._status
        ids: list[ColumnElement[Any]] = [column(name) for name in self._ids]
        free = (
            select(*ids)
            .select_from(self._table)
            .where(having(status.name, status.new), present(self._ids))
            .order_by(*map(column, self._order))
            .limit(self._batch.rows)
            .with_for_update(skip_locked=True)
        )
        own = ids[0].in_(free) if len(ids) == 1 else tuple_(*ids).in_(free)
        taken = (
            update(self._table)
            .where(own, having(status.name, status.new))
            .values({status.name: of_value(status.claim)})
        )
        with database.transaction() as transaction:
            return transaction.run(taken)
