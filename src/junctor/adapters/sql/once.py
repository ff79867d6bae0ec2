"""A table of the user's database that says which messages were carried out, written in their transactions."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import Column, DateTime, MetaData, String, Table, Text, bindparam, func, insert, select, update

from junctor.adapters.sql.database import Database, Transaction
from junctor.adapters.sql.reasons import DataRefused, StatementUnusable

LENGTH = 200
"""Characters of ``message.effect``, and more."""


class Once:
    """The table: ``effect`` is the primary key, ``done`` when it was, ``answer`` what it has given, as JSON.

    :param name: of the table, with its schema where it has one.
    """

    def __init__(self, name: str) -> None:
        schema, _, own = name.rpartition(".")
        self._table = Table(
            own,
            MetaData(),
            Column("effect", String(LENGTH), primary_key=True),
            Column("done", DateTime(timezone=True), nullable=False, server_default=func.current_timestamp()),
            Column("answer", Text, nullable=True),
            schema=schema or None,
        )
        effect = self._table.c.effect
        self._insert = insert(self._table).values(effect=bindparam("of"))
        self._select = select(self._table.c.answer).where(effect == bindparam("of"))
        self._update = update(self._table).where(effect == bindparam("of")).values(answer=bindparam("given"))

    def create(self, database: Database) -> None:
        """Make the table where it is not there. Of several that make it at once, one does, and the others find it at
        the second look."""
        try:
            self._create(database)
        except (DataRefused, StatementUnusable):
            self._create(database)

    def _create(self, database: Database) -> None:
        with database.transaction() as transaction:
            transaction.make(self._table)

    def enter(self, transaction: Transaction, effect: str) -> None:
        """Say that the message is carried out by this transaction.

        :raises DataRefused: another one has done so.
        """
        transaction.run(self._insert, {"of": effect})

    def leave(self, transaction: Transaction, effect: str, answer: Any) -> None:
        """Keep the answer."""
        transaction.run(self._update, {"of": effect, "given": msgspec.json.encode(answer).decode()})

    def known(self, database: Database, effect: str) -> tuple[Any] | None:
        """The answer of a message that was carried out, in a tuple; None where it was not."""
        with database.transaction(reading=True) as transaction:
            found = transaction.rows(self._select, {"of": effect})
        if not found:
            return None
        kept = found[0]["answer"]
        return (None if kept is None else msgspec.json.decode(kept),)
