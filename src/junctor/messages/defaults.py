"""Dataclasses as their constructor would have made them.

msgspec leaves a field with a plain default out of an instance that it decodes, because the class has the value: reading
it works, and encoding the object again drops it. A message that is passed on would lose the field, and a condition on
it would find nothing. So what is missing is put in.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from msgspec import inspect

Fill = Callable[[Any], object]


def filling(cls: Any) -> Fill | None:
    """What completes a decoded value of this type in place; None where no part of it can lack anything."""
    try:
        kind = inspect.type_info(cls)
    except Exception:  # noqa: BLE001 - a type that msgspec only knows by our hooks has no parts of its making
        return None
    return _Filler().of(kind)


class _Filler:
    def __init__(self) -> None:
        self._classes: dict[type, Fill | None] = {}

    def of(self, kind: inspect.Type) -> Fill | None:
        if isinstance(kind, inspect.DataclassType | inspect.StructType):
            return self._object(kind)
        if isinstance(kind, inspect.CollectionType):
            return _each(self.of(kind.item_type))
        if isinstance(kind, inspect.TupleType):
            return _places([self.of(part) for part in kind.item_types])
        if isinstance(kind, inspect.DictType):
            values = self.of(kind.value_type)
            return _values(values)
        if isinstance(kind, inspect.UnionType):
            return self._union(kind)
        return None

    def _object(self, kind: inspect.DataclassType | inspect.StructType) -> Fill | None:
        cls = kind.cls
        if cls in self._classes:
            # A type within itself: whether it needs anything is only known when it is through.
            return lambda value: (fill := self._classes[cls]) is not None and fill(value)
        self._classes[cls] = None
        parts = [(field.name, fill) for field in kind.fields if (fill := self.of(field.type)) is not None]
        plain = _plain_defaults(cls) if isinstance(kind, inspect.DataclassType) else {}
        self._classes[cls] = made = _fields(plain, len(kind.fields), parts)
        return made

    def _union(self, kind: inspect.UnionType) -> Fill | None:
        by_class: dict[type, Fill] = {}
        for part in kind.types:
            fill = self.of(part)
            if fill is not None:
                by_class[_class_of(part)] = fill
        if not by_class:
            return None

        def fill_one(value: Any) -> None:
            fill = by_class.get(type(value))
            if fill is not None:
                fill(value)

        return fill_one


def _plain_defaults(cls: type) -> dict[str, Any]:
    if hasattr(cls, "__slots__") and "__dict__" not in dir(cls):
        return {}
    fields = dataclasses.fields(cls) if dataclasses.is_dataclass(cls) else ()
    return {field.name: field.default for field in fields if field.default is not dataclasses.MISSING}


def _fields(plain: dict[str, Any], count: int, parts: list[tuple[str, Fill]]) -> Fill | None:
    if not plain and not parts:
        return None

    def fill(value: Any) -> None:
        if plain and len(own := value.__dict__) < count:
            for name, default in plain.items():
                own.setdefault(name, default)
        for name, part in parts:
            part(getattr(value, name))

    return fill


def _each(fill: Fill | None) -> Fill | None:
    if fill is None:
        return None

    def fill_each(values: Any) -> None:
        for value in values:
            fill(value)

    return fill_each


def _places(fills: list[Fill | None]) -> Fill | None:
    if not any(fills):
        return None

    def fill_places(values: Any) -> None:
        for fill, value in zip(fills, values, strict=True):
            if fill is not None:
                fill(value)

    return fill_places


def _values(fill: Fill | None) -> Fill | None:
    each = _each(fill)
    return None if each is None else lambda values: each(values.values())


def _class_of(kind: inspect.Type) -> type:
    cls = getattr(kind, "cls", None)
    if isinstance(cls, type):
        return cls
    plain = {inspect.ListType: list, inspect.SetType: set, inspect.FrozenSetType: frozenset, inspect.DictType: dict}
    return plain.get(type(kind), tuple)


def filled(decode: Callable[[Any], Any], cls: Any) -> Callable[[Any], Any]:
    """The decoding function with the filling behind it, where the type needs one."""
    fill = filling(cls)
    if fill is None:
        return decode

    def decode_and_fill(data: Any) -> Any:
        value = decode(data)
        fill(value)
        return value

    return decode_and_fill
