"""Providers by name: found by entry point, or by module and class; loaded when a flow names one."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from typing import Any

from junctor.dialects.microservicebus.com.providers.base import Provider
from junctor.errors import ImportFailed, SettingError, named, nearest
from junctor.flows.code.imports import attribute_of, import_place

GROUP = "junctor.microservicebus.providers"
"""The group of entry points; what one names is a class derived from :class:`Provider`."""


def provider_names() -> list[str]:
    """The names of all that are installed."""
    return sorted(entry_points(group=GROUP).names)


def provider(name: str) -> type[Provider]:
    """The provider of this name, or the class ``module:Class``. Modules are looked for in the working folder and where
    Python finds them: beside the code of the flow.

    :raises SettingError: there is none, or it cannot be used; ``where`` is the setting.
    """
    try:
        found = _in_module(name) if ":" in name else _point(name).load()
    except SettingError:
        raise
    except ImportFailed as error:
        raise SettingError(error.what, where="provider", fix=error.fix) from error.__cause__
    except Exception as error:
        what = f"the provider {name} cannot be loaded: {named(error)}"
        raise SettingError(what, where="provider", fix="Install what it needs, or correct it.") from error
    if not isinstance(found, type) or not issubclass(found, Provider):
        raise SettingError(f"{name} is no provider", where="provider", fix="Derive its class from Provider.")
    return found


def _in_module(name: str) -> Any:
    module, _, attribute = name.partition(":")
    return attribute_of(import_place(module), attribute, module)


def _point(name: str) -> EntryPoint:
    found = next(iter(entry_points(group=GROUP, name=name)), None)
    if found is None:
        what = f'there is no provider "{name}"'
        fix = f"{nearest(name, provider_names())}One of your own is written module:Class."
        raise SettingError(what, where="provider", fix=fix)
    return found
