"""A production as data: its items and their settings, in the words of InterSystems IRIS."""

from __future__ import annotations

from typing import Literal

import msgspec

Place = Literal["Host", "Adapter"]


class SettingValue(msgspec.Struct, frozen=True):
    """One setting of an item: of its host or of its adapter. The value is text, as in a production of IRIS."""

    name: str
    value: str = ""
    target: str = "Host"


class ItemDefinition(msgspec.Struct, frozen=True, kw_only=True):
    """One item. ``class_name`` is the name under which its class is registered, ``Python.MyOperation``.

    ``pool_size`` 0 of a process means the shared actor pool, of a service that it has no jobs of its own. ``schedule``
    is text of IRIS, ``START:*-*-*T08:00:00,STOP:*-*-*T18:00:00``. ``adapter_class_name`` is the registered name of its
    adapter where the production gives it one; empty for the one that ``get_adapter_type()`` of its class names.
    """

    name: str
    class_name: str
    category: str = ""
    pool_size: int = 1
    enabled: bool = True
    foreground: bool = False
    comment: str = ""
    log_trace_events: bool = False
    schedule: str = ""
    adapter_class_name: str = ""
    settings: tuple[SettingValue, ...] = ()

    def setting(self, name: str, target: str = "Host") -> str | None:
        """The text of a setting, None where the item does not set it."""
        return next((one.value for one in self.settings if one.name == name and one.target == target), None)


class ProductionDefinition(msgspec.Struct, frozen=True, kw_only=True):
    """A production. Times in seconds."""

    name: str
    testing_enabled: bool = False
    log_general_trace_events: bool = False
    actor_pool_size: int = 2
    description: str = ""
    settings: tuple[SettingValue, ...] = ()
    items: tuple[ItemDefinition, ...] = ()

    def item(self, name: str) -> ItemDefinition | None:
        """The item of this name."""
        return next((item for item in self.items if item.name == name), None)


class Registration(msgspec.Struct, frozen=True, kw_only=True):
    """A class under its registered name: where its code is. ``folder`` is the folder that its imports are relative to,
    ``module`` the module or the file in it, ``cls`` the name of the class."""

    name: str
    module: str
    cls: str
    folder: str
