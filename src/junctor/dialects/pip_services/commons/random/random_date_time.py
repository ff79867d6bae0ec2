"""Random points in time, in UTC."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta

_TEN_DAYS = 10 * 24 * 3600 * 1000


class RandomDateTime:
    """Bounds are years or moments; of a single bound it is the first, and now the last."""

    @staticmethod
    def next_date(min_year: int | date, max_year: int | date | None = None) -> datetime:
        """The beginning of a day."""
        found = RandomDateTime.next_datetime(min_year, max_year)
        return found.replace(hour=0, minute=0, second=0, microsecond=0)

    @staticmethod
    def next_datetime(min_year: int | date, max_year: int | date | None = None) -> datetime:
        low = _moment(min_year)
        high = datetime.now(UTC) if max_year is None else _moment(max_year)
        return low + (high - low) * random.random() if high > low else low

    @staticmethod
    def update_datetime(value: datetime, range: float | None = None) -> datetime:
        """A moment near another, at most ``range`` milliseconds away (ten days by default)."""
        away = _TEN_DAYS if range is None else range
        return value + timedelta(milliseconds=random.uniform(-away, away))


def _moment(bound: int | date) -> datetime:
    if isinstance(bound, datetime):
        return bound if bound.tzinfo is not None else bound.astimezone(UTC)
    if isinstance(bound, date):
        return datetime(bound.year, bound.month, bound.day, tzinfo=UTC)
    return datetime(bound, 1, 1, tzinfo=UTC)
