"""A client of a controller in the same process."""

from __future__ import annotations

from typing import Any

from junctor.dialects.pip_services.commons.config import ConfigParams, IConfigurable
from junctor.dialects.pip_services.commons.errors import ConnectionException
from junctor.dialects.pip_services.commons.refer import DependencyResolver, IReferenceable, IReferences
from junctor.dialects.pip_services.commons.run import IOpenable
from junctor.dialects.pip_services.components.count import CompositeCounters
from junctor.dialects.pip_services.components.log import CompositeLogger
from junctor.dialects.pip_services.components.trace import CompositeTracer
from junctor.dialects.pip_services.rpc.services.instrument_timing import InstrumentTiming


class DirectClient(IConfigurable, IReferenceable, IOpenable):
    """Calls ``self._controller``, which it finds by ``dependencies.controller``."""

    def __init__(self) -> None:
        self._controller: Any = None
        self._opened = False
        self._logger = CompositeLogger()
        self._counters = CompositeCounters()
        self._tracer = CompositeTracer()
        self._dependency_resolver = DependencyResolver()
        self._dependency_resolver.put("controller", "none")

    def configure(self, config: ConfigParams) -> None:
        self._dependency_resolver.configure(config)

    def set_references(self, references: IReferences) -> None:
        for one in (self._logger, self._counters, self._tracer, self._dependency_resolver):
            one.set_references(references)
        self._controller = self._dependency_resolver.get_one_required("controller")

    def is_open(self) -> bool:
        return self._opened

    def open(self, correlation_id: str | None) -> None:
        """
        :raises ConnectionException: there is no controller.
        """
        if self._controller is None:
            raise ConnectionException(correlation_id, "NO_CONTROLLER", "Controller reference is missing")
        self._opened = True

    def close(self, correlation_id: str | None) -> None:
        self._opened = False

    def _instrument(self, correlation_id: str | None, name: str) -> InstrumentTiming:
        """Counts and measures a call, until ``end_timing()`` of what it answers."""
        self._logger.trace(correlation_id, "Calling %s method", name)
        self._counters.increment_one(f"{name}.call_count")
        timing = self._counters.begin_timing(f"{name}.call_time")
        trace = self._tracer.begin_trace(correlation_id, name, None)
        return InstrumentTiming(correlation_id, name, "call", self._logger, self._counters, timing, trace)
