"""Lists out of values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class ArrayConverter:
    """A mapping gives its values, another single value a list of one."""

    @staticmethod
    def to_nullable_array(value: Any) -> list[Any] | None:
        if value is None:
            return None
        if isinstance(value, Mapping):
            return list(value.values())
        if isinstance(value, list | tuple | set | frozenset):
            return list(value)
        return [value]

    @staticmethod
    def to_array(value: Any) -> list[Any]:
        return ArrayConverter.to_array_with_default(value, [])

    @staticmethod
    def to_array_with_default(value: Any, default_value: list[Any]) -> list[Any]:
        found = ArrayConverter.to_nullable_array(value)
        return default_value if found is None else found

    @staticmethod
    def list_to_array(value: Any) -> list[Any]:
        """The same, but a text is divided at its commas."""
        return value.split(",") if isinstance(value, str) else ArrayConverter.to_array(value)
