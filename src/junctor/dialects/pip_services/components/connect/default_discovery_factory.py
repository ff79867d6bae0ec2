"""Discovery services by their descriptors."""

from __future__ import annotations

from junctor.dialects.pip_services.commons.refer import Descriptor
from junctor.dialects.pip_services.components.build import Factory
from junctor.dialects.pip_services.components.connect.discovery import MemoryDiscovery


class DefaultDiscoveryFactory(Factory):
    """``pip-services:discovery:memory``."""

    def __init__(self) -> None:
        super().__init__()
        self.register_as_type(Descriptor("pip-services", "discovery", "memory", "*", "1.0"), MemoryDiscovery)
