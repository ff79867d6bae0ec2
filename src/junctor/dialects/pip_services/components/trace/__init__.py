"""Traces of operations."""

from junctor.dialects.pip_services.components.trace.cached_tracer import CachedTracer
from junctor.dialects.pip_services.components.trace.composite_tracer import CompositeTracer
from junctor.dialects.pip_services.components.trace.default_tracer_factory import DefaultTracerFactory
from junctor.dialects.pip_services.components.trace.interfaces import ITracer
from junctor.dialects.pip_services.components.trace.log_tracer import LogTracer
from junctor.dialects.pip_services.components.trace.null_tracer import NullTracer
from junctor.dialects.pip_services.components.trace.operation_trace import OperationTrace
from junctor.dialects.pip_services.components.trace.trace_timing import TraceTiming

__all__ = (
    "CachedTracer",
    "CompositeTracer",
    "DefaultTracerFactory",
    "ITracer",
    "LogTracer",
    "NullTracer",
    "OperationTrace",
    "TraceTiming",
)
