"""Statements with named parameters that come from a message."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from sqlalchemy import TextClause, exc, text

from junctor.adapters.sql.database import Row, Transaction
from junctor.adapters.sql.reasons import DataRefused
from junctor.adapters.sql.values import given
from junctor.adapters.sql.wording import Statement
from junctor.core.expressions import Variables
from junctor.errors import ExpressionFailed, SettingError, nearest

_OURS = frozenset({"abort", "begin", "commit", "end", "rollback", "start"})
"""Words that begin and end a transaction."""


class Carried(msgspec.Struct, frozen=True):
    """What a statement has given: ``rows`` is None for one that gives none; ``count`` of those that it has changed,
    or found."""

    rows: list[Row] | None
    count: int


class Prepared:
    """A statement of the settings, ready to be run.

    :param where: the setting that it stands in.
    :raises SettingError: it cannot be used.
    """

    def __init__(self, statement: Statement, where: str) -> None:
        self.source = statement
        self.clause = clause_of(statement.statement, where)
        self.names = parameters_of(self.clause)
        for name in statement.parameters:
            if name not in self.names:
                what = f'there is no ":{name}" in: {_short(self.clause)}'
                fix = nearest(name, self.names).strip() or "Leave it out, or use it."
                raise SettingError(what, where="parameters" if where == "statement" else where, fix=fix)

    def values(self, seen: Variables, takes_times: bool) -> dict[str, Any]:
        """The parameters for a message.

        :raises DataRefused: the body lacks one.
        """
        return {name: given(self._value(name, seen), takes_times) for name in self.names}

    def _value(self, name: str, seen: Variables) -> Any:
        expression = self.source.parameters.get(name)
        if expression is not None:
            return expression.value(seen)
        body = seen.of(["body"])["body"]
        if not isinstance(body, dict):
            raise DataRefused(f"the statement needs :{name}, and the body is {type(body).__name__}, without fields")
        if name not in body:
            raise DataRefused(f'the statement needs :{name}, and the body has no field "{name}"')
        return body[name]

    def elements(self, seen: Variables) -> list[Any] | None:
        """The list that it is run for; None where it is run once.

        :raises ExpressionFailed: it is no list.
        """
        if self.source.each is None:
            return None
        elements = self.source.each.value(seen)
        if not isinstance(elements, list):
            raise ExpressionFailed(f"`{self.source.each}` is {type(elements).__name__}, not a list")
        return elements

    def run(self, transaction: Transaction, values: dict[str, Any] | list[dict[str, Any]], most: int) -> Carried:
        """Run it once, or for each of a list.

        :param most: rows that it may give.
        :raises DataRefused: it gives more, or changes another number of rows than it is to.
        """
        if isinstance(values, list):
            rows, count = None, transaction.run(self.clause, values) if values else 0
        else:
            rows, count = transaction.both(self.clause, values, most + 1)
        expected = self.source.rows
        if expected is not None and count != expected * (len(values) if isinstance(values, list) else 1):
            raise DataRefused(f"the statement has met {count} rows, and not {expected} each: {_short(self.clause)}")
        if rows is not None and len(rows) > most:
            raise DataRefused(f"the statement gives more than {most} rows: {_short(self.clause)}")
        return Carried(rows, count)


def clause_of(statement: str, where: str) -> TextClause:
    """A text of SQL.

    :raises SettingError: it is empty, or would end the transaction that it is run in.
    """
    stripped = statement.strip().rstrip(";").rstrip()
    if not stripped:
        raise SettingError("there is no statement", where=where, fix="For example insert into orders values (:id).")
    first = stripped.split(maxsplit=1)[0].lower()
    if first in _OURS:
        fix = "Leave it out: there is one transaction for each message."
        raise SettingError(f"{first} is not for a statement", where=where, fix=fix)
    return text(stripped)


def parameters_of(clause: TextClause) -> list[str]:
    """The names after colons.

    :raises SettingError: SQLAlchemy cannot read it.
    """
    try:
        return sorted(clause.compile().params)
    except exc.SQLAlchemyError as error:
        raise SettingError(str(error), where="statement") from None


def prepared(statements: Iterable[tuple[str, Statement]]) -> list[Prepared]:
    """All of them, each with its setting."""
    return [Prepared(statement, where) for where, statement in statements]


def _short(clause: TextClause) -> str:
    line = " ".join(clause.text.split())
    return line if len(line) <= 80 else f"{line[:77]}..."
