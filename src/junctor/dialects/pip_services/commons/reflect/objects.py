"""Properties of objects, entries of mappings and elements of lists, all by name."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import Any

from junctor.dialects.pip_services.commons.reflect.property_reflector import PropertyReflector


class ObjectReader:
    @staticmethod
    def get_value(obj: Any) -> Any:
        """What a wrapper such as AnyValue holds; else the object itself."""
        return obj.get_as_object() if type(obj).__name__ == "AnyValue" else obj

    @staticmethod
    def has_property(obj: Any, name: Any) -> bool:
        if isinstance(obj, Mapping):
            return _key(obj, name) is not None
        if isinstance(obj, list | tuple):
            return _index(obj, name) is not None
        return PropertyReflector.has_property(obj, str(name))

    @staticmethod
    def get_property(obj: Any, name: Any) -> Any:
        """The value, or None where there is none."""
        if isinstance(obj, Mapping):
            key = _key(obj, name)
            return None if key is None else obj[key]
        if isinstance(obj, list | tuple):
            index = _index(obj, name)
            return None if index is None else obj[index]
        return PropertyReflector.get_property(obj, str(name))

    @staticmethod
    def get_property_names(obj: Any) -> list[str]:
        return list(ObjectReader.get_properties(obj))

    @staticmethod
    def get_properties(obj: Any) -> dict[str, Any]:
        if obj is None:
            return {}
        if isinstance(obj, Mapping):
            return {str(key): value for key, value in obj.items()}
        if isinstance(obj, list | tuple):
            return {str(index): value for index, value in enumerate(obj)}
        return PropertyReflector.get_properties(obj)


class ObjectWriter:
    @staticmethod
    def set_property(obj: Any, name: Any, value: Any) -> None:
        """A mapping gets a new entry and a list grows; an object keeps the properties it has."""
        if isinstance(obj, MutableMapping):
            key = _key(obj, name)
            obj[str(name) if key is None else key] = value
        elif isinstance(obj, list):
            _put(obj, name, value)
        else:
            PropertyReflector.set_property(obj, str(name), value)

    @staticmethod
    def set_properties(obj: Any, values: Mapping[str, Any] | None) -> None:
        for name, value in (values or {}).items():
            ObjectWriter.set_property(obj, name, value)


def _key(obj: Mapping[Any, Any], name: Any) -> Any:
    """The key that is meant: itself, else the one that is the same in lower case."""
    if name in obj:
        return name
    wanted = str(name).lower()
    return next((key for key in obj if str(key).lower() == wanted), None)


def _index(obj: list[Any] | tuple[Any, ...], name: Any) -> int | None:
    text = str(name)
    return int(text) if text.isdecimal() and int(text) < len(obj) else None


def _put(obj: list[Any], name: Any, value: Any) -> None:
    text = str(name)
    if text.isdecimal():
        obj.extend([None] * (int(text) + 1 - len(obj)))
        obj[int(text)] = value
