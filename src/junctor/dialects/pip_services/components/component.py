"""A base class for components."""

from __future__ import annotations

from junctor.dialects.pip_services.commons.config import ConfigParams, IConfigurable
from junctor.dialects.pip_services.commons.refer import DependencyResolver, IReferenceable, IReferences
from junctor.dialects.pip_services.components.count import CompositeCounters
from junctor.dialects.pip_services.components.log import CompositeLogger
from junctor.dialects.pip_services.components.trace import CompositeTracer


class Component(IConfigurable, IReferenceable):
    """Has the loggers, counters and tracers of its container, and a dependency resolver."""

    def __init__(self) -> None:
        self._dependency_resolver = DependencyResolver()
        self._logger = CompositeLogger()
        self._counters = CompositeCounters()
        self._tracer = CompositeTracer()

    def configure(self, config: ConfigParams) -> None:
        self._dependency_resolver.configure(config)
        self._logger.configure(config)

    def set_references(self, references: IReferences) -> None:
        self._dependency_resolver.set_references(references)
        self._logger.set_references(references)
        self._counters.set_references(references)
        self._tracer.set_references(references)
