"""Texts out of values."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any


class StringConverter:
    """Moments become ISO 8601 with their zone, lists their elements with commas between, all else ``str(value)``."""

    @staticmethod
    def to_nullable_string(value: Any) -> str | None:
        if value is None or type(value) is str:
            return value
        if isinstance(value, datetime):
            return _moment(value)
        if isinstance(value, list | tuple):
            return ",".join(StringConverter.to_string(item) for item in value)
        return str(value)

    @staticmethod
    def to_string(value: Any) -> str:
        """Nothing is the empty text."""
        return StringConverter.to_nullable_string(value) or ""

    @staticmethod
    def to_string_with_default(value: Any, default_value: Any) -> Any:
        found = StringConverter.to_nullable_string(value)
        return default_value if found is None else found


def _moment(value: datetime) -> str:
    # Without a zone it is local time: it is told in UTC, and only then marked so.
    if value.tzinfo is None:
        value = value.astimezone(UTC)
    return value.isoformat().replace("+00:00", "Z")
