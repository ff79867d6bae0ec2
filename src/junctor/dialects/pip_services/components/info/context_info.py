"""What a process is."""

from __future__ import annotations

import socket
from datetime import UTC, datetime
from typing import Any, Self

from junctor.dialects.pip_services.commons.config import ConfigParams, IReconfigurable
from junctor.dialects.pip_services.commons.data import StringValueMap


class ContextInfo(IReconfigurable):
    """Name and description of a container, and when and where it started.

    Parameters: ``name`` or ``info.name``, ``description`` or ``info.description``, ``properties.*``.

    :param name: for people and in logs.
    """

    def __init__(self, name: str | None = None, description: str | None = None) -> None:
        self.name: str = name or "unknown"
        self.description = description
        self.context_id = socket.gethostname()
        self.start_time = datetime.now(UTC)
        self._properties = StringValueMap()

    @property
    def uptime(self) -> float:
        """Milliseconds since the start."""
        return (datetime.now(UTC) - self.start_time).total_seconds() * 1000

    @property
    def properties(self) -> StringValueMap:
        return self._properties

    @properties.setter
    def properties(self, value: Any) -> None:
        self._properties = StringValueMap.from_value(value)

    def configure(self, config: ConfigParams) -> None:
        self.name = config.get_as_string_with_default("info.name", config.get("name") or self.name)
        default = config.get("description") or self.description
        self.description = config.get_as_string_with_default("info.description", default)
        self.properties = config.get_section("properties")

    @classmethod
    def from_config(cls, config: ConfigParams) -> Self:
        made = cls()
        made.configure(config)
        return made
