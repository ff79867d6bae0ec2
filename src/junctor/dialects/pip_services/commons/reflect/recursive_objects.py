"""The same for nested data, with dotted names: ``order.lines.0.price``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from enum import Enum
from typing import Any

from junctor.dialects.pip_services.commons.reflect.objects import ObjectReader, ObjectWriter

_SIMPLE = (str, bytes, int, float, date, timedelta, Enum, type)


class RecursiveObjectReader:
    @staticmethod
    def has_property(obj: Any, name: str) -> bool:
        if obj is None or not name:
            return False
        *path, last = name.split(".")
        return ObjectReader.has_property(_descend(obj, path), last)

    @staticmethod
    def get_property(obj: Any, name: str) -> Any:
        """The value, or None where there is none."""
        return _descend(obj, name.split(".")) if obj is not None and name else None

    @staticmethod
    def get_property_names(obj: Any) -> list[str]:
        return list(RecursiveObjectReader.get_properties(obj))

    @staticmethod
    def get_properties(obj: Any) -> dict[str, Any]:
        """All leaves by their dotted names; an empty map or list is a leaf. Cycles end where they close."""
        return {} if obj is None or isinstance(obj, _SIMPLE) else dict(_leaves(obj, "", (id(obj),)))


class RecursiveObjectWriter:
    @staticmethod
    def set_property(obj: Any, name: str, value: Any) -> None:
        """Maps on the way are made where there are none."""
        if obj is None or not name:
            return
        *path, last = name.split(".")
        for step in path:
            inner = ObjectReader.get_property(obj, step)
            if inner is None or isinstance(inner, _SIMPLE):
                inner = {}
                ObjectWriter.set_property(obj, step, inner)
            obj = inner
        ObjectWriter.set_property(obj, last, value)

    @staticmethod
    def set_properties(obj: Any, values: Mapping[str, Any] | None) -> None:
        for name, value in (values or {}).items():
            RecursiveObjectWriter.set_property(obj, name, value)

    @staticmethod
    def copy_properties(dest: Any, src: Any) -> None:
        """Sets each leaf of the one in the other."""
        RecursiveObjectWriter.set_properties(dest, RecursiveObjectReader.get_properties(src))


def _descend(obj: Any, path: list[str]) -> Any:
    for step in path:
        obj = ObjectReader.get_property(obj, step)
        if obj is None:
            return None
    return obj


def _leaves(obj: Any, prefix: str, above: tuple[int, ...]) -> Iterator[tuple[str, Any]]:
    for name, value in ObjectReader.get_properties(obj).items():
        path = f"{prefix}{name}"
        if value is None or isinstance(value, _SIMPLE) or not ObjectReader.get_properties(value):
            yield path, value
        elif id(value) not in above:
            yield from _leaves(value, f"{path}.", (*above, id(value)))
