"""Configurations of containers in files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from junctor.dialects.pip_services.commons.config import ConfigParams
from junctor.dialects.pip_services.commons.errors import ConfigException
from junctor.dialects.pip_services.components.config import JsonConfigReader
from junctor.dialects.pip_services.components.config.file_config_reader import read_text, unreadable
from junctor.dialects.pip_services.container.config.container_config import ContainerConfig
from junctor.dialects.pip_services.container.config.indentation import reindented, shown


class ContainerConfigReader:
    """All of them raise ConfigException and FileException as the readers of configurations do."""

    @staticmethod
    def read_from_file(
        correlation_id: str | None, path: str | None, parameters: ConfigParams | None = None
    ) -> ContainerConfig:
        """A file in YAML where its name ends so, else in JSON.

        :param parameters: the variables of its template.
        """
        if not path:
            raise ConfigException(correlation_id, "NO_PATH", "Missing config file path")
        if Path(path).suffix.lower() in (".yaml", ".yml"):
            return ContainerConfigReader.read_from_yaml_file(correlation_id, path, parameters)
        return ContainerConfigReader.read_from_json_file(correlation_id, path, parameters)

    @staticmethod
    def read_from_json_file(
        correlation_id: str | None, path: str, parameters: ConfigParams | None = None
    ) -> ContainerConfig:
        return ContainerConfig.from_value(JsonConfigReader.read_object(correlation_id, path, parameters))

    @staticmethod
    def read_from_yaml_file(
        correlation_id: str | None, path: str, parameters: ConfigParams | None = None
    ) -> ContainerConfig:
        """Keys that are not indented below their component are read as if they were, with a note, where the file is no
        YAML otherwise."""
        text = read_text(correlation_id, path, parameters)
        try:
            return ContainerConfig.from_value(yaml.safe_load(text))
        except yaml.YAMLError as error:
            read = _tolerantly(text)
            if read is None:
                raise unreadable(correlation_id, path, error) from error
        value, lines = read
        config = ContainerConfig.from_value(value)
        config.notes.append(
            f"{path}, lines {shown(lines)}: the keys are not indented below their component, which is no YAML; "
            "they are read as if they were. Indent them by two spaces."
        )
        return config


def _tolerantly(text: str) -> tuple[Any, list[int]] | None:
    """What the text says when its keys are indented, and the lines that were moved; None where that does not help."""
    moved, lines = reindented(text)
    if not lines:
        return None
    try:
        return yaml.safe_load(moved), lines
    except yaml.YAMLError:
        return None
