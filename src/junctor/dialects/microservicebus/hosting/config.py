"""The properties of a service, from its flow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from junctor.dialects.microservicebus.packages import PackageRules
from junctor.dialects.microservicebus.services.properties import CATEGORIES, config_of
from junctor.observe.secrets import register
from junctor.settings import Secret, Setting, read_settings, setting

Values = Mapping[str, Any]

PACKAGES: dict[str, tuple[Setting, Any]] = {
    "packages": (setting(None, doc="what AddPipPackage may install: allow, lock"), PackageRules | None),
}
"""What a flow demands of packages: of all services below ``orchestrator``, of one below itself."""

PROPERTIES: dict[str, tuple[Setting, Any]] = {
    "general": (setting({}, doc="general properties: host and what else the service reads"), dict[str, Any]),
    "static": (setting({}, doc="static properties of the service"), dict[str, Any]),
    "security": (setting({}, doc="security properties of the service, which never show", secret=True), dict[str, Any]),
    **PACKAGES,
}
"""What a flow says of a custom service, below ``settings``."""


def read_properties(name: str, given: Values, places: Mapping[str, str] | None) -> dict[str, dict[str, Any]]:
    """The properties of a service by category.

    :raises ConfigurationError: a category is unknown, or no mapping.
    """
    read = read_settings(PROPERTIES, given, name, places=places, in_flow=True)
    found = {category: dict(read.get(category) or {}) for category in CATEGORIES}
    found["packages"] = packages_from(read)
    found["general"] = {"name": name, "host": "", "enabled": True, **found["general"]}
    return found


def packages_from(read: Values) -> dict[str, Any]:
    """What a service or its flow demands of packages, as a spec has it; empty for nothing."""
    rules = read.get("packages")
    return {} if rules is None else msgspec.to_builtins(rules)


def config_from(properties: Mapping[str, Values]) -> dict[str, Any]:
    """What the constructor gets. The values of security properties are masked from now on wherever text is shown."""
    general, static, security = (_revealed(properties[category]) for category in CATEGORIES)
    register(_texts(security))
    return config_of(general, static, security)


def _texts(value: Any) -> Iterator[str]:
    """All values in it as text, however deep; a number is one, too: a PIN."""
    if isinstance(value, Mapping | list):
        for part in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(part)
    elif value is not None and not isinstance(value, bool):
        yield str(value)


def _revealed(value: Any) -> Any:
    if isinstance(value, Secret):
        return value.reveal()
    if isinstance(value, Mapping):
        return {name: _revealed(part) for name, part in value.items()}
    return [_revealed(part) for part in value] if isinstance(value, list) else value
