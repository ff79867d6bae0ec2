"""Makes the ready components of HTTP."""

from __future__ import annotations

from junctor.dialects.pip_services.commons.refer import Descriptor
from junctor.dialects.pip_services.components.build import Factory
from junctor.dialects.pip_services.rpc.services import HeartbeatRestService, HttpEndpoint, StatusRestService


class DefaultRpcFactory(Factory):
    """``pip-services:endpoint:http``, ``:heartbeat-service:http`` and ``:status-service:http``."""

    descriptor = Descriptor("pip-services", "factory", "rpc", "default", "1.0")
    HttpEndpointDescriptor = Descriptor("pip-services", "endpoint", "http", "*", "1.0")
    StatusServiceDescriptor = Descriptor("pip-services", "status-service", "http", "*", "1.0")
    HeartbeatServiceDescriptor = Descriptor("pip-services", "heartbeat-service", "http", "*", "1.0")

    def __init__(self) -> None:
        super().__init__()
        self.register_as_type(self.HttpEndpointDescriptor, HttpEndpoint)
        self.register_as_type(self.HeartbeatServiceDescriptor, HeartbeatRestService)
        self.register_as_type(self.StatusServiceDescriptor, StatusRestService)
