"""Plain data from outside as what the receiver declares."""

from __future__ import annotations

import contextlib
import functools
import itertools
import typing
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from junctor.core.expressions import Expression, Variables
from junctor.errors import ConfigurationError, ExpressionFailed, SettingError, nearest
from junctor.messages import codec, type_name
from junctor.messages.types import is_body_class
from junctor.services import Target

Reader = Callable[[Any], Any]

Fields = dict[str, Expression]
"""Fields of a body that is made, as expressions. A name with dots is a field of an object in it."""


def checked_fields(fields: Fields, setting: str, *variables: str) -> None:
    """Refuse expressions that look at what is not there.

    :param setting: the name of the setting that they are from.
    :param variables: what they may look at.
    :raises SettingError: one looks at something else.
    """
    for name, expression in fields.items():
        if setting == "fields" and not all(name.split(".")):
            raise SettingError(
                f'"{name}" is no name of a field', where=setting, fix="For example total, or buyer.name."
            )
        try:
            expression.check(*variables)
        except ConfigurationError as error:
            place = f"{name}: " if name != setting else ""
            raise SettingError(f"{place}{error.what}", where=setting, fix=error.fix) from None


def filled(fields: Fields, variables: Variables, kept: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The body that the fields make.

    :param kept: what it has beside them.
    :raises ExpressionFailed: one cannot be evaluated, or is to be in what is no object.
    """
    made = dict(kept or {})
    for name, expression in fields.items():
        *path, last = name.split(".")
        inner = made
        for part in path:
            inner[part] = inner = _object(inner.get(part, {}), name)
        inner[last] = expression.value(variables)
    return made


def _object(value: Any, name: str) -> dict[str, Any]:
    """A copy of an object, so that a field can be put into it."""
    if not isinstance(value, dict):
        raise ExpressionFailed(f"the field {name} is one of an object, and there is {type(value).__name__}")
    return dict(value)


def reader_of(target: Target[Any, Any], name: str = "", *, lax: bool = False) -> Reader:
    """A function that makes a body of plain data: an object of the class that the service at the end of the target
    takes. Plain data stays as it is where that service takes anything.

    What does not fit stays plain data, too. The service with one handler that it is sent to cannot decode it, so it is
    parked there, with the path of the bad field, to be corrected and sent again: one bad record does not stop the
    others.

    :param name: the type, by its name, where the service takes several.
    :param lax: also read numbers and truth values from text, and an empty text as nothing, but where a text is wanted.
    :raises SettingError: there is no type of this name, or none is named and there are several.
    """
    kinds = {type_name(kind): kind for kind in target.accepts if is_body_class(kind)}
    if not kinds:
        return _as_it_is
    if not name and len(kinds) > 1:
        fix = f"Name one: {', '.join(kinds)}."
        raise SettingError(f"{', '.join(target.addresses)} takes several types", where="type", fix=fix)
    if name and name not in kinds:
        raise SettingError(f'"{name}" is not taken at the end of out', where="type", fix=nearest(name, kinds).strip())
    kind = kinds[name] if name else next(iter(kinds.values()))

    def read(value: Any) -> Any:
        try:
            return _from_text(value, kind) if lax else codec.convert(value, kind)
        except Exception:  # noqa: BLE001 - what is wrong is told where it is parked
            return _field_by_field(value, kind) if lax else value

    return read


def _as_it_is(value: Any) -> Any:
    return value


_NO_NUMBERS = frozenset(
    sign + "".join(letters)
    for word in ("nan", "inf", "infinity")
    for letters in itertools.product(*((letter, letter.upper()) for letter in word))
    for sign in ("", "+", "-")
)


def _from_text(value: Any, kind: Any) -> Any:
    """:raises Exception: it does not fit; also where a number would be one that cannot be sent."""
    made = codec.convert(value, kind, strict=False)
    if _may_be_no_number(value):
        codec.encode(made)
    return made


def _may_be_no_number(value: Any) -> bool:
    """Whether a text in it is read as a number that JSON cannot carry, where a number is wanted."""
    if isinstance(value, str):
        return value in _NO_NUMBERS
    try:
        return isinstance(value, dict) and not _NO_NUMBERS.isdisjoint(value.values())
    except TypeError:  # something in it has no hash
        return True


def _field_by_field(value: Any, kind: Any) -> Any:
    """The record without its empty texts where no text is wanted: a table has no other way to say nothing. Where it
    still does not fit, the fields that do are read, so that only the others are complained of."""
    if not isinstance(value, dict):
        return value
    texts = _text_fields(kind)
    filled = {name: part for name, part in value.items() if part != "" or name in texts}
    with contextlib.suppress(Exception):
        return _from_text(filled, kind)
    hints = _hints(kind)
    read = {name: _part(part, hints.get(name, Any)) for name, part in filled.items()}
    # A field that has to be there may be None: one that is left out is its default, where it has one.
    nothing = {name: None for name in value if name not in filled and None in _readings(None, hints.get(name, str))}
    for record in (read, {**read, **nothing}):
        with contextlib.suppress(Exception):
            return _from_text(record, kind)
    return {**read, **nothing}


def _part(value: Any, kind: Any) -> Any:
    """A field as far as it can be read."""
    return next(_readings(value, kind), value)


def _readings(value: Any, kind: Any) -> Iterator[Any]:
    """What a field can be read as, the best first. A number may have blanks around it. One that is out of its bounds is
    one, too: the bounds are complained of then, and not its being text."""
    kinds = (kind, kind.__origin__) if typing.get_origin(kind) is typing.Annotated else (kind,)
    texts = (value, value.strip()) if isinstance(value, str) else (value,)
    for each, text in itertools.product(kinds, texts):
        with contextlib.suppress(Exception):
            yield codec.to_plain(_from_text(text, each))


@functools.lru_cache(maxsize=256)
def _text_fields(kind: Any) -> frozenset[str]:
    return frozenset(name for name, hint in _hints(kind).items() if "" in _readings("", hint))


@functools.lru_cache(maxsize=256)
def _hints(kind: Any) -> dict[str, Any]:
    try:
        return typing.get_type_hints(kind, include_extras=True)
    except Exception:  # noqa: BLE001 - names that only a type checker knows
        return {}
