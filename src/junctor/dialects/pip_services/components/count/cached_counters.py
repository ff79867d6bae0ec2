"""Measurements that are collected, and saved together."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime

from junctor.dialects.pip_services.commons.config import ConfigParams, IReconfigurable
from junctor.dialects.pip_services.components.count.counter import Counter, CounterType
from junctor.dialects.pip_services.components.count.counter_timing import CounterTiming
from junctor.dialects.pip_services.components.count.interfaces import ICounters, ICounterTimingCallback


class CachedCounters(ICounters, IReconfigurable, ICounterTimingCallback):
    """The base class of counters; subclasses write ``_save``. What is not saved when the container closes is saved
    then.

    Parameters: ``interval`` or ``options.interval`` between two saves (300000 ms).
    """

    def __init__(self) -> None:
        self._interval = 300_000
        self._cache: dict[str, Counter] = {}
        self._updated = False
        self._opened = False
        self._dumped = time.monotonic()
        self._lock = threading.RLock()

    def configure(self, config: ConfigParams) -> None:
        default = config.get_as_integer_with_default("interval", self._interval)
        self._interval = config.get_as_integer_with_default("options.interval", default)

    def is_open(self) -> bool:
        return self._opened

    def open(self, correlation_id: str | None) -> None:
        self._opened = True

    def close(self, correlation_id: str | None) -> None:
        """Save the last measurements."""
        self._opened = False
        self.dump()

    def get_interval(self) -> int:
        return self._interval

    def set_interval(self, value: int) -> None:
        self._interval = value

    def _save(self, counters: list[Counter]) -> None:
        raise NotImplementedError(f"{type(self).__name__}._save is not written")

    def clear(self, name: str) -> None:
        with self._lock:
            self._cache.pop(name, None)

    def clear_all(self) -> None:
        with self._lock:
            self._cache.clear()
            self._updated = False

    def dump(self) -> None:
        """Save now, where something has changed since the last time."""
        with self._lock:
            if not self._updated:
                return
            self._updated = False
            self._dumped = time.monotonic()
            counters = self.get_all()
        self._save(counters)

    def _update(self) -> None:
        """Save when it is time."""
        self._updated = True
        if (time.monotonic() - self._dumped) * 1000 > self._interval:
            self.dump()

    def get_all(self) -> list[Counter]:
        with self._lock:
            return list(self._cache.values())

    def get(self, name: str, typ: int) -> Counter:
        """The counter of this name, a new one where there is none of this type.

        :raises ValueError: there is no name.
        """
        if not name:
            raise ValueError("Name cannot be null")
        with self._lock:
            found = self._cache.get(name)
            if found is None or found.type != typ:
                found = self._cache[name] = Counter(name, typ)
            return found

    def begin_timing(self, name: str) -> CounterTiming:
        return CounterTiming(name, self)

    def end_timing(self, name: str, elapsed: float) -> None:
        self._measure(name, CounterType.Interval, elapsed)

    def stats(self, name: str, value: float) -> None:
        self._measure(name, CounterType.Statistics, value)

    def _measure(self, name: str, kind: int, value: float) -> None:
        with self._lock:
            counter = self.get(name, kind)
            count = counter.count or 0
            counter.last = value
            counter.count = count + 1
            counter.min = value if counter.min is None else min(counter.min, value)
            counter.max = value if counter.max is None else max(counter.max, value)
            counter.average = ((counter.average or 0.0) * count + value) / (count + 1)
        self._update()

    def last(self, name: str, value: float) -> None:
        with self._lock:
            self.get(name, CounterType.LastValue).last = value
        self._update()

    def timestamp_now(self, name: str) -> None:
        self.timestamp(name, datetime.now(UTC))

    def timestamp(self, name: str, value: datetime | None) -> None:
        with self._lock:
            self.get(name, CounterType.Timestamp).time = value or datetime.now(UTC)
        self._update()

    def increment_one(self, name: str) -> None:
        self.increment(name, 1)

    def increment(self, name: str, value: int) -> None:
        with self._lock:
            counter = self.get(name, CounterType.Increment)
            counter.count = (counter.count or 0) + value
        self._update()
