"""Several counters as one."""

from __future__ import annotations

from datetime import UTC, datetime

from junctor.dialects.pip_services.commons.refer import Descriptor, IReferenceable, IReferences
from junctor.dialects.pip_services.components.count.counter_timing import CounterTiming
from junctor.dialects.pip_services.components.count.interfaces import ICounters, ICounterTimingCallback

_COUNTERS = Descriptor(None, "counters", None, None, None)


class CompositeCounters(ICounters, ICounterTimingCallback, IReferenceable):
    """Gives each measurement to all counters of its container.

    :param references: see :meth:`set_references`.
    """

    def __init__(self, references: IReferences | None = None) -> None:
        self._counters: list[ICounters] = []
        if references is not None:
            self.set_references(references)

    def set_references(self, references: IReferences) -> None:
        """Take all counters, each once."""
        for found in references.get_optional(_COUNTERS):
            if found is not self and isinstance(found, ICounters) and all(found is not one for one in self._counters):
                self._counters.append(found)

    def begin_timing(self, name: str) -> CounterTiming:
        return CounterTiming(name, self)

    def end_timing(self, name: str, elapsed: float) -> None:
        for counters in self._counters:
            if isinstance(counters, ICounterTimingCallback):
                counters.end_timing(name, elapsed)

    def stats(self, name: str, value: float) -> None:
        for counters in self._counters:
            counters.stats(name, value)

    def last(self, name: str, value: float) -> None:
        for counters in self._counters:
            counters.last(name, value)

    def timestamp_now(self, name: str) -> None:
        self.timestamp(name, datetime.now(UTC))

    def timestamp(self, name: str, value: datetime) -> None:
        for counters in self._counters:
            counters.timestamp(name, value)

    def increment_one(self, name: str) -> None:
        self.increment(name, 1)

    def increment(self, name: str, value: int) -> None:
        if not name:
            raise ValueError("Name cannot be null")
        for counters in self._counters:
            counters.increment(name, value)
