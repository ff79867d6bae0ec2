"""The configuration of a container."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self

from junctor.dialects.pip_services.commons.config import ConfigParams
from junctor.dialects.pip_services.commons.errors import ApplicationException, ConfigException
from junctor.dialects.pip_services.container.config.component_config import ComponentConfig
from junctor.dialects.pip_services.container.config.source import Source


class ContainerConfig(list[ComponentConfig]):
    """The components in their order. ``notes`` are remarks on how it is written, for a start; ``files`` are the paths
    of what it was read from."""

    def __init__(self, components: Iterable[ComponentConfig] = ()) -> None:
        super().__init__(components)
        self.notes: list[str] = []
        self.files: tuple[str, ...] = ()

    @classmethod
    def from_value(cls, value: Any, source: Source | None = None) -> Self:
        """From nested data: a list of components, or a map of them.

        :param source: where it is written.
        :raises ConfigException: a component has neither a descriptor nor a type.
        """
        return cls.from_config(ConfigParams.from_value(value), source)

    @classmethod
    def from_config(cls, config: ConfigParams | None, source: Source | None = None) -> Self:
        """
        :param source: where it is written.
        :raises ConfigException: a component has neither a descriptor nor a type; the message says which.
        """
        made = cls()
        for name in config.get_section_names() if config is not None else ():
            assert config is not None
            place = None if source is None else source.below(name)
            try:
                made.append(ComponentConfig.from_config(config.get_section(name)))
            except ConfigException as error:
                error.message = f"{error.message} (component {_number(name)})"
                located(error, place)
                raise
            made[-1].source = place
        return made


def _number(name: str) -> str:
    return str(int(name) + 1) if name.isdigit() else name


def located(error: ApplicationException, source: Source | None) -> ApplicationException:
    """The error with the place of a component: at the end of its message, and in its ``details``."""
    if source is None:
        return error
    error.message = f"{error.message} ({source.place()})"
    return error.with_details("path", source.path).with_details("line", source.line())
