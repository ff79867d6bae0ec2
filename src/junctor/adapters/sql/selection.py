"""Which rows are selected: above a cursor, or of a status."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    TextClause,
    and_,
    bindparam,
    column,
    null,
    or_,
    select,
    text,
    true,
)
from sqlalchemy import table as table_of
from sqlalchemy.types import NullType

from junctor.adapters.sql.statements import clause_of, parameters_of
from junctor.errors import SettingError

_PREFIX = "cursor"


@dataclass(frozen=True)
class Batch:
    """What is taken by one look: so many ``rows``, and about ``size`` bytes."""

    rows: int
    size: int

    def larger(self) -> Batch:
        return Batch(self.rows * 2, self.size * 2)


@dataclass(frozen=True)
class Source:
    """A table with some or all of its columns, or a query, which is treated as if it were one.

    ``wants_cursor``: the query has ``:cursor``, or ``:cursor_NAME`` of several columns, in its own text.
    """

    name: str
    columns: tuple[str, ...] = ()
    query: str = ""
    parameters: tuple[str, ...] = ()

    @classmethod
    def of(cls, name: str, columns: Sequence[str], query: str, cursor: Sequence[str]) -> Source:
        """From the settings.

        :raises SettingError: the query has other parameters than the cursor.
        """
        if not query:
            return cls(name, tuple(columns))
        clause = clause_of(query, "query")
        known = {f"{_PREFIX}_{one}" for one in cursor} | ({_PREFIX} if len(cursor) == 1 else set())
        names = parameters_of(clause)
        for one in names:
            if one not in known:
                fix = f"It may have: {', '.join(f':{name}' for name in sorted(known))}. A colon itself is written \\:."
                raise SettingError(f'the query has a parameter ":{one}" that nobody gives', where="query", fix=fix)
        return cls("", (), clause.text, tuple(names))

    @property
    def wants_cursor(self) -> bool:
        return bool(self.parameters)

    @property
    def clause(self) -> FromClause | TextClause:
        if self.query:
            return text(f"({self.query}\n) AS junctor_rows")  # the line end is for a comment at the end of the query
        schema, _, own = self.name.rpartition(".")
        return table_of(own, schema=schema or None)

    def select(self) -> Select[Any]:
        """All of it."""
        wanted: list[Any] = [column(name) for name in self.columns] or [text("*")]
        return select(*wanted).select_from(self.clause)

    def values(self, cursor: Sequence[str], values: Sequence[Any]) -> dict[str, Any]:
        """The parameters of the query."""
        given = dict(zip((f"{_PREFIX}_{one}" for one in cursor), values, strict=True))
        given[_PREFIX] = values[0] if values else None
        return {name: given[name] for name in self.parameters}


def of_value(value: Any) -> ColumnElement[Any]:
    """A value in a statement. It has no type of SQLAlchemy's: the database takes it as what it is compared with, also a
    text as a date."""
    return bindparam(None, value, type_=NullType(), unique=True)


def above(names: Sequence[str], values: Sequence[Any]) -> ColumnElement[bool]:
    """Rows behind the one with these values, in the order of the columns. The first term is one that an index knows."""
    first: ColumnElement[Any] = column(names[0])
    value = of_value(values[0])
    if len(names) == 1:
        return first > value
    return and_(first >= value, or_(first > value, above(names[1:], values[1:])))


def up_to(names: Sequence[str], values: Sequence[Any]) -> ColumnElement[bool]:
    """Rows that are not behind the one with these values."""
    first: ColumnElement[Any] = column(names[0])
    value = of_value(values[0])
    if len(names) == 1:
        return first <= value
    return and_(first <= value, or_(first < value, up_to(names[1:], values[1:])))


def present(names: Sequence[str]) -> ColumnElement[bool]:
    """Rows in which none of the columns is NULL: such a row is nowhere in their order."""
    return and_(true(), *(column(name).is_not(None) for name in names))


def having(name: str, value: Any) -> ColumnElement[bool]:
    """Rows in which the column has the value, also where that is NULL."""
    return column(name).is_(null()) if value is None else column(name) == of_value(value)


def among(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> ColumnElement[bool]:
    """The rows that are identified by these values."""
    if len(names) == 1:
        return column(names[0]).in_([of_value(row[0]) for row in rows])
    return or_(*(and_(*map(having, names, row)) for row in rows))


def folded(values: Sequence[Any]) -> list[Any]:
    """Values that are equal where a database may take them for equal: a collation may know neither case, nor accents,
    nor spaces at the end."""
    return [_folded(value) if isinstance(value, str) else value for value in values]


def _folded(text: str) -> str:
    bare = "".join(letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter))
    return bare.casefold().rstrip()


def picked(row: Mapping[str, Any], names: Sequence[str]) -> list[Any]:
    """The values of some columns of a row."""
    return [row[name] for name in names]
