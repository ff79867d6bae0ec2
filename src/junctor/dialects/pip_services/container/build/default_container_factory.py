"""What every container can make."""

from __future__ import annotations

from junctor.dialects.pip_services.commons.refer import Descriptor
from junctor.dialects.pip_services.components.auth import DefaultCredentialStoreFactory
from junctor.dialects.pip_services.components.build import CompositeFactory, Factory, IFactory
from junctor.dialects.pip_services.components.cache import DefaultCacheFactory
from junctor.dialects.pip_services.components.config import DefaultConfigReaderFactory
from junctor.dialects.pip_services.components.connect import DefaultDiscoveryFactory
from junctor.dialects.pip_services.components.count import DefaultCountersFactory
from junctor.dialects.pip_services.components.info import DefaultInfoFactory
from junctor.dialects.pip_services.components.lock import DefaultLockFactory
from junctor.dialects.pip_services.components.log import DefaultLoggerFactory
from junctor.dialects.pip_services.components.state import DefaultStateStoreFactory
from junctor.dialects.pip_services.components.test import DefaultTestFactory
from junctor.dialects.pip_services.components.trace import DefaultTracerFactory


class DefaultContainerFactory(CompositeFactory):
    """Loggers, counters, tracers and the other components of the toolkit; factories that are given come first."""

    def __init__(self, *factories: IFactory) -> None:
        super().__init__(
            DefaultInfoFactory(),
            DefaultLoggerFactory(),
            DefaultCountersFactory(),
            DefaultTracerFactory(),
            DefaultConfigReaderFactory(),
            DefaultCacheFactory(),
            DefaultCredentialStoreFactory(),
            DefaultDiscoveryFactory(),
            DefaultLockFactory(),
            DefaultStateStoreFactory(),
            DefaultTestFactory(),
            JunctorFactory(),
            *factories,
        )


class JunctorFactory(Factory):
    """``junctor:client:*``: a way to the other services of the flow, see
    :class:`~junctor.dialects.pip_services.hosting.client.ServiceClient`."""

    def __init__(self) -> None:
        super().__init__()
        self.register(Descriptor("junctor", "client", "*", "*", "1.0"), lambda locator: _client())


def _client() -> object:
    # Only containers that ask for it pay for the engine.
    from junctor.dialects.pip_services.hosting.client import ServiceClient

    return ServiceClient()
