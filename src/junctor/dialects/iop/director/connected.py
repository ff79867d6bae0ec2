"""Where the items of a production send."""

from __future__ import annotations

from typing import Any

from junctor.dialects.iop.definition import ItemDefinition
from junctor.dialects.iop.director.place import Namespace
from junctor.dialects.iop.migration.registry import Registry
from junctor.errors import JunctorError


def connections_of(place: Namespace, production: str | None) -> dict[str, Any]:
    """Each item with what its class sends to, as ``on_get_connections`` tells; what cannot be asked has a warning."""
    definition = place.meant(production)
    registry = place.registry()
    return {
        "production": definition.name,
        "items": [_item(registry, item) for item in definition.items],
        "warnings": [],
    }


def _item(registry: Registry, item: ItemDefinition) -> dict[str, Any]:
    connections: list[str] = []
    warnings: list[str] = []
    try:
        connections = _connections(registry.component(item.class_name), item)
    except JunctorError as error:
        warnings.append(str(error))
    except Exception as error:  # noqa: BLE001 - a hook of the user may raise anything
        warnings.append(f"on_get_connections: {type(error).__name__}: {error}")
    return {
        "item": item.name,
        "class_name": item.class_name,
        "adapter_class_name": item.adapter_class_name,
        "connections": connections,
        "warnings": warnings,
    }


def _connections(cls: Any, item: ItemDefinition) -> list[str]:
    component = cls.__new__(cls)
    for setting in item.settings:
        if setting.target == "Host" and setting.name.isidentifier():
            setattr(component, setting.name, setting.value)
    return sorted(component.on_get_connections())
