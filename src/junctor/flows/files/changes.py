"""One change of a service from outside a file: ``--set alarm.limit=90``, ``JUNCTOR_SET_ALARM__LIMIT=90``."""

from __future__ import annotations

import contextlib
import types
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, get_args

import msgspec

from junctor.core.spec import Loop, ServiceSpec
from junctor.errors import ConfigurationError, SeveralProblems, nearest
from junctor.flows.dialects import dialect_of
from junctor.flows.files.reading import UNREAD, Reader
from junctor.flows.policies import POLICY_WORDS, read_policies
from junctor.flows.schedules import read_schedules
from junctor.flows.wires import read_wires
from junctor.services.declared import module_settings, raw_settings
from junctor.settings import Leaf, Setting, Table
from junctor.settings.written import Node, node_of

if TYPE_CHECKING:
    from junctor.flows.model import FlowModel, Item

ISOLATIONS = ("node", "worker")
_WHOLE = ("enabled", "isolate", "loop")
_NAMED = ("connect", "schedules")
CHANGEABLE = (*POLICY_WORDS, *_WHOLE, *_NAMED)
"""What can be set beside settings."""


def settings_of(source: Any) -> dict[str, Setting]:
    """The settings that a class, blueprint or module declares. The types are not looked at."""
    if source is None or isinstance(source, ServiceSpec):
        return {}
    if (dialect := dialect_of(source)) is not None:
        return {name: declared for name, (declared, _) in dialect.settings(source).items()}
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
    if item.source is None:
        return _still_off(item, word, value, place)
    declared = settings_of(item.source)
    if first == "settings" and rest:
        outer, _, inner = rest.partition(".")
        if inner and outer in declared and _is_open(item.source, outer):
            return _set_part(item, outer, inner, value, place)
        return _set(item, rest, value, place)
    if first in declared and not rest:
        return _set(item, first, value, place)
    if first in declared and _is_open(item.source, first):
        return _set_part(item, first, rest, value, place)
    leaf = Leaf(value, place, value, "given")
    if first in POLICY_WORDS:
        written = {first: _nested(rest, leaf, place)}
        return msgspec.structs.replace(item, policies=read_policies(item.policies, written, item.name))
    if first in _WHOLE and not rest:
        return _whole(item, first, leaf)
    if first == "connect" and rest:
        names = Leaf(value, place, value, "given")
        before = f"connect.{rest}"
        places = {path: at for path, at in item.places.items() if not path.startswith((f"{before}[", f"{before}."))}
        connect = {**item.connect, **read_wires({rest: names}, item.name)}
        return msgspec.structs.replace(item, connect=connect, places={**places, before: place})
    if first == "schedules" and rest:
        own = read_schedules({rest: _schedule(leaf)}, item.name)
        return msgspec.structs.replace(item, schedules={**item.schedules, **own})
    raise _unknown(item, first, word, declared, place)


# From the environment ------------------------------------------------------------------------------------------

PREFIX = "JUNCTOR_SET_"


def variable_name(name: str) -> str:
    """How a name is written in a variable: ``MACHINE_MONITOR`` for ``machine-monitor``."""
    return name.upper().replace("-", "_")


def change_by_variables(flow: FlowModel, variables: Mapping[str, str]) -> None:
    """Set what ``JUNCTOR_SET_ALARM__LIMIT=90`` says. One that names no service of the flow is noted: it may be meant
    for another.

    :raises ConfigurationError: there is nothing of this name in the service, the value does not fit, or two services
        have the name.
    """
    for variable in sorted(name for name in variables if name.startswith(PREFIX)):
        service, _, word = variable.removeprefix(PREFIX).partition("__")
        fitting = [item for item in flow.items if variable_name(item.name) == service]
        if len(fitting) > 1:
            what = f"it may mean {' or '.join(item.name for item in fitting)}"
            raise ConfigurationError(what, where=variable, fix=f"Write --set {fitting[0].name}.NAME=VALUE.")
        item = fitting[0] if fitting else None
        if item is None or not word:
            names = ", ".join(f"{PREFIX}{variable_name(item.name)}__" for item in flow.items)
            flow.notes = (*flow.notes, f"{variable} has no effect here; what begins with one of these has: {names}")
        else:
            flow.change(f"{item.name}.{_word_of(item, word)}", str(variables[variable]), variable)


