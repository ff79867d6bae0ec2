"""Locks inside one process."""

from __future__ import annotations

import threading
import time

from junctor.dialects.pip_services.components.lock.lock import Lock


class MemoryLock(Lock):
    """Holds for all threads of the process."""

    def __init__(self) -> None:
        super().__init__()
        self._locks: dict[str, float] = {}
        self._guard = threading.Lock()

    def try_acquire_lock(self, correlation_id: str | None, key: str, ttl: int) -> bool:
        now = time.monotonic()
        with self._guard:
            if self._locks.get(key, now) > now:
                return False
            self._locks[key] = now + ttl / 1000
            return True

    def release_lock(self, correlation_id: str | None, key: str) -> None:
        with self._guard:
            self._locks.pop(key, None)
