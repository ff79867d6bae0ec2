"""JSON: objects are written by their ``to_json()`` or their attributes."""

from __future__ import annotations

import json
from datetime import date, datetime
from enum import Enum
from typing import Any

from junctor.dialects.pip_services.commons.convert.string_converter import StringConverter
from junctor.dialects.pip_services.commons.convert.type_converter import TypeConverter


class JsonConverter:
    @staticmethod
    def to_json(value: Any) -> str | None:
        """
        :raises TypeError: there is a value inside that JSON has no form for.
        """
        return None if value is None else json.dumps(value, default=json_form)

    @staticmethod
    def from_json(typ: Any, value: str | None) -> Any:
        """The value a text stands for, as the given type (a TypeCode, a class, or None for what JSON says).

        :raises ValueError: it is not JSON.
        """
        if value is None:
            return None
        found = json.loads(value)
        return found if typ is None else TypeConverter.to_nullable_type(typ, found)

    @staticmethod
    def to_nullable_map(value: Any) -> dict[str, Any] | None:
        """The object a text stands for, or None: it is not JSON, or not an object."""
        try:
            found = json.loads(value)
        except (TypeError, ValueError):
            return None
        return found if isinstance(found, dict) else None

    @staticmethod
    def to_map(value: Any) -> dict[str, Any]:
        return JsonConverter.to_map_with_default(value, {})

    @staticmethod
    def to_map_with_default(value: Any, default_value: dict[str, Any]) -> dict[str, Any]:
        found = JsonConverter.to_nullable_map(value)
        return default_value if found is None else found


def json_form(value: Any) -> Any:
    """What stands for a value that JSON does not know: for the ``default`` of :func:`json.dumps`."""
    if isinstance(value, datetime):
        return StringConverter.to_string(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, set | frozenset):
        return list(value)
    if isinstance(value, Enum):
        return value.value
    if callable(own := getattr(value, "to_json", None)):
        return own()
    if hasattr(value, "__dict__") and not isinstance(value, type):
        return vars(value)
    raise TypeError(f"a {type(value).__name__} has no form in JSON")
