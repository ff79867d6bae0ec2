"""Several tracers as one."""

from __future__ import annotations

from junctor.dialects.pip_services.commons.refer import Descriptor, IReferenceable, IReferences
from junctor.dialects.pip_services.components.trace.interfaces import ITracer
from junctor.dialects.pip_services.components.trace.trace_timing import TraceTiming

_TRACERS = Descriptor(None, "tracer", None, None, None)


class CompositeTracer(ITracer, IReferenceable):
    """Gives each trace to all tracers of its container.

    :param references: see :meth:`set_references`.
    """

    def __init__(self, references: IReferences | None = None) -> None:
        self._tracers: list[ITracer] = []
        if references is not None:
            self.set_references(references)

    def set_references(self, references: IReferences) -> None:
        """Take all tracers, each once."""
        for found in references.get_optional(_TRACERS):
            if found is not self and all(found is not one for one in self._tracers):
                self._tracers.append(found)

    def trace(self, correlation_id: str | None, component: str, operation: str | None, duration: float) -> None:
        for tracer in self._tracers:
            tracer.trace(correlation_id, component, operation, duration)

    def failure(
        self, correlation_id: str | None, component: str, operation: str | None, error: BaseException, duration: float
    ) -> None:
        for tracer in self._tracers:
            tracer.failure(correlation_id, component, operation, error, duration)

    def begin_trace(self, correlation_id: str | None, component: str, operation: str | None) -> TraceTiming:
        return TraceTiming(correlation_id, component, operation, self)
