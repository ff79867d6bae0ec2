"""Lines that are collected, and saved together."""

from __future__ import annotations

import threading
import time

from junctor.dialects.pip_services.commons.config import ConfigParams
from junctor.dialects.pip_services.components.log.log_message import LogMessage
from junctor.dialects.pip_services.components.log.logger import Logger


class CachedLogger(Logger):
    """The base class of loggers that send to another system; subclasses write ``_save``. Closed, it saves what is
    left, and from then on each line at once.

    Parameters: ``options.interval`` between two saves (10000 ms), ``options.max_cache_size`` (100 lines; the oldest go
    when ``_save`` fails for long).
    """

    def __init__(self) -> None:
        super().__init__()
        self._cache: list[LogMessage] = []
        self._max_cache_size = 100
        self._interval = 10_000
        self._saved = time.monotonic()
        self._opened = self._closed = False
        self._lock = threading.RLock()

    def configure(self, config: ConfigParams) -> None:
        super().configure(config)
        self._interval = config.get_as_integer_with_default("options.interval", self._interval)
        self._max_cache_size = config.get_as_integer_with_default("options.max_cache_size", self._max_cache_size)

    def is_open(self) -> bool:
        return self._opened

    def open(self, correlation_id: str | None) -> None:
        self._opened, self._closed = True, False

    def close(self, correlation_id: str | None) -> None:
        """Save what is left."""
        self._opened, self._closed = False, True
        self.dump()

    def _write(self, level: int, correlation_id: str | None, error: BaseException | None, message: str) -> None:
        with self._lock:
            self._cache.append(LogMessage(level, self._source, correlation_id, error, message))
        self._update()

    def _save(self, messages: list[LogMessage]) -> None:
        """Save lines; what it raises leaves them in the cache.

        :param messages: the oldest first.
        """
        raise NotImplementedError(f"{type(self).__name__}._save is not written")

    def clear(self) -> None:
        """Forget what is not saved."""
        with self._lock:
            self._cache = []

    def dump(self) -> None:
        """Save now."""
        with self._lock:
            messages, self._cache = self._cache, []
            self._saved = time.monotonic()
        if not messages:
            return
        try:
            self._save(messages)
        except Exception:  # noqa: BLE001 - whatever it saves to is out of reach: the next dump tries again
            with self._lock:
                self._cache = (messages + self._cache)[-self._max_cache_size :]

    def _update(self) -> None:
        """Save when it is time."""
        if self._closed or (time.monotonic() - self._saved) * 1000 > self._interval:
            self.dump()
