"""Configurations of containers."""

from junctor.dialects.pip_services.container.config.component_config import ComponentConfig
from junctor.dialects.pip_services.container.config.container_config import ContainerConfig
from junctor.dialects.pip_services.container.config.container_config_reader import ContainerConfigReader

__all__ = ("ComponentConfig", "ContainerConfig", "ContainerConfigReader")
