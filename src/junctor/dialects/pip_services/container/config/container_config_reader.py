"""Configurations of containers in files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from junctor.dialects.pip_services.commons.config import ConfigParams
from junctor.dialects.pip_services.commons.errors import ConfigException
from junctor.dialects.pip_services.components.config.file_config_reader import read_text
from junctor.dialects.pip_services.components.config.template import Rendered
from junctor.dialects.pip_services.components.config.unreadable import unreadable
from junctor.dialects.pip_services.container.config.container_config import ContainerConfig
from junctor.dialects.pip_services.container.config.indentation import reindented, shown
from junctor.dialects.pip_services.container.config.source import UNREADABLE, Source, read_yaml


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
        text = read_text(correlation_id, path, parameters)
        try:
            value = json.loads(text.text)
        except (ValueError, RecursionError) as error:
            raise unreadable(correlation_id, path, error, text) from error
        return _config(value, _source_of_json(path, text))

    @staticmethod
    def read_from_yaml_file(
        correlation_id: str | None, path: str, parameters: ConfigParams | None = None
    ) -> ContainerConfig:
        """Keys that are not indented below their component are read as if they were, with a note, where the file is no
        YAML otherwise."""
        text = read_text(correlation_id, path, parameters)
        try:
            value, source = read_yaml(path, text)
        except UNREADABLE as error:
            read = _tolerantly(path, text)
            if read is None:
                raise unreadable(correlation_id, path, error, text) from error
            return read
        return _config(value, source)


def _config(value: Any, source: Source) -> ContainerConfig:
    """With a note of each key that is there twice: YAML and JSON take the last one without a word."""
    config = ContainerConfig.from_value(value, source)
    for key in source.twice:
        name = key.partition(".")[2] or key
        config.notes.append(f'{source.place(key)}: "{name}" stands here for the second time; only this one counts')
    return config


def _tolerantly(path: str, text: Rendered) -> ContainerConfig | None:
    """What the text says when its keys are indented, with a note of the lines; None where that does not help."""
    moved, lines = reindented(text.text)
    if not lines:
        return None
    try:
        value, source = read_yaml(path, text._replace(text=moved))
    except UNREADABLE:
        return None
    config = _config(value, source)
    written = sorted({text.line(line) for line in lines})
    config.notes.append(
        f"{path}, lines {shown(written)}: the keys are not indented below their component, which is no YAML; "
        "they are read as if they were. Indent them by two spaces."
    )
    return config


def _source_of_json(path: str, text: Rendered) -> Source:
    """JSON is YAML as a rule. Where it is not, the lines stay unknown."""
    try:
        return read_yaml(path, text)[1]
    except UNREADABLE:
        return Source(path)
