"""The configuration of a container."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self

from junctor.dialects.pip_services.commons.config import ConfigParams
from junctor.dialects.pip_services.commons.errors import ConfigException
from junctor.dialects.pip_services.container.config.component_config import ComponentConfig


class ContainerConfig(list[ComponentConfig]):
    """The components in their order. ``notes`` are remarks on how it is written, for a start."""

    def __init__(self, components: Iterable[ComponentConfig] = ()) -> None:
        super().__init__(components)
        self.notes: list[str] = []

    @classmethod
    def from_value(cls, value: Any) -> Self:
        """From nested data: a list of components, or a map of them.

        :raises ConfigException: a component has neither a descriptor nor a type.
        """
        return cls.from_config(ConfigParams.from_value(value))

    @classmethod
    def from_config(cls, config: ConfigParams | None) -> Self:
        """
        :raises ConfigException: a component has neither a descriptor nor a type; the message says which.
        """
        made = cls()
        for name in config.get_section_names() if config is not None else ():
            assert config is not None
            try:
                made.append(ComponentConfig.from_config(config.get_section(name)))
            except ConfigException as error:
                error.message = f"{error.message} (component {_place(name)})"
                raise
        return made


def _place(name: str) -> str:
    return str(int(name) + 1) if name.isdigit() else name
