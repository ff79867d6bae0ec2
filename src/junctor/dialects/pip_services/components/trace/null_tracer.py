"""No traces."""

from __future__ import annotations

from junctor.dialects.pip_services.components.trace.interfaces import ITracer
from junctor.dialects.pip_services.components.trace.trace_timing import TraceTiming


class NullTracer(ITracer):
    """Takes them and forgets them."""

    def trace(self, correlation_id: str | None, component: str, operation: str | None, duration: float) -> None:
        """Nothing."""

    def failure(
        self, correlation_id: str | None, component: str, operation: str | None, error: BaseException, duration: float
    ) -> None:
        """Nothing."""

    def begin_trace(self, correlation_id: str | None, component: str, operation: str | None) -> TraceTiming:
        return TraceTiming(correlation_id, component, operation)
