"""Tracers by their descriptors."""

from __future__ import annotations

from junctor.dialects.pip_services.commons.refer import Descriptor
from junctor.dialects.pip_services.components.build import Factory
from junctor.dialects.pip_services.components.trace.composite_tracer import CompositeTracer
from junctor.dialects.pip_services.components.trace.log_tracer import LogTracer
from junctor.dialects.pip_services.components.trace.null_tracer import NullTracer


class DefaultTracerFactory(Factory):
    """``pip-services:tracer:null``, ``log`` and ``composite``."""

    def __init__(self) -> None:
        super().__init__()
        for kind, cls in (("null", NullTracer), ("log", LogTracer), ("composite", CompositeTracer)):
            self.register_as_type(Descriptor("pip-services", "tracer", kind, "*", "1.0"), cls)
