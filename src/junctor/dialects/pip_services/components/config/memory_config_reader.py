"""A configuration that is in memory."""

from __future__ import annotations

from junctor.dialects.pip_services.commons.config import ConfigParams, IReconfigurable
from junctor.dialects.pip_services.components.config.interfaces import IConfigReader
from junctor.dialects.pip_services.components.config.template import MustacheTemplate


class MemoryConfigReader(IConfigReader, IReconfigurable):
    """
    :param config: the configuration; its values may be templates.
    """

    def __init__(self, config: ConfigParams | None = None) -> None:
        self._config = config if config is not None else ConfigParams()

    def configure(self, config: ConfigParams) -> None:
        self._config = config

    def read_config_(self, correlation_id: str | None, parameters: ConfigParams | None) -> ConfigParams:
        given = ConfigParams(parameters)
        return ConfigParams(
            {
                key: None if value is None else MustacheTemplate(value).evaluate_with_variables(given)
                for key, value in self._config.items()
            }
        )