def change_by_options(flow: FlowModel, options: Iterable[tuple[str, str]], *, others: bool) -> None:
    """Set what ``--set`` says: ``service.setting``, or ``flow/service.setting`` where several flows have the service.

    :param others: there are other flows that it may be meant for.
    :raises ConfigurationError: all that cannot be set.
    """
    problems: list[ConfigurationError] = []
    for setting, value in options:
        name, sign, own = setting.partition("/")
        if sign and (others or name == flow.name):
            if name != flow.name:
                continue
            setting = own
        if others and flow.item(setting.partition(".")[0]) is None:
            continue
        try:
            flow.change(setting, value)
        except SeveralProblems as error:
            problems += error.problems
        except ConfigurationError as error:
            problems.append(error)
    if problems:
        raise SeveralProblems.of(problems, f"flow {flow.name}")


def switched_on(options: Iterable[tuple[str, str]], variables: Mapping[str, str]) -> frozenset[str]:
    """The services that ``--set alarm.enabled=true`` and the like switch on, as :func:`variable_name` writes them."""
    said = {
        name.removeprefix(PREFIX).removesuffix("__ENABLED"): value
        for name, value in variables.items()
        if name.startswith(PREFIX) and name.endswith("__ENABLED")
    }
    for setting, value in options:
        if setting.endswith(".enabled"):
            said[variable_name(setting.removesuffix(".enabled").rpartition("/")[2])] = value
    return frozenset(name for name, value in said.items() if value.strip().lower() in ("true", "yes", "on", "1"))


def _word_of(item: Item, written: str) -> str:
    """``retry.attempts`` for ``RETRY__ATTEMPTS``; settings and schedules as they are spelled in the code."""
    parts = written.split("__")
    spelled = {variable_name(name): name for name in settings_of(item.source)}
    first = spelled.get(parts[0], parts[0].lower())
    rest = [spelled.get(part, part.lower()) if first == "settings" else part.lower() for part in parts[1:]]
    return ".".join([first, *rest])


# What is set ---------------------------------------------------------------------------------------------------


def _set(item: Item, name: str, value: str, place: str) -> Item:
    return msgspec.structs.replace(item, settings={**item.settings, name: value}, places={**item.places, name: place})


def _is_open(source: Any, name: str) -> bool:
    """Whether a setting of a dialect is a mapping of whatever its users put into it: each part can be set by itself."""
    dialect = dialect_of(source)
    return dialect is not None and dialect.settings(source)[name][1] == dict[str, Any]


def _set_part(item: Item, name: str, path: str, value: str, place: str) -> Item:
    """One part, beside those that are there; a number or a list where it is written as JSON, else text."""
    try:
        given = msgspec.json.decode(value)
    except msgspec.DecodeError:
        given = value
    before = item.settings.get(name, {})
    if isinstance(before, str):  # all of them were given on the command line, too
        with contextlib.suppress(msgspec.DecodeError):
            before = msgspec.json.decode(before)
    made = _with_part(node_of(before, item.places.get(name, place)), path, node_of(given, place), place)
    return msgspec.structs.replace(
        item, settings={**item.settings, name: made}, places={**item.places, f"{name}.{path}": place}
    )


def _with_part(node: Node, path: str, value: Node, place: str) -> Node:
    first, dot, rest = path.partition(".")
    table = node if isinstance(node, Table) else Table({}, place)
    inner = _with_part(table.entries.get(first, Table({}, place)), rest, value, place) if dot else value
    return Table({**table.entries, first: inner}, table.place, {**table.keys, first: place})


def _still_off(item: Item, word: str, value: str, place: str) -> Item:
    """A service that a file switches off: it can stay so; anything else has no effect, and saying so is no help."""
    if word == "enabled":
        _whole(item, word, Leaf(value, place, value, "given"))
    return item


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
        words = ISOLATIONS if word == "isolate" else get_args(Loop)
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
