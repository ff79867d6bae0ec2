"""How two productions differ."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from junctor.dialects.iop.definition import ItemDefinition, ProductionDefinition, SettingValue

_PRODUCTION = ("testing_enabled", "log_general_trace_events", "actor_pool_size", "description")
_ITEM = (
    "class_name",
    "adapter_class_name",
    "category",
    "pool_size",
    "enabled",
    "foreground",
    "comment",
    "log_trace_events",
    "schedule",
)


@dataclass(frozen=True)
class ProductionDiffEntry:
    """One difference. ``path`` is the attribute, ``Orders.pool_size`` or ``Orders.Host.Output``; ``before`` is the
    value in the other production, None where it has none, ``after`` the value in this one."""

    kind: Literal["added", "removed", "changed"]
    path: str
    before: Any = None
    after: Any = None

    def __str__(self) -> str:
        sign = {"added": "+", "removed": "-", "changed": "~"}[self.kind]
        values = " -> ".join(repr(value) for value in (self.before, self.after) if value is not None)
        return f"{sign} {self.path}: {values}" if values else f"{sign} {self.path}"


@dataclass(frozen=True)
class ProductionDiff:
    """All differences between two productions. It is false where there are none; its text has one a line."""

    production_name: str
    entries: tuple[ProductionDiffEntry, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.entries)

    def __str__(self) -> str:
        return "\n".join([self.production_name, *(f"  {entry}" for entry in self.entries or ("no difference",))])


def difference(after: ProductionDefinition, before: ProductionDefinition) -> ProductionDiff:
    """What changed from one production to the other."""
    return ProductionDiff(after.name, tuple(_entries(after, before)))


def _entries(after: ProductionDefinition, before: ProductionDefinition) -> Iterator[ProductionDiffEntry]:
    yield from _fields(after, before, _PRODUCTION, "")
    yield from _settings(after.settings, before.settings, "")
    for item in before.items:
        if after.item(item.name) is None:
            yield ProductionDiffEntry("removed", item.name)
    for item in after.items:
        other = before.item(item.name)
        if other is None:
            yield ProductionDiffEntry("added", item.name)
        else:
            yield from _of_item(item, other)


def _of_item(after: ItemDefinition, before: ItemDefinition) -> Iterator[ProductionDiffEntry]:
    yield from _fields(after, before, _ITEM, f"{after.name}.")
    yield from _settings(after.settings, before.settings, f"{after.name}.")


def _fields(after: Any, before: Any, words: tuple[str, ...], path: str) -> Iterator[ProductionDiffEntry]:
    for word in words:
        was, now = getattr(before, word), getattr(after, word)
        if was != now:
            yield ProductionDiffEntry("changed", f"{path}{word}", was, now)


def _settings(
    after: tuple[SettingValue, ...], before: tuple[SettingValue, ...], path: str
) -> Iterator[ProductionDiffEntry]:
    was = {f"{one.target}.{one.name}": one.value for one in before}
    now = {f"{one.target}.{one.name}": one.value for one in after}
    for name in {**was, **now}:
        old, new = was.get(name), now.get(name)
        if old != new:
            kind: Literal["added", "removed", "changed"]
            kind = "added" if old is None else "removed" if new is None else "changed"
            yield ProductionDiffEntry(kind, f"{path}{name}", old, new)
