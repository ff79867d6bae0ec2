"""The settings of an item as values: those that every item has, and those of its class and of its adapter."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from junctor.dialects.iop.definition import ItemDefinition, SettingValue
from junctor.dialects.iop.hosting.item import Item
from junctor.dialects.iop.hosting.known import FIELDS, KNOWN
from junctor.dialects.iop.settings import generated_settings
from junctor.dialects.iop.settings.reading import TEXT, lines
from junctor.settings import Setting, setting

_ADAPTER = "Adapter."
"""What stands before a setting of an adapter where its host has one of the same name."""


def known(item: Item, name: str) -> Any:
    """The value of a setting that every item has: of its definition, else of its class, else the usual one.

    :raises SettingError: it does not fit.
    """
    declared, kind = KNOWN[name]
    where = f"{item.name}.{name}"
    if name in FIELDS:
        return declared.read(getattr(item.definition, FIELDS[name]), kind, where)
    for target in ("Host", "Adapter"):
        text = item.definition.setting(name, target)
        if text:
            return declared.read(text, kind, where)
    for cls in (item.component, item.adapter):
        own = getattr(cls, name, None)
        if isinstance(own, int | float | str) and own != "":
            return declared.read(own, kind, where)
    return declared.default


def declared_settings(component: type | None, adapter: type | None) -> dict[str, tuple[Setting, Any]]:
    """All that can be set of an item, name to declaration and type."""
    own = dict(_generated(component))
    found = {**KNOWN, **own}
    for name, declaration in _generated(adapter):
        found[name if name not in own else f"{_ADAPTER}{name}"] = declaration
    return found


def _generated(cls: type | None) -> Iterator[tuple[str, tuple[Setting, Any]]]:
    """The settings that the class declares. One that is required is asked for when the instance is made."""
    for name, one in generated_settings(cls).items() if cls is not None else ():
        yield name, (setting(one.default, doc=one.description), one.kind)


def with_settings(definition: ItemDefinition, values: Mapping[str, Any], component: type | None) -> ItemDefinition:
    """The definition with these settings over its own."""
    own = dict(_generated(component))
    fields = {FIELDS[name]: value for name, value in values.items() if name in FIELDS}
    new: dict[tuple[str, str], str] = {}
    for name, value in values.items():
        if name not in FIELDS:
            new[_named(name, own)] = written(value)
    kept = [one for one in definition.settings if (one.name, one.target) not in new]
    made = [SettingValue(name, text, target) for (name, target), text in new.items()]
    return msgspec.structs.replace(definition, **fields, settings=(*kept, *made))


def _named(name: str, own: Mapping[str, Any]) -> tuple[str, str]:
    if name.startswith(_ADAPTER):
        return name.removeprefix(_ADAPTER), "Adapter"
    host = name in own or name in KNOWN
    return name, "Host" if host else "Adapter"


def flattened(item: Item) -> dict[str, Any]:
    """The settings of an item by name, as a flow has them: text, or a value of a field. Those of its host that no class
    declares are lines of ``%settings``."""
    own = dict(_generated(item.component))
    defaults = ItemDefinition(name="", class_name="")
    definition = item.definition
    found: dict[str, Any] = {
        name: value
        for name, field in FIELDS.items()
        if (value := getattr(definition, field)) != getattr(defaults, field)
    }
    if text := _loose(definition, {**own, **KNOWN}):
        found[TEXT] = text
    for one in definition.settings:
        if one.target == "Adapter":
            found[f"{_ADAPTER}{one.name}" if one.name in own or one.name in KNOWN else one.name] = one.value
        elif one.name != TEXT and (one.name in own or one.name in KNOWN):
            found[one.name] = one.value
    return found


def _loose(definition: ItemDefinition, declared: Mapping[str, Any]) -> str:
    """The settings of the host that nobody declares, a line each."""
    found = dict(lines(definition.setting(TEXT) or ""))
    for one in definition.settings:
        if one.target != "Adapter" and one.name not in declared:
            found[one.name] = one.value
    return "\n".join(f"{name}={value}" for name, value in found.items())


def written(value: Any) -> str:
    """A value as text, as a production has it."""
    return str(int(value)) if isinstance(value, bool) else "" if value is None else str(value)
