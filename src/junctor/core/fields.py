"""Whether the body of a message fits a search by its fields."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import msgspec

from junctor.core.records import FieldTerm

_decode = msgspec.json.Decoder().decode
_ABSENT: Final = object()
_ORDER: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def body_fits(payload: bytes, terms: Iterable[FieldTerm]) -> bool:
    """Whether all terms fit the JSON. Never raises: what is no JSON fits no term."""
    try:
        body = _decode(payload)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return False
    return all(field_fits(body, term) for term in terms)


def field_fits(body: object, term: FieldTerm) -> bool:
    """Whether one term fits a decoded body; a body without the field never does.

    Only values of one kind are compared: numbers with numbers, texts with texts by their code points, true, false and
    null with themselves. ``!=`` fits every value that is not the given one, of any kind. ``~`` looks into texts and
    whole numbers.
    """
    found = _at(body, term.path)
    if found is _ABSENT:
        return False
    if term.comparison == "~":
        return _is_searched(found) and text_value(term.value) in str(found)
    if term.comparison in ("=", "!="):
        return _equal(found, term.value) == (term.comparison == "=")
    ordered = kind_of_value(term.value) in ("number", "text")
    return ordered and _same_kind(found, term.value) and _ORDER[term.comparison](found, term.value)


def text_value(value: str | int | float | bool | None) -> str:
    """The text that ``~`` looks for: the value as JSON writes it, a text without its quotes."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def kind_of_value(value: object) -> str:
    """``number``, ``text``, ``true``, ``false`` or ``null``, as JSON tells them apart; ``other`` for lists and
    objects."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return "number"
    return "text" if isinstance(value, str) else "other"


def _at(body: Any, path: Iterable[str | int]) -> object:
    for step in path:
        if isinstance(step, int):
            if not isinstance(body, list) or not 0 <= step < len(body):
                return _ABSENT
        elif not isinstance(body, dict) or step not in body:
            return _ABSENT
        body = body[step]
    return body


def _is_searched(value: object) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool)


def _equal(found: object, value: object) -> bool:
    return _same_kind(found, value) and found == value


def _same_kind(found: object, value: object) -> bool:
    return kind_of_value(found) == kind_of_value(value)
