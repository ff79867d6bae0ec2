"""Configurations in JSON files."""

from __future__ import annotations

import json
from typing import Any

from junctor.dialects.pip_services.commons.config import ConfigParams
from junctor.dialects.pip_services.components.config.file_config_reader import FileConfigReader, parsed


class JsonConfigReader(FileConfigReader):
    """Reads a file in JSON; it may be a template, see :class:`MustacheTemplate`."""

    def read_config_(self, correlation_id: str | None, parameters: ConfigParams | None) -> ConfigParams:
        return self.read_config(correlation_id, self._path, self._values(parameters))

    @staticmethod
    def read_object(correlation_id: str | None, path: str | None, parameters: ConfigParams | None = None) -> Any:
        """What the file says, as plain data.

        :raises ConfigException: there is no path.
        :raises FileException: it is not there, or cannot be read.
        """
        return parsed(correlation_id, path, json.loads, parameters)

    @staticmethod
    def read_config(
        correlation_id: str | None, path: str | None, parameters: ConfigParams | None = None
    ) -> ConfigParams:
        """What the file says, as parameters.

        :raises ConfigException: there is no path.
        :raises FileException: it is not there, or cannot be read.
        """
        return ConfigParams.from_value(JsonConfigReader.read_object(correlation_id, path, parameters))
