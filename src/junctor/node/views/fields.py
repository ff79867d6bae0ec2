"""Terms about fields of a body as people write them: ``order.id=500``, ``amount>100``, ``lines.0.sku~AB``."""

from __future__ import annotations

import re
from typing import cast

import msgspec

from junctor.core.records import Comparison, FieldTerm

_STEP = r'"(?:[^"\\]|\\.)*"|[^".=!<>~]+'
_TERM = re.compile(
    rf"\s*(?P<path>(?:{_STEP})(?:\.(?:{_STEP}))*)\s*(?P<comparison>!=|<=|>=|=|<|>|~)(?![=<>~])(?P<value>.*)", re.S
)

SYNTAX = "Write a path, a comparison and a value: order.id=500, amount>100, name~Ann, lines.0.sku!=X."


def field_term(text: str) -> FieldTerm:
    """The term that a text says.

    The path are names with points between, and numbers from 0 in lists; a name with a point, or of digits alone, stands
    in quotes: ``"a.b".c``. The value is JSON where it can be read so (``500``, ``true``, ``null``, ``"500"``), else
    text.

    :raises ValueError: it says none.
    """
    found = _TERM.fullmatch(text)
    if found is None:
        raise ValueError(f'"{text}" is no comparison of a field')
    path, comparison = found["path"].strip(), cast(Comparison, found["comparison"])
    try:
        steps = tuple(_step(step.strip()) for step in re.findall(_STEP, path))
    except msgspec.DecodeError:
        raise ValueError(f"the name {path} is not closed") from None
    return FieldTerm(steps, comparison, _value(found["value"].strip(), comparison))


def _step(step: str) -> str | int:
    if step.startswith('"'):
        return msgspec.json.decode(step.encode(), type=str)
    return int(step) if step.isdecimal() and step.isascii() else step


def _value(text: str, comparison: str) -> str | int | float | bool | None:
    """What ``~`` looks for is the text as it is written: 1e3 is not 1000.0."""
    if comparison == "~" and not text.startswith('"'):
        return text
    try:
        value = msgspec.json.decode(text.encode())
    except (msgspec.MsgspecError, UnicodeEncodeError):
        return text
    return value if value is None or isinstance(value, str | int | float | bool) else text
