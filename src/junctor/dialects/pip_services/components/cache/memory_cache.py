"""Values in memory."""

from __future__ import annotations

import threading
import time
from typing import Any

from junctor.dialects.pip_services.commons.config import ConfigParams, IReconfigurable
from junctor.dialects.pip_services.commons.run import ICleanable
from junctor.dialects.pip_services.components.cache.interfaces import ICache


class CacheEntry:
    """A value and when its time is over.

    :param timeout: milliseconds.
    """

    def __init__(self, key: str, value: Any, timeout: float) -> None:
        self._key = key
        self.set_value(value, timeout)

    def get_key(self) -> str:
        return self._key

    def get_value(self) -> Any:
        return self._value

    def get_expiration(self) -> float:
        """Seconds on the clock of :func:`time.monotonic`."""
        return self._expiration

    def set_value(self, value: Any, timeout: float) -> None:
        self._value = value
        self._expiration = time.monotonic() + timeout / 1000

    def is_expired(self) -> bool:
        return self._expiration < time.monotonic()


class MemoryCache(ICache, IReconfigurable, ICleanable):
    """Parameters: ``options.timeout`` (60000 ms), ``options.max_size`` (1000 values; the one that ends first goes)."""

    def __init__(self) -> None:
        self._cache: dict[str, CacheEntry] = {}
        self._timeout = 60_000
        self._max_size = 1000
        self._lock = threading.Lock()

    def configure(self, config: ConfigParams) -> None:
        self._timeout = config.get_as_integer_with_default("options.timeout", self._timeout)
        self._max_size = config.get_as_integer_with_default("options.max_size", self._max_size)

    def retrieve(self, correlation_id: str | None, key: str) -> Any:
        with self._lock:
            entry = self._cache.get(_checked(key))
            if entry is not None and entry.is_expired():
                del self._cache[key]
                return None
            return None if entry is None else entry.get_value()

    def store(self, correlation_id: str | None, key: str, value: Any, timeout: int = 0) -> Any:
        """The value; None takes it out."""
        with self._lock:
            if value is None:
                self._cache.pop(_checked(key), None)
                return None
            self._cache[_checked(key)] = CacheEntry(key, value, timeout or self._timeout)
            if len(self._cache) > self._max_size:
                self._cleanup()
            return value

    def remove(self, correlation_id: str | None, key: str) -> None:
        with self._lock:
            self._cache.pop(_checked(key), None)

    def clear(self, correlation_id: str | None) -> None:
        with self._lock:
            self._cache.clear()

    def _cleanup(self) -> None:
        self._cache = {key: entry for key, entry in self._cache.items() if not entry.is_expired()}
        while len(self._cache) > self._max_size:
            del self._cache[min(self._cache, key=lambda key: self._cache[key].get_expiration())]


def _checked(key: str | None) -> str:
    if key is None:
        raise ValueError("Key cannot be null")
    return key
