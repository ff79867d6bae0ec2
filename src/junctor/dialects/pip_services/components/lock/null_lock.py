"""No lock."""

from __future__ import annotations

from junctor.dialects.pip_services.components.lock.interfaces import ILock


class NullLock(ILock):
    """Lets everybody go on."""

    def try_acquire_lock(self, correlation_id: str | None, key: str, ttl: int) -> bool:
        return True

    def acquire_lock(self, correlation_id: str | None, key: str, ttl: int, timeout: int) -> None:
        """Nothing."""

    def release_lock(self, correlation_id: str | None, key: str) -> None:
        """Nothing."""
