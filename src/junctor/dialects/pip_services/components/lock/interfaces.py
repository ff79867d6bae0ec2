"""What lets one at a time go on."""

from __future__ import annotations

from abc import ABC


class ILock(ABC):  # noqa: B024 - Lock has all of it
    """Locks by key. Times are milliseconds."""

    def try_acquire_lock(self, correlation_id: str | None, key: str, ttl: int) -> bool:
        """Take the lock where it is free; whether it was.

        :param ttl: after this time it is free again, whatever happens.
        """
        raise NotImplementedError

    def acquire_lock(self, correlation_id: str | None, key: str, ttl: int, timeout: int) -> None:
        """Take the lock, and wait for it where somebody has it.

        :raises ConflictException: it did not become free in time.
        """
        raise NotImplementedError

    def release_lock(self, correlation_id: str | None, key: str) -> None:
        raise NotImplementedError
