"""Connections to other systems."""

from junctor.dialects.pip_services.components.connect.composite_connection_resolver import CompositeConnectionResolver
from junctor.dialects.pip_services.components.connect.connection_forms import ConnectionForms as ConnectionUtils
from junctor.dialects.pip_services.components.connect.connection_params import ConnectionParams
from junctor.dialects.pip_services.components.connect.connection_resolver import ConnectionResolver
from junctor.dialects.pip_services.components.connect.default_discovery_factory import DefaultDiscoveryFactory
from junctor.dialects.pip_services.components.connect.discovery import IDiscovery, MemoryDiscovery

__all__ = (
    "CompositeConnectionResolver",
    "ConnectionParams",
    "ConnectionResolver",
    "ConnectionUtils",
    "DefaultDiscoveryFactory",
    "IDiscovery",
    "MemoryDiscovery",
)
