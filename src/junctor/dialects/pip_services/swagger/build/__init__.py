"""The factory of this package's components."""

from junctor.dialects.pip_services.swagger.build.default_swagger_factory import DefaultSwaggerFactory

__all__ = ("DefaultSwaggerFactory",)
