"""Productions as dictionaries of the shape of their XML: ``{"Demo.Production": {"@Name": ..., "Item": [...]}}``.

It is the shape in which IRIS exports a production when its XML is read as JSON: attributes have an ``@``, a single
``Item`` or ``Setting`` may stand for a list of one, and a missing ``#text`` is the empty text.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from junctor.dialects.iop.definition import ItemDefinition, ProductionDefinition, SettingValue
from junctor.dialects.iop.production.reading import Place, Reading
from junctor.dialects.iop.production.values import true_or_false

_PRODUCTION = ("@Name", "@TestingEnabled", "@LogGeneralTraceEvents", "Description", "ActorPoolSize", "Setting", "Item")
_ITEM = (
    "@Name",
    "@Category",
    "@ClassName",
    "@PoolSize",
    "@Enabled",
    "@Foreground",
    "@Comment",
    "@LogTraceEvents",
    "@Schedule",
    "@AdapterClassName",
    "Setting",
)
_SETTING = ("@Target", "@Name", "#text")
_TARGETS = ("Host", "Adapter")

# Writing ------------------------------------------------------------------------------------------------------


def to_shape(production: ProductionDefinition) -> dict[str, Any]:
    """The dictionary of a production, with all attributes."""
    return {
        production.name: {
            "@Name": production.name,
            "@TestingEnabled": true_or_false(production.testing_enabled),
            "@LogGeneralTraceEvents": true_or_false(production.log_general_trace_events),
            "Description": production.description,
            "ActorPoolSize": str(production.actor_pool_size),
            "Setting": [_setting(one) for one in production.settings],
            "Item": [item_shape(item) for item in production.items],
        }
    }


def item_shape(item: ItemDefinition) -> dict[str, Any]:
    """The dictionary of one item."""
    shape: dict[str, Any] = {
        "@Name": item.name,
        "@Category": item.category,
        "@ClassName": item.class_name,
        "@PoolSize": str(item.pool_size),
        "@Enabled": true_or_false(item.enabled),
        "@Foreground": true_or_false(item.foreground),
        "@Comment": item.comment,
        "@LogTraceEvents": true_or_false(item.log_trace_events),
        "@Schedule": item.schedule,
    }
    if item.adapter_class_name:  # in IRIS the adapter belongs to the class, so its exports have no such attribute
        shape["@AdapterClassName"] = item.adapter_class_name
    return shape | {"Setting": [_setting(one) for one in item.settings]}


def _setting(one: SettingValue) -> dict[str, str]:
    return {"@Target": one.target, "@Name": one.name, "#text": one.value}


# Reading ------------------------------------------------------------------------------------------------------


def from_shape(data: Any, place: Place | None = None) -> Reading:
    """The production in a dictionary with one entry, its name.

    :param place: where the dictionary stands, for errors.
    :raises ShapeError: a part has the wrong shape; the text has the path of its keys.
    """
    place = place or Place("production")
    whole = place.mapping(data)
    if len(whole) != 1:
        raise place.error(f"a production is a dictionary with one entry, its name, not {len(whole)}")
    [(name, body)] = whole.items()
    if not isinstance(name, str) or not name.strip():
        raise place.error("a production has no name", "Let the key be its name, as in Demo.Production.")
    return _production(name, body, place.inside(name))


def productions_from(data: Any, place: Place) -> list[Reading]:
    """All productions of a dictionary ``{name: {...}}``; the same name as a key is not possible twice.

    :raises ShapeError: as :func:`from_shape`.
    """
    return [from_shape({name: body}, place) for name, body in place.mapping(data).items()]


def _production(name: str, body: Any, place: Place) -> Reading:
    data = place.mapping(body)
    place.know(data, _PRODUCTION)
    inner = place.text(data, "@Name")
    if name == "Production" and inner:  # the root element of the XML
        name = inner
    elif inner and inner != name:
        place.warn(f'"@Name" is {inner}, the key is {name}; the key counts')
    reading = Reading(ProductionDefinition(name=name), {}, place.warnings)
    items: dict[str, ItemDefinition] = {}
    for at, one in place.several(data, "Item"):
        item = _item(one, at, reading)
        if items.setdefault(item.name, item) is not item:
            raise at.error(f"there are two items {item.name}", "Give one of them another name.")
    reading.definition = ProductionDefinition(
        name=name,
        testing_enabled=place.flag(data, "@TestingEnabled", False),
        log_general_trace_events=place.flag(data, "@LogGeneralTraceEvents", False),
        actor_pool_size=place.number(data, "ActorPoolSize", 2),
        description=place.text(data, "Description"),
        settings=_settings(data, place),
        items=tuple(items.values()),
    )
    return reading


def _item(body: Any, place: Place, reading: Reading) -> ItemDefinition:
    data = place.mapping(body)
    place.know(data, _ITEM)
    name = place.required(data, "@Name")
    return ItemDefinition(
        name=name,
        class_name=_class_name(data, name, place, reading),
        category=place.text(data, "@Category"),
        pool_size=place.number(data, "@PoolSize", 1),
        enabled=place.flag(data, "@Enabled", True),
        foreground=place.flag(data, "@Foreground", False),
        comment=place.text(data, "@Comment"),
        log_trace_events=place.flag(data, "@LogTraceEvents", False),
        schedule=place.text(data, "@Schedule"),
        adapter_class_name=place.text(data, "@AdapterClassName"),
        settings=_settings(data, place),
    )


def _class_name(data: Mapping[str, Any], name: str, place: Place, reading: Reading) -> str:
    """The registered name; a class or a dictionary is to be registered under the name of its item."""
    given = data.get("@ClassName")
    if isinstance(given, type | Mapping):
        reading.classes[name] = (given, place.inside("@ClassName"))
        return name
    if given is not None and not isinstance(given, str):
        what = f"a class is a name, a class or a dictionary, not {type(given).__name__}"
        raise place.inside("@ClassName").error(what, 'Write "Python.MyOperation", or the class itself.')
    return place.required(data, "@ClassName")


def _settings(data: Mapping[str, Any], place: Place) -> tuple[SettingValue, ...]:
    found: dict[tuple[str, str], SettingValue] = {}
    for at, one in place.several(data, "Setting"):
        read = _read_setting(one, at)
        if (read.target, read.name) in found:
            at.warn(f"{read.name} is set twice; the last one counts")
        found[read.target, read.name] = read
    return tuple(found.values())


def _read_setting(body: Any, place: Place) -> SettingValue:
    data = place.mapping(body)
    place.know(data, _SETTING)
    target = place.text(data, "@Target") or "Host"
    if target not in _TARGETS and (meant := difflib.get_close_matches(target, _TARGETS, 1)):
        place.inside("@Target").warn(f"{target} is neither Host nor Adapter. Did you mean {meant[0]}?")
    return SettingValue(place.required(data, "@Name"), place.text(data, "#text"), target)
