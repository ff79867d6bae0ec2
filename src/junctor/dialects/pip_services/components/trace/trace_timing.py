"""An operation that is going on."""

from __future__ import annotations

import time

from junctor.dialects.pip_services.components.trace.interfaces import ITracer


class TraceTiming:
    """Begins when it is made.

    :param tracer: is told of the end; None: nobody is.
    """

    def __init__(
        self,
        correlation_id: str | None,
        component: str,
        operation: str | None,
        tracer: ITracer | None = None,
    ) -> None:
        self._correlation_id = correlation_id
        self._component = component
        self._operation = operation
        self._tracer = tracer
        self._start = time.perf_counter()

    @property
    def _elapsed(self) -> float:
        return (time.perf_counter() - self._start) * 1000

    def end_trace(self) -> None:
        if self._tracer is not None:
            self._tracer.trace(self._correlation_id, self._component, self._operation, self._elapsed)

    def end_failure(self, error: BaseException) -> None:
        if self._tracer is not None:
            self._tracer.failure(self._correlation_id, self._component, self._operation, error, self._elapsed)
