"""No values."""

from __future__ import annotations

from typing import Any

from junctor.dialects.pip_services.components.cache.interfaces import ICache


class NullCache(ICache):
    """Keeps nothing."""

    def retrieve(self, correlation_id: str | None, key: str) -> Any:
        return None

    def store(self, correlation_id: str | None, key: str, value: Any, timeout: int = 0) -> Any:
        return value

    def remove(self, correlation_id: str | None, key: str) -> None:
        """Nothing."""
