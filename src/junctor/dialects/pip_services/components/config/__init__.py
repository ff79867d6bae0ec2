"""Readers of configurations, and their templates."""

from junctor.dialects.pip_services.components.config.config_reader import ConfigReader
from junctor.dialects.pip_services.components.config.default_config_reader_factory import DefaultConfigReaderFactory
from junctor.dialects.pip_services.components.config.file_config_reader import FileConfigReader
from junctor.dialects.pip_services.components.config.interfaces import IConfigReader
from junctor.dialects.pip_services.components.config.json_config_reader import JsonConfigReader
from junctor.dialects.pip_services.components.config.memory_config_reader import MemoryConfigReader
from junctor.dialects.pip_services.components.config.template import MustacheException, MustacheTemplate
from junctor.dialects.pip_services.components.config.yaml_config_reader import YamlConfigReader

__all__ = (
    "ConfigReader",
    "DefaultConfigReaderFactory",
    "FileConfigReader",
    "IConfigReader",
    "JsonConfigReader",
    "MemoryConfigReader",
    "MustacheException",
    "MustacheTemplate",
    "YamlConfigReader",
)
