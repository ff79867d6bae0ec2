"""Configuration readers by their descriptors."""

from __future__ import annotations

from junctor.dialects.pip_services.commons.refer import Descriptor
from junctor.dialects.pip_services.components.build import Factory
from junctor.dialects.pip_services.components.config.json_config_reader import JsonConfigReader
from junctor.dialects.pip_services.components.config.memory_config_reader import MemoryConfigReader
from junctor.dialects.pip_services.components.config.yaml_config_reader import YamlConfigReader


class DefaultConfigReaderFactory(Factory):
    """``pip-services:config-reader:memory``, ``json`` and ``yaml``."""

    def __init__(self) -> None:
        super().__init__()
        for kind, cls in (("memory", MemoryConfigReader), ("json", JsonConfigReader), ("yaml", YamlConfigReader)):
            self.register_as_type(Descriptor("pip-services", "config-reader", kind, "*", "1.0"), cls)
