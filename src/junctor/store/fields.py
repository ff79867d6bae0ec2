"""Terms about fields of a body as SQL, which fits what :mod:`junctor.core.fields` fits.

In SQL and not in Python: a million bodies are looked at without the interpreter lock, beside a running node.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from junctor.core.fields import kind_of_value, text_value
from junctor.core.records import FieldTerm

LARGEST = 2**63

_TYPES = {
    "number": "json_type(j, {path}) IN ('integer', 'real')",
    "text": "json_type(j, {path}) = 'text'",
    "true": "json_type(j, {path}) = 'true'",
    "false": "json_type(j, {path}) = 'false'",
    "null": "json_type(j, {path}) = 'null'",
}
_SEARCHED = "json_type(j, {path}) IN ('text', 'integer') AND instr(CAST(json_extract(j, {path}) AS TEXT), ?) > 0"


def fields_term(body: str, terms: Sequence[FieldTerm]) -> tuple[str, list[Any]]:
    """One term that all fields fit.

    :param body: the SQL expression of the body, a BLOB.
    """
    texts: list[str] = []
    values: list[Any] = []
    for term in terms:
        text, bound = _term(term)
        texts.append(f"coalesce({text}, 0)")
        values += bound
    # CASE, because only that keeps SQLite from looking into what is no JSON, which is an error.
    inner = f"SELECT CASE WHEN json_valid(j) THEN {' AND '.join(texts)} ELSE 0 END"
    return f"({inner} FROM (SELECT CAST({body} AS TEXT) AS j))", values


def _term(term: FieldTerm) -> tuple[str, list[Any]]:
    path = path_of(term.path)
    if term.comparison == "~":
        return _SEARCHED.format(path="?"), [path, path, text_value(term.value)]
    kind = kind_of_value(term.value)
    same = _TYPES[kind].format(path="?")
    if term.comparison not in ("=", "!="):
        if kind not in ("number", "text"):
            return "0", []
        return f"{same} AND json_extract(j, ?) {term.comparison} ?", [path, path, _bound(term.value)]
    bound: list[Any] = [path]
    if kind in ("number", "text"):
        same += " AND json_extract(j, ?) = ?"
        bound += [path, _bound(term.value)]
    if term.comparison == "=":
        return same, bound
    return f"json_type(j, ?) IS NOT NULL AND NOT coalesce({same}, 0)", [path, *bound]


def path_of(path: Sequence[str | int]) -> str:
    """The path as SQLite writes it: ``$."order"[0]."sku"``."""
    steps = (f"[{step}]" if isinstance(step, int) else f".{msgspec.json.encode(step).decode()}" for step in path)
    return "$" + "".join(steps)


def _bound(value: Any) -> Any:
    """SQLite has whole numbers of 64 bits, and reads larger ones as floats."""
    if isinstance(value, int) and not -LARGEST <= value < LARGEST:
        try:
            return float(value)
        except OverflowError:
            return float("inf") if value > 0 else float("-inf")
    return value
