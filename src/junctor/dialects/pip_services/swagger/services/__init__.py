"""The service of documents."""

from junctor.dialects.pip_services.swagger.services.swagger_service import SwaggerService

__all__ = ("SwaggerService",)
