"""The factory of containers."""

from junctor.dialects.pip_services.container.build.default_container_factory import DefaultContainerFactory

__all__ = ("DefaultContainerFactory",)
