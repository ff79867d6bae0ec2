"""A traced operation as data."""

from __future__ import annotations

from datetime import UTC, datetime

from junctor.dialects.pip_services.commons.errors import ErrorDescription


class OperationTrace:
    """``duration`` in milliseconds, ``error`` None where it went well."""

    def __init__(
        self,
        time: datetime | None = None,
        source: str | None = None,
        component: str | None = None,
        operation: str | None = None,
        correlation_id: str | None = None,
        duration: float | None = None,
        error: ErrorDescription | None = None,
    ) -> None:
        self.time = time or datetime.now(UTC)
        self.source = source
        self.component = component
        self.operation = operation
        self.correlation_id = correlation_id
        self.duration = duration
        self.error = error
