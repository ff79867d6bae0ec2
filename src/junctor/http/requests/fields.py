"""One parameter that is read from text: its name in the request, how the text becomes a value, and what to say when it
does not."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec

from junctor.http.problem import HttpError
from junctor.http.requests.annotations import Declared, is_many, mentions_float, names_of
from junctor.messages import codec
from junctor.messages.sensitive import sensitive_paths

Convert = Callable[[Any], Any]
Wrong = list[dict[str, str]]


class Field(msgspec.Struct, frozen=True):
    """``key`` is the name in the request, or the index in the path.

    ``many`` takes every value of a repeated name. ``convert`` None leaves the text as it is. ``sensitive``: its value
    is not told.
    """

    name: str
    place: str
    key: Any
    expects: str
    convert: Convert | None
    required: bool
    many: bool = False
    sensitive: bool = False


def field_of(one: Declared, key: Any = None, convert: Convert | None = None) -> Field:
    """The field of a parameter.

    :param key: what to look for, when it is not the parameter's name in its place.
    :param convert: from the text, when it is not the plain way of its type.
    """
    many = is_many(one.type) and one.place != "path" and convert is None
    made = convert or converter(one.type)
    sensitive = bool(sensitive_paths(one.type))
    found = one.key if key is None else key
    return Field(one.name, one.place, found, names_of(one.type), made, one.required, many, sensitive)


def converter(kind: Any) -> Convert | None:
    """From text to a value of this type; None for text."""
    if kind is str or kind is Any:
        return None
    convert: Convert = partial(codec.convert, cls=kind, strict=False)
    if kind in (int, float, bool):
        convert = partial(msgspec.convert, type=kind, strict=False)
    return partial(_finite, convert) if mentions_float(kind) else convert


def _finite(convert: Convert, value: Any) -> Any:
    made = convert(value)
    numbers = made if isinstance(made, (list, tuple, set, frozenset)) else (made,)
    for number in numbers:
        if type(number) is float and not math.isfinite(number):
            raise ValueError("expected a finite number")
    return made


def put(arguments: dict[str, Any], field: Field, given: list[str] | None, wrong: Wrong) -> None:
    """Enter the value of one field among the arguments, or why there is none among ``wrong``."""
    if not given:
        if field.required:
            wrong.append(entry(field, "is missing"))
        return
    if len(given) > 1 and not field.many:
        wrong.append(entry(field, f"is given {len(given)} times, once is expected"))
        return
    value = given if field.many else given[0]
    if field.convert is None:
        arguments[field.name] = value
        return
    try:
        arguments[field.name] = field.convert(value)
    except (msgspec.MsgspecError, ValueError, TypeError, RecursionError) as error:
        expected = f"expected {field.expects}"
        wrong.append(entry(field, expected if field.sensitive else reason_of(field.expects, value, error)))


def reason_of(expects: str, value: Any, error: Exception) -> str:
    """What is wrong with a text, and the text."""
    shown = ascii(value)
    shown = f"{shown[:60]}..." if len(shown) > 60 else shown
    lines = str(error).splitlines() or [""]
    text, _, path = lines[0].partition(" - at `$")
    text = text.replace("`", "")
    if ", got " in text or text.startswith("Invalid") or not text:
        text = f"expected {expects}"
    at = f" at {path.rstrip('`')}" if path else ""
    return f"{text[:1].lower()}{text[1:]}{at}, got {shown}"


def entry(field: Field, reason: str) -> dict[str, str]:
    """What the answer says about one wrong parameter."""
    name = field.key.decode() if field.place == "header" else str(field.name if field.place == "path" else field.key)
    return {"parameter": name, "in": field.place, "reason": reason}


def refusal(wrong: Wrong) -> HttpError:
    """422 with every wrong parameter."""
    first = wrong[0]
    more = f", and {len(wrong) - 1} more" if len(wrong) > 1 else ""
    glue = " " if first["reason"].startswith("is ") else ": "
    return HttpError(
        f"{first['in']} parameter {first['parameter']}{glue}{first['reason']}{more}",
        status=422,
        code="parameter",
        fix="Correct the named parameters and send the request again.",
        errors=tuple(wrong),
    )
