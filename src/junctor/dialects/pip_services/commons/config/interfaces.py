"""What takes a configuration."""

from __future__ import annotations

from abc import ABC
from typing import Any

from junctor.dialects.pip_services.commons.abilities import has_methods
from junctor.dialects.pip_services.commons.config.config_params import ConfigParams


class IConfigurable(ABC):  # noqa: B024 - nobody must inherit it, see abilities
    """Has ``configure``; told by the method, not by the base class."""

    @classmethod
    def __subclasshook__(cls, subclass: type) -> Any:
        return has_methods(subclass, "configure") if cls is IConfigurable else NotImplemented

    def configure(self, config: ConfigParams) -> None:
        """Takes the parameters of this component, once, before it is linked.

        :raises ConfigException: a parameter is missing or wrong.
        """
        raise NotImplementedError(f"{type(self).__name__}.configure is not written")


class IReconfigurable(IConfigurable):
    """Takes a new configuration while it runs."""
