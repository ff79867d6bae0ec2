"""What services read: their properties, and the settings of the node."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from junctor.dialects.microservicebus.services.door import Queue, door_of

UNDEFINED = "undefined"
"""What stands for a property that is not there, as services expect it."""

CATEGORIES = ("general", "static", "security")


class Properties:
    """The built-in functions that read. ``config`` is that of the constructor: for each category a list of entries
    ``{"id": ..., "value": ...}``, under ``generalConfig``, ``staticConfig`` and ``securityConfig``."""

    queue: Queue
    config: Mapping[str, Any]

    def get_settings(self) -> dict[str, Any]:
        """The settings of the node: ``nodeName``, ``state``, ``debug``, ``tags`` and more. A copy."""
        return door_of(self.queue).settings()

    def GetPropertyValue(self, type: str, property_name: str) -> Any:
        """The value of a property, the text ``"undefined"`` where there is none.

        :param type: ``static``, ``security`` or ``general``.
        """
        entries = self.config.get(f"{type}Config") or ()
        return next((entry["value"] for entry in entries if entry["id"] == property_name), UNDEFINED)

    async def get_configuration(self) -> Any:
        """The configuration that a hub keeps for the node: None, for there is no hub."""
        return None

    def GetState(self) -> Any:
        """Whether the service is enabled."""
        return self.GetPropertyValue("general", "enabled")


def entries_of(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Properties as services get them."""
    return [{"id": name, "value": value} for name, value in values.items()]


def config_of(general: Mapping[str, Any], static: Mapping[str, Any], security: Mapping[str, Any]) -> dict[str, Any]:
    """The ``config`` of a constructor."""
    parts: Iterable[Mapping[str, Any]] = (general, static, security)
    return {f"{name}Config": entries_of(values) for name, values in zip(CATEGORIES, parts, strict=True)}
