"""Mappings out of values."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from enum import Enum
from typing import Any

_SIMPLE = (str, bytes, int, float, date, timedelta, Enum, type)


class MapConverter:
    """An object gives its public attributes, a list its elements by their number; a single value gives nothing."""

    @staticmethod
    def to_nullable_map(value: Any) -> dict[Any, Any] | None:
        if value is None or isinstance(value, _SIMPLE):
            return None
        if isinstance(value, Mapping):
            return dict(value)
        if isinstance(value, list | tuple):
            return {str(index): item for index, item in enumerate(value)}
        found = getattr(value, "__dict__", None)
        return None if found is None else {name: item for name, item in found.items() if not name.startswith("_")}

    @staticmethod
    def to_map(value: Any) -> dict[Any, Any]:
        return MapConverter.to_map_with_default(value, {})

    @staticmethod
    def to_map_with_default(value: Any, default_value: dict[Any, Any]) -> dict[Any, Any]:
        found = MapConverter.to_nullable_map(value)
        return default_value if found is None else found


class RecursiveMapConverter:
    """The same down to the leaves: mappings, lists and objects inside are converted too."""

    @staticmethod
    def to_nullable_map(value: Any) -> dict[Any, Any] | None:
        found = MapConverter.to_nullable_map(value)
        return None if found is None else {key: _converted(item) for key, item in found.items()}

    @staticmethod
    def to_map(value: Any) -> dict[Any, Any]:
        return RecursiveMapConverter.to_map_with_default(value, {})

    @staticmethod
    def to_map_with_default(value: Any, default_value: dict[Any, Any]) -> dict[Any, Any]:
        found = RecursiveMapConverter.to_nullable_map(value)
        return default_value if found is None else found


def _converted(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_converted(item) for item in value]
    found = RecursiveMapConverter.to_nullable_map(value)
    return value if found is None else found
