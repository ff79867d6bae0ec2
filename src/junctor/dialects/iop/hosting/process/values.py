"""Values of attributes as JSON and back, exactly: a tuple comes back as a tuple, a message as its object.

What JSON has no form for is an object whose first key begins with "$": ``{"$tuple": [1, 2]}``. Objects of classes are
made without a call of ``__init__``, of classes that the project knows: see :mod:`.classes`.
"""

from __future__ import annotations

import base64
import collections
import dataclasses
import enum
import functools
import math
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from junctor.dialects.iop.hosting.process.classes import Classes
from junctor.dialects.iop.messages import UntypedMessage
from junctor.messages import codec
from junctor.messages.sensitive import sensitive_paths


class _NotCarried(Exception):
    """A value, or a part of it, has no form that could be stored. The text says which."""


class _NotKnown(Exception):
    """What is stored is of a class that the project does not have any more, or has no such form."""


_PLAIN = frozenset({type(None), bool, int, str})
_LISTED: dict[type, str] = {
    tuple: "$tuple",
    set: "$set",
    frozenset: "$frozenset",
    collections.deque: "$deque",
}
_TEXTS: dict[type, tuple[str, Callable[[Any], str], Callable[[str], Any]]] = {
    float: ("$float", repr, float),
    complex: ("$complex", str, complex),
    bytes: ("$bytes", lambda value: base64.b64encode(value).decode(), base64.b64decode),
    bytearray: ("$bytearray", lambda value: base64.b64encode(value).decode(), lambda t: bytearray(base64.b64decode(t))),
    datetime: ("$datetime", datetime.isoformat, datetime.fromisoformat),
    date: ("$date", date.isoformat, date.fromisoformat),
    time: ("$time", time.isoformat, time.fromisoformat),
    timedelta: (
        "$timedelta",
        lambda value: f"{value.days} {value.seconds} {value.microseconds}",
        lambda text: timedelta(*map(int, text.split())),
    ),
    Decimal: ("$decimal", str, Decimal),
    UUID: ("$uuid", str, UUID),
}
_FACTORIES: dict[str, Any] = {"list": list, "dict": dict, "set": set, "int": int, "str": str, "float": float}
_MAPPED: dict[type, str] = {
    dict: "$dict",
    collections.OrderedDict: "$ordereddict",
    collections.Counter: "$counter",
    UntypedMessage: "$untyped",
}


class Written(NamedTuple):
    """A value as JSON. ``sensitive``: operators must not see a part of it."""

    data: bytes
    sensitive: bool


class Values:
    """Writes and reads the values of one process class."""

    NotCarried = _NotCarried
    NotKnown = _NotKnown

    def __init__(self, classes: Classes) -> None:
        self._classes = classes
        self._reader = _Reader(classes)

    def write(self, value: Any) -> Written:
        """The value as JSON.

        :raises Values.NotCarried: it has no form, or holds itself.
        """
        writer = _Writer(self._classes)
        try:
            return Written(msgspec.json.encode(writer.plain(value)), writer.sensitive)
        except RecursionError as error:
            raise _NotCarried(f"{type(value).__name__} that holds itself, or is nested too deep") from error
        except (TypeError, ValueError) as error:  # a text that is not Unicode
            raise _NotCarried(f"{type(value).__name__}: {error}") from error

    def read(self, data: bytes | msgspec.Raw) -> Any:
        """The value that was written.

        :raises Values.NotKnown: a class of it is not there any more, or takes no such value.
        """
        return self._reader.value(msgspec.json.decode(data))


class _Writer:
    """One value on its way to JSON."""

    def __init__(self, classes: Classes) -> None:
        self._classes = classes
        self.sensitive = False

    def plain(self, value: Any) -> Any:
        kind = type(value)
        if kind in _PLAIN or (kind is float and math.isfinite(value)):
            return value
        if kind is list:
            return [self.plain(one) for one in value]
        if kind is dict and all(type(name) is str and not name.startswith("$") for name in value):
            return {name: self.plain(one) for name, one in value.items()}
        if (text := _TEXTS.get(kind)) is not None:
            return {text[0]: text[1](value)}
        if (tag := _LISTED.get(kind)) is not None:
            parts = [self.plain(one) for one in value]
            return {tag: sorted(parts, key=repr) if kind in (set, frozenset) else parts}
        if (tag := _MAPPED.get(kind)) is not None:
            return {tag: self._pairs(value)}
        if kind is collections.defaultdict:
            return {"$defaultdict": self._pairs(value), "of": _factory(value)}
        return self._of_class(kind, value)

    def _pairs(self, value: Mapping[Any, Any]) -> list[list[Any]]:
        return [[self.plain(name), self.plain(one)] for name, one in value.items()]

    def _of_class(self, kind: type, value: Any) -> Any:
        name = self._classes.name_of(kind)
        if name is None:
            raise _NotCarried(kind.__name__)
        if isinstance(value, enum.Enum):
            return {"$enum": name, "value": self.plain(value.value)}
        self.sensitive = self.sensitive or _is_sensitive(kind)
        if codec.is_pydantic(kind):
            return {"$model": name, **self._model_parts(value)}
        if dataclasses.is_dataclass(kind):
            return {"$object": name, "fields": self.plain(_inside(value))}
        return {"$body": name, "value": codec.to_plain(value)}

    def _model_parts(self, value: Any) -> dict[str, Any]:
        parts = {"fields": value.__dict__, "set": sorted(value.model_fields_set)}
        parts["extra"], parts["private"] = value.__pydantic_extra__, value.__pydantic_private__
        return {name: self.plain(part) for name, part in parts.items() if part}


