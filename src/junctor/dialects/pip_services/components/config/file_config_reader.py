"""Configurations in files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from junctor.dialects.pip_services.commons.config import ConfigParams
from junctor.dialects.pip_services.commons.errors import ConfigException, FileException
from junctor.dialects.pip_services.components.config.config_reader import ConfigReader
from junctor.dialects.pip_services.components.config.template import MustacheException, MustacheTemplate, Rendered
from junctor.dialects.pip_services.components.config.unreadable import unreadable


class FileConfigReader(ConfigReader):
    """Parameters: ``path`` of the file, and those of :class:`ConfigReader`.

    :param path: of the file.
    """

    def __init__(self, path: str | None = None) -> None:
        super().__init__()
        self._path = path

    def configure(self, config: ConfigParams) -> None:
        super().configure(config)
        self._path = config.get_as_string_with_default("path", self._path)

    def get_path(self) -> str | None:
        return self._path

    def set_path(self, path: str | None) -> None:
        self._path = path

    def read_config_(self, correlation_id: str | None, parameters: ConfigParams | None) -> ConfigParams:
        return self.read_config(correlation_id, self._path, self._values(parameters))

    @staticmethod
    def _parse(text: str) -> Any:
        """What the text of a file says."""
        raise NotImplementedError

    @classmethod
    def read_object(cls, correlation_id: str | None, path: str | None, parameters: ConfigParams | None = None) -> Any:
        """What the file says, as plain data.

        :raises ConfigException: there is no path.
        :raises FileException: it is not there, or cannot be read.
        """
        text = read_text(correlation_id, path, parameters)
        try:
            return cls._parse(text.text)
        except Exception as error:  # each parser has its own errors
            raise unreadable(correlation_id, path or "", error, text) from error

    @classmethod
    def read_config(
        cls, correlation_id: str | None, path: str | None, parameters: ConfigParams | None = None
    ) -> ConfigParams:
        """What the file says, as parameters.

        :raises ConfigException: there is no path.
        :raises FileException: it is not there, or cannot be read.
        """
        return ConfigParams.from_value(cls.read_object(correlation_id, path, parameters))


def read_text(correlation_id: str | None, path: str | None, parameters: ConfigParams | None) -> Rendered:
    """The text of a file with its variables filled in.

    :raises ConfigException: there is no path; its code is ``NO_PATH``.
    :raises FileException: the file is not there (``FILE_NOT_FOUND``), or cannot be read (``READ_FAILED``).
    """
    if not path:
        raise ConfigException(correlation_id, "NO_PATH", "Missing config file path")
    try:
        return MustacheTemplate(Path(path).read_text("utf-8-sig")).render(parameters or {})
    except FileNotFoundError as error:
        message = f"Config file was not found at {path}"
        raise FileException(correlation_id, "FILE_NOT_FOUND", message).with_details("path", path) from error
    except (OSError, UnicodeDecodeError, MustacheException) as error:
        raise unreadable(correlation_id, path, error) from error
