"""The base class of locks."""

from __future__ import annotations

import time

from junctor.dialects.pip_services.commons.config import ConfigParams, IReconfigurable
from junctor.dialects.pip_services.commons.errors import ConflictException
from junctor.dialects.pip_services.components.lock.interfaces import ILock


class Lock(ILock, IReconfigurable):
    """Waits by trying again; subclasses write ``try_acquire_lock`` and ``release_lock``.

    Parameters: ``options.retry_timeout`` between two tries (100 ms).
    """

    def __init__(self) -> None:
        self._retry_timeout = 100

    def configure(self, config: ConfigParams) -> None:
        self._retry_timeout = config.get_as_integer_with_default("options.retry_timeout", self._retry_timeout)

    def acquire_lock(self, correlation_id: str | None, key: str, ttl: int, timeout: int) -> None:
        until = time.monotonic() + timeout / 1000
        while not self.try_acquire_lock(correlation_id, key, ttl):
            if time.monotonic() >= until:
                message = f"Acquiring lock {key} failed on timeout"
                raise ConflictException(correlation_id, "LOCK_TIMEOUT", message).with_details("key", key)
            time.sleep(self._retry_timeout / 1000)
