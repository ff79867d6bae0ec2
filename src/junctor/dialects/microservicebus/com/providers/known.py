"""Providers by name: found by entry point, loaded when a flow names one."""

from __future__ import annotations

from importlib.metadata import entry_points

from junctor.dialects.microservicebus.com.providers.base import Provider
from junctor.errors import ConfigurationError, ImportFailed, SettingError, named, nearest

GROUP = "junctor.microservicebus.providers"
"""The group of entry points; what one names is a class derived from :class:`Provider`."""


def provider_names() -> list[str]:
    """The names of all that are installed."""
    return sorted(entry_points(group=GROUP).names)


def provider(name: str) -> type[Provider]:
    """The provider of this name.

    :raises ConfigurationError: there is none, or it cannot be used.
    """
    point = next(iter(entry_points(group=GROUP, name=name)), None)
    if point is None:
        raise SettingError(f'there is no provider "{name}"', where="provider", fix=nearest(name, provider_names()))
    try:
        found = point.load()
    except Exception as error:
        what = f"the provider {name} ({point.value}) cannot be loaded: {named(error)}"
        raise ImportFailed(what, where="provider", fix=f"Try `python -c 'import {point.module}'`.") from error
    if not isinstance(found, type) or not issubclass(found, Provider):
        what = f"{point.value} is no class derived from Provider"
        raise ConfigurationError(what, where="provider", fix="Correct the entry point of its distribution.")
    return found
