"""Configurations in YAML files."""

from __future__ import annotations

from typing import Any

import yaml

from junctor.dialects.pip_services.components.config.file_config_reader import FileConfigReader


class YamlConfigReader(FileConfigReader):
    """Reads a file in YAML; it may be a template, see :class:`MustacheTemplate`."""

    @staticmethod
    def _parse(text: str) -> Any:
        return yaml.safe_load(text)
