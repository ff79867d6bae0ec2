"""No measurements."""

from __future__ import annotations

from datetime import datetime

from junctor.dialects.pip_services.components.count.counter_timing import CounterTiming
from junctor.dialects.pip_services.components.count.interfaces import ICounters


class NullCounters(ICounters):
    """Takes them and forgets them."""

    def begin_timing(self, name: str) -> CounterTiming:
        return CounterTiming()

    def stats(self, name: str, value: float) -> None:
        """Nothing."""

    def last(self, name: str, value: float) -> None:
        """Nothing."""

    def timestamp_now(self, name: str) -> None:
        """Nothing."""

    def timestamp(self, name: str, value: datetime) -> None:
        """Nothing."""

    def increment_one(self, name: str) -> None:
        """Nothing."""

    def increment(self, name: str, value: int) -> None:
        """Nothing."""
