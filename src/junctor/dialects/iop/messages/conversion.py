"""From JSON values to the types of annotations, as far as they fit: what does not fit stays what it is."""

from __future__ import annotations

import collections.abc
import dataclasses
import enum
import functools
import types
import typing
from collections.abc import Callable, Iterable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated, Any, Union
from uuid import UUID

import msgspec

from junctor.messages.codec import is_pydantic
from junctor.messages.custom import codec_of

Convert = Callable[[Any], Any]

_SAME = (Any, object, str, int, bool, type(None), dict, list)
_LISTS = (list, collections.abc.Sequence, collections.abc.MutableSequence, collections.abc.Iterable)
_SERIES: dict[Any, Callable[[Iterable[Any]], Any]] = {
    **dict.fromkeys(_LISTS, list),
    tuple: tuple,
    set: set,
    frozenset: frozenset,
    collections.abc.Set: set,
    collections.abc.Collection: list,
}
LEAVES = frozenset((str, int, bool, type(None), float, bytes, datetime, date, time, timedelta, Decimal, UUID))
"""The types whose values are written as they are."""
_MAPPINGS = (dict, collections.abc.Mapping, collections.abc.MutableMapping)

_PLAIN_ORIGINS = (Union, types.UnionType, *_SERIES, *_MAPPINGS)


def converter(kind: Any) -> Convert | None:
    """What makes a value of a type from a JSON value; None where they are the same."""
    while typing.get_origin(kind) is Annotated:
        kind = typing.get_args(kind)[0]
    if kind in _SAME:
        return None
    if kind is float:
        return _float
    origin, parts = typing.get_origin(kind) or kind, typing.get_args(kind)
    if origin in (Union, types.UnionType):
        return _union(parts)
    if origin in _SERIES:
        return _series(origin, parts)
    if origin in _MAPPINGS:
        return _mapping(parts)
    return _class(kind) if isinstance(kind, type) else _usual(kind)


def is_flat(kind: Any) -> bool:
    """Whether values of a type have no attributes that could be lost where msgspec writes them."""
    while typing.get_origin(kind) is Annotated:
        kind = typing.get_args(kind)[0]
    parts = typing.get_args(kind)
    if parts:
        return typing.get_origin(kind) in _PLAIN_ORIGINS and all(part is Ellipsis or is_flat(part) for part in parts)
    return kind in LEAVES or (isinstance(kind, type) and issubclass(kind, enum.Enum))


def _float(value: Any) -> Any:
    try:
        return float(value) if type(value) is int else value
    except OverflowError:
        return value


def _series(origin: Any, parts: tuple[Any, ...]) -> Convert | None:
    if origin is tuple and parts and parts[-1] is not Ellipsis:
        return functools.partial(_fixed, tuple(converter(part) for part in parts))
    make, each = _SERIES[origin], converter(parts[0]) if parts else None
    return None if make is list and each is None else functools.partial(_listed, make, each)


def _fixed(each: tuple[Convert | None, ...], value: Any) -> Any:
    if not isinstance(value, list) or len(value) != len(each):
        return value
    return tuple(part if convert is None else convert(part) for convert, part in zip(each, value, strict=True))


def _listed(make: Callable[[Iterable[Any]], Any], each: Convert | None, value: Any) -> Any:
    if not isinstance(value, list):
        return value
    try:
        return make(value if each is None else map(each, value))
    except TypeError:  # what cannot be in a set
        return value


def _mapping(parts: tuple[Any, ...]) -> Convert | None:
    key, each = (_key(parts[0]), converter(parts[1])) if len(parts) == 2 else (None, None)
    return None if key is None and each is None else functools.partial(_mapped, key, each)


def _key(kind: Any) -> Convert | None:
    """Keys are text in JSON."""
    if kind in (int, float):
        return functools.partial(_usually, kind, strict=False)
    return converter(kind)


def _mapped(key: Convert | None, each: Convert | None, value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {name if key is None else key(name): part if each is None else each(part) for name, part in value.items()}


def _class(cls: type) -> Convert | None:
    if issubclass(cls, enum.Enum):
        return functools.partial(_member, cls)
    if dataclasses.is_dataclass(cls) or is_pydantic(cls) or codec_of(cls) is not None:
        return functools.partial(_object, cls)
    return _usual(cls)


def _member(cls: type[enum.Enum], value: Any) -> Any:
    try:
        return cls(value)
    except Exception:  # noqa: BLE001 - by whatever its _missing_ refuses it
        return value


def _object(cls: type, value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    try:
        return _made(cls, value)
    except Exception:  # noqa: BLE001 - by whatever a constructor refuses it
        return value


def _made(cls: Any, fields: dict[str, Any]) -> Any:
    from junctor.dialects.iop.messages.decoding import made_from  # which needs this module

    return cls.model_validate(fields) if is_pydantic(cls) else made_from(cls, fields)


def _usual(kind: Any) -> Convert | None:
    """Dates, decimals, UUIDs and what else msgspec knows."""
    try:
        msgspec.json.Decoder(kind)
    except Exception:  # noqa: BLE001 - it says by several classes that it does not know the type
        return None
    return functools.partial(_usually, kind)


def _usually(kind: Any, value: Any, *, strict: bool = True) -> Any:
    try:
        return msgspec.convert(value, kind, strict=strict)
    except Exception:  # noqa: BLE001 - it does not fit
        return value


# Unions -------------------------------------------------------------------------------------------------------


def _union(parts: tuple[Any, ...]) -> Convert | None:
    each = [convert for part in parts if (convert := converter(part)) is not None]
    if not each:
        return None
    # JSON has text of its own: `str | datetime` says nothing about which it is.
    text = str in parts
    return functools.partial(_first, each, text)


def _first(each: list[Convert], text: bool, value: Any) -> Any:
    """The first alternative that makes something of it."""
    if value is None or (text and isinstance(value, str)):
        return value
    for convert in each:
        made = convert(value)
        if made is not value:
            return made
    return value
