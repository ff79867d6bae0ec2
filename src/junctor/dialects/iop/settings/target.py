"""Settings that name another item of the production: where a component sends to."""

from __future__ import annotations

from typing import Any, NamedTuple

from junctor.dialects.iop.settings.category import Category
from junctor.dialects.iop.settings.controls import production_item
from junctor.dialects.iop.settings.declaration import Setting

CONFIG_NAME = "Ens.DataType.ConfigName"
"""The type in InterSystems IRIS of a setting that names an item."""


class TargetSetting(Setting):
    """A setting that names an item. An instance reads the name, empty where it is not connected."""

    def __init__(self, default: str = "", **options: Any) -> None:
        """
        :param default: the item to send to when the production says nothing.
        :param options: those of :class:`Setting`.
        """
        usual = {"iris_type": CONFIG_NAME, "category": Category.BASIC, "control": production_item(), "data_type": str}
        super().__init__(default, **{**usual, **options})


def target(default: str = "", **options: Any) -> Any:
    """Declare a target as a class attribute: ``Output = target()``. A production connects it to an item."""
    return TargetSetting(default, **options)


class TargetSettingRef(NamedTuple):
    """The target setting of one item of a production, ``Item.Setting`` as text."""

    item: str
    setting: str

    def __str__(self) -> str:
        return f"{self.item}.{self.setting}"
