"""What takes traces of operations."""

from __future__ import annotations

from abc import ABC
from typing import Any


class ITracer(ABC):  # noqa: B024 - others may be written without inheriting
    """Operations of components with the time they took, in milliseconds."""

    def trace(self, correlation_id: str | None, component: str, operation: str | None, duration: float) -> None:
        raise NotImplementedError

    def failure(
        self, correlation_id: str | None, component: str, operation: str | None, error: BaseException, duration: float
    ) -> None:
        raise NotImplementedError

    def begin_trace(self, correlation_id: str | None, component: str, operation: str | None) -> Any:
        """Begin to measure; ``end_trace()`` or ``end_failure(error)`` of what it answers ends it."""
        raise NotImplementedError
