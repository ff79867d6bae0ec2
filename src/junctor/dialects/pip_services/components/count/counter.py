"""A number that is measured."""

from __future__ import annotations

from datetime import datetime
from typing import Any


class CounterType:
    """What a counter measures."""

    Interval = 0
    LastValue = 1
    Statistics = 2
    Timestamp = 3
    Increment = 4


class Counter:
    """``count`` of an increment, ``last``, ``min``, ``max`` and ``average`` of values, ``time`` of a timestamp.

    :param type: one of :class:`CounterType`.
    """

    def __init__(self, name: str | None = None, type: int | None = None) -> None:
        self.name = name
        self.type = type
        self.last: float | None = None
        self.count: int | None = None
        self.min: float | None = None
        self.max: float | None = None
        self.average: float | None = None
        self.time: datetime | None = None

    def to_json(self) -> dict[str, Any]:
        """What was measured; the rest is left out."""
        time = None if self.time is None else self.time.isoformat().replace("+00:00", "Z")
        values = {**vars(self), "time": time}
        return {name: value for name, value in values.items() if value is not None}
