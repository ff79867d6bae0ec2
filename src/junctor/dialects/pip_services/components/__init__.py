"""Components of Pip.Services: factories, logs, counters, tracers, configuration readers, connections and the like."""

from junctor.dialects.pip_services.components.component import Component

__all__ = ("Component",)