@functools.lru_cache(maxsize=256)
def _is_sensitive(kind: type) -> bool:
    return bool(sensitive_paths(kind))


class _Reader:
    """Makes values from JSON."""

    def __init__(self, classes: Classes) -> None:
        self._classes = classes
        self._readers: dict[str, Callable[[Any], Any]] = {
            **{tag: self._listed(kind) for kind, tag in _LISTED.items()},
            **{tag: read for tag, _, read in _TEXTS.values()},
            **{tag: self._mapped(kind) for kind, tag in _MAPPED.items()},
            "$defaultdict": self._defaultdict,
            "$enum": self._enum,
            "$object": self._object,
            "$model": self._model,
            "$body": self._body,
        }

    def value(self, plain: Any) -> Any:
        if type(plain) is list:
            return [self.value(one) for one in plain]
        if type(plain) is not dict:
            return plain
        tag = next(iter(plain), "")
        if not tag.startswith("$"):
            return {name: self.value(one) for name, one in plain.items()}
        reader = self._readers.get(tag)
        if reader is None:
            raise _NotKnown(f"nothing reads {tag}")
        return reader(plain if tag in _WITH_MORE else plain[tag])

    def _listed(self, kind: Callable[[Any], Any]) -> Callable[[Any], Any]:
        return lambda parts: kind(self.value(one) for one in parts)

    def _mapped(self, kind: Callable[[Any], Any]) -> Callable[[Any], Any]:
        return lambda pairs: kind({self.value(name): self.value(one) for name, one in pairs})

    def _defaultdict(self, plain: dict[str, Any]) -> Any:
        made: Any = collections.defaultdict(_FACTORIES.get(plain["of"]))
        made.update((self.value(name), self.value(one)) for name, one in plain["$defaultdict"])
        return made

    def _class(self, name: str) -> Any:
        cls = self._classes.named(name)
        if cls is None:
            raise _NotKnown(f"the project has no class {name} any more")
        return cls

    def _enum(self, plain: dict[str, Any]) -> Any:
        try:
            return self._class(plain["$enum"])(self.value(plain["value"]))
        except ValueError as error:
            raise _NotKnown(str(error)) from error

    def _object(self, plain: dict[str, Any]) -> Any:
        cls = self._class(plain["$object"])
        made, fields = cls.__new__(cls), self.value(plain["fields"])
        for name, value in (fields | _missing(cls, fields)).items():
            try:
                object.__setattr__(made, name, value)
            except AttributeError:  # a field that the class, which has slots, does not have any more
                continue
        return made

    def _model(self, plain: dict[str, Any]) -> Any:
        parts = {name: self.value(plain.get(name)) for name in ("fields", "set", "extra", "private")}
        cls, fields = self._class(plain["$model"]), parts["fields"] or {}
        made = cls.__new__(cls)
        made.__setstate__(
            {
                "__dict__": fields | _missing_in_model(cls, fields),
                "__pydantic_fields_set__": set(parts["set"] or ()),
                "__pydantic_extra__": parts["extra"],
                "__pydantic_private__": parts["private"],
            }
        )
        return made

    def _body(self, plain: dict[str, Any]) -> Any:
        try:
            return codec.convert(plain["value"], self._class(plain["$body"]))
        except msgspec.ValidationError as error:
            raise _NotKnown(str(error)) from error


_WITH_MORE = frozenset({"$defaultdict", "$enum", "$object", "$model", "$body"})


def _factory(value: Any) -> str | None:
    name = getattr(value.default_factory, "__name__", None)
    if value.default_factory is not _FACTORIES.get(name or ""):
        raise _NotCarried(f"defaultdict of {name or value.default_factory}")
    return name


def _inside(value: Any) -> dict[str, Any]:
    """Fields, in slots too, and whatever else was set."""
    fields = {one.name: getattr(value, one.name) for one in dataclasses.fields(value) if hasattr(value, one.name)}
    return {**fields, **getattr(value, "__dict__", {})}


def _missing(cls: Any, stored: Mapping[str, Any]) -> dict[str, Any]:
    """The defaults of fields that the class has got since."""
    made = {}
    for one in dataclasses.fields(cls) if dataclasses.is_dataclass(cls) else ():
        if one.name in stored:
            continue
        if one.default is not dataclasses.MISSING:
            made[one.name] = one.default
        elif one.default_factory is not dataclasses.MISSING:
            made[one.name] = one.default_factory()
    return made


def _missing_in_model(cls: Any, stored: Mapping[str, Any]) -> dict[str, Any]:
    new = {name: field for name, field in cls.model_fields.items() if name not in stored and not field.is_required()}
    return {name: field.get_default(call_default_factory=True) for name, field in new.items()}
