"""The configuration of one component."""

from __future__ import annotations

from typing import Any, Self

from junctor.dialects.pip_services.commons.config import ConfigParams
from junctor.dialects.pip_services.commons.errors import ConfigException
from junctor.dialects.pip_services.commons.refer import Descriptor
from junctor.dialects.pip_services.commons.reflect import TypeDescriptor
from junctor.dialects.pip_services.container.config.source import Source


class ComponentConfig:
    """
    :param descriptor: by which factories make it.
    :param type: its class, where no factory is needed.
    :param config: its parameters, the descriptor included.

    ``source`` says where it is written, None where it is in no file.
    """

    def __init__(
        self,
        descriptor: Descriptor | None = None,
        type: TypeDescriptor | None = None,
        config: ConfigParams | None = None,
    ) -> None:
        self.descriptor = descriptor
        self.type = type
        self.config = ConfigParams() if config is None else config
        self.source: Source | None = None

    @property
    def locator(self) -> Any:
        """What it is found by."""
        return self.type if self.descriptor is None else self.descriptor

    @classmethod
    def from_config(cls, config: ConfigParams) -> Self:
        """
        :raises ConfigException: it has neither a descriptor nor a type (``BAD_CONFIG``), or one that is none.
        """
        descriptor = Descriptor.from_string(config.get("descriptor"))
        # A component may have a parameter of its own that is called type.
        kind = TypeDescriptor.from_string(config.get("type")) if descriptor is None else None
        if descriptor is None and kind is None:
            message = "Component configuration must have descriptor or type"
            raise ConfigException(None, "BAD_CONFIG", message).with_details("config", config)
        return cls(descriptor, kind, config)
