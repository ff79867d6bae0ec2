"""One change of a service from outside a file: ``--set alarm.limit=90``, ``JUNCTOR_SET_ALARM__LIMIT=90``."""

from __future__ import annotations

import types
from typing import TYPE_CHECKING, Any, get_args

import msgspec

from junctor.core.spec import Loop, ServiceSpec
from junctor.errors import ConfigurationError, nearest
from junctor.flows.policies import POLICY_WORDS, read_policies
from junctor.flows.reading import UNREAD, Reader
from junctor.flows.schedules import read_schedules
from junctor.flows.wires import read_wires
from junctor.services.declared import module_settings, raw_settings
from junctor.settings import Leaf, Setting, Table

if TYPE_CHECKING:
    from junctor.flows.model import Item

ISOLATIONS = ("node", "worker")
_WHOLE = ("enabled", "isolation", "loop")
_NAMED = ("connect", "schedules")
CHANGEABLE = (*POLICY_WORDS, *_WHOLE, *_NAMED)
"""What can be set beside settings."""


def settings_of(source: Any) -> dict[str, Setting]:
    """The settings that a class, blueprint or module declares. The types are not looked at."""
    if isinstance(source, ServiceSpec):
        return {}
    if isinstance(source, types.ModuleType):
        known = vars(source).get("__junctor_settings__")  # there once the module is a service
        pairs = known.items() if known else ((name, (found, kind)) for name, found, kind in module_settings(source))
        return {name: declaration[0] for name, declaration in pairs}
    cls = source if isinstance(source, type) else type(source)
    return {name: declared for name, (declared, _) in raw_settings(cls).items()}


def changed(item: Item, word: str, value: str, place: str) -> Item:
    """The item with one thing set.

    :param word: a setting; else a policy with its part, ``retry.attempts``; ``settings.NAME`` is a setting in any case.
    :raises ConfigurationError: there is nothing of this name, or the value does not fit.
    """
    first, _, rest = word.partition(".")
    declared = settings_of(item.source)
    if first == "settings" and rest:
        return _set(item, rest, value, place)
    if first in declared and not rest:
        return _set(item, first, value, place)
    leaf = Leaf(value, place, value, "given")
    if first in POLICY_WORDS:
        written = {first: _nested(rest, leaf, place)}
        return msgspec.structs.replace(item, policies=read_policies(item.policies, written, item.name))
    if first in _WHOLE and not rest:
        return _whole(item, first, leaf)
    if first == "connect" and rest:
        names = Leaf(value, place, value, "given")
        return msgspec.structs.replace(item, connect={**item.connect, **read_wires({rest: names}, item.name)})
    if first == "schedules" and rest:
        own = read_schedules({rest: _schedule(leaf)}, item.name)
        return msgspec.structs.replace(item, schedules={**item.schedules, **own})
    raise _unknown(item, first, word, declared, place)


def _set(item: Item, name: str, value: str, place: str) -> Item:
    return msgspec.structs.replace(
        item, settings={**item.settings, name: value}, places={**item.places, name: place}
    )


def _nested(path: str, leaf: Leaf, place: str) -> Leaf | Table:
    """``attempts: 3`` for ``attempts`` of ``retry``."""
    node: Leaf | Table = leaf
    for part in reversed(path.split(".") if path else []):
        node = Table({part: node}, place, {part: place})
    return node


def _schedule(leaf: Leaf) -> Leaf | Table:
    return Table({"cron": leaf}, leaf.place) if len(str(leaf.value).split()) == 5 else leaf


def _whole(item: Item, word: str, leaf: Leaf) -> Item:
    reader = Reader()
    path = f"{item.name}.{word}"
    value: Any
    if word == "enabled":
        value = reader.read(leaf, bool, path)
    else:
        words = ISOLATIONS if word == "isolation" else get_args(Loop)
        value = leaf.value
        if value not in words:
            fix = f"Write one of: {', '.join(words)}."
            value = reader.wrong(path, leaf, f"{value!r} is not known here", fix)
    if value is UNREAD:
        raise reader.problems[0]
    return msgspec.structs.replace(item, **{word: value})


def _unknown(item: Item, first: str, word: str, declared: dict[str, Setting], place: str) -> ConfigurationError:
    from junctor.errors import SettingError

    where = f"{item.name}.{word} ({place})"
    if first in declared:
        return SettingError("a setting has no parts", where=where, fix=f"Give the whole value of {first}, as JSON.")
    if first in _NAMED:
        fix = f"Name it: {item.name}.{first}.NAME=..."
        return ConfigurationError("it does not say which one", where=where, fix=fix)
    if isinstance(item.source, ServiceSpec):
        return ConfigurationError("a spec has its settings already", where=where, fix="Give them to its producer.")
    close = nearest(first, declared)
    if not close.startswith("Did"):
        other = nearest(first, CHANGEABLE)
        close = other if other.startswith("Did") else close
    return SettingError("there is no such setting", where=where, fix=close.strip() or "Leave it out.")
