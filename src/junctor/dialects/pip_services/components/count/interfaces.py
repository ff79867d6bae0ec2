"""What takes measurements."""

from __future__ import annotations

from abc import ABC
from datetime import datetime
from typing import Any


class ICounters(ABC):  # noqa: B024 - CachedCounters has all of it
    """Measurements by name, ``component.operation.measure`` as a rule."""

    def begin_timing(self, name: str) -> Any:
        """Begin to measure a time; ``end_timing()`` of what it answers ends it."""
        raise NotImplementedError

    def stats(self, name: str, value: float) -> None:
        """Least, greatest and average of values."""
        raise NotImplementedError

    def last(self, name: str, value: float) -> None:
        """The newest value."""
        raise NotImplementedError

    def timestamp_now(self, name: str) -> None:
        raise NotImplementedError

    def timestamp(self, name: str, value: datetime) -> None:
        raise NotImplementedError

    def increment_one(self, name: str) -> None:
        raise NotImplementedError

    def increment(self, name: str, value: int) -> None:
        raise NotImplementedError


class ICounterTimingCallback(ABC):  # noqa: B024 - counters of programs inherit it where they like
    """Is told of the end of a time."""

    def end_timing(self, name: str, elapsed: float) -> None:
        """
        :param elapsed: milliseconds.
        """
        raise NotImplementedError
