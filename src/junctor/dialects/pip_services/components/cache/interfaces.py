"""What keeps values for a while."""

from __future__ import annotations

from abc import ABC
from typing import Any


class ICache(ABC):  # noqa: B024 - others may be written without inheriting
    """Values by key, each for a time."""

    def retrieve(self, correlation_id: str | None, key: str) -> Any:
        """None where there is no value, or its time is over."""
        raise NotImplementedError

    def store(self, correlation_id: str | None, key: str, value: Any, timeout: int) -> Any:
        """
        :param timeout: milliseconds; 0 for the usual time.
        """
        raise NotImplementedError

    def remove(self, correlation_id: str | None, key: str) -> None:
        raise NotImplementedError
