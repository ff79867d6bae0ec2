"""Points in time out of values.

Every result has a zone. A text without one is read as UTC; a ``datetime`` without one is local time, as Python has it.
The original marked local time as UTC.
"""

from __future__ import annotations

from datetime import UTC as _UTC
from datetime import date, datetime, timedelta
from typing import Any

UTC = _UTC
_EPOCH = datetime(1970, 1, 1, tzinfo=_UTC)


class DateTimeConverter:
    """A number is milliseconds since 1970, a text is ISO 8601."""

    @staticmethod
    def to_nullable_datetime(value: Any) -> datetime | None:
        if value is None or isinstance(value, bool):
            return None
        if isinstance(value, datetime):
            return value if value.tzinfo is not None else value.astimezone(_UTC)
        if isinstance(value, date):
            return datetime(value.year, value.month, value.day, tzinfo=_UTC)
        try:
            return _EPOCH + timedelta(milliseconds=value) if isinstance(value, int | float) else _parse(str(value))
        except (ValueError, OverflowError):
            return None

    @staticmethod
    def to_datetime(value: Any) -> datetime | None:
        return DateTimeConverter.to_nullable_datetime(value)

    @staticmethod
    def to_datetime_with_default(value: Any, default_value: datetime | None = None) -> datetime | None:
        found = DateTimeConverter.to_nullable_datetime(value)
        return default_value if found is None else found

    @staticmethod
    def to_utc_datetime(value: Any) -> datetime | None:
        """The same moment, told in UTC."""
        found = DateTimeConverter.to_nullable_datetime(value)
        return None if found is None else found.astimezone(_UTC)


def milliseconds(value: datetime) -> int:
    """Milliseconds since 1970."""
    found = value if value.tzinfo is not None else value.astimezone(_UTC)
    return (found - _EPOCH) // timedelta(milliseconds=1)


def _parse(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found if found.tzinfo is not None else found.replace(tzinfo=_UTC)
