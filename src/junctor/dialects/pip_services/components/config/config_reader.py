"""The base class of configuration readers."""

from __future__ import annotations

from junctor.dialects.pip_services.commons.config import ConfigParams, IConfigurable
from junctor.dialects.pip_services.components.config.interfaces import IConfigReader
from junctor.dialects.pip_services.components.config.template import MustacheTemplate


class ConfigReader(IConfigReader, IConfigurable):
    """Parameters: the section ``parameters`` has values for the template; those given at each reading come first."""

    def __init__(self) -> None:
        self._parameters = ConfigParams()

    def configure(self, config: ConfigParams) -> None:
        parameters = config.get_section("parameters")
        if parameters:
            self._parameters = parameters

    def _values(self, parameters: ConfigParams | None) -> ConfigParams:
        return self._parameters.override(parameters)

    @staticmethod
    def _parameterize(config: str, parameters: ConfigParams | None) -> str:
        """The text of a configuration with its variables filled in.

        :raises MustacheException: it is no template.
        """
        return MustacheTemplate(config).evaluate_with_variables(parameters or {})
