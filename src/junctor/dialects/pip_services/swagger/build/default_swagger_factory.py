"""Makes the service of documents."""

from __future__ import annotations

from junctor.dialects.pip_services.commons.refer import Descriptor
from junctor.dialects.pip_services.components.build import Factory
from junctor.dialects.pip_services.swagger.services import SwaggerService


class DefaultSwaggerFactory(Factory):
    """``pip-services:swagger-service``."""

    descriptor = Descriptor("pip-services", "factory", "swagger", "default", "1.0")
    swagger_service_descriptor = Descriptor("pip-services", "swagger-service", "*", "*", "1.0")

    def __init__(self) -> None:
        super().__init__()
        self.register_as_type(self.swagger_service_descriptor, SwaggerService)
