"""The ``alerts:`` section of a flow: when somebody is to be told, and how."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from junctor.core.alarm import Pace
from junctor.core.hours import Hours, read_hours
from junctor.core.signals import CONDITIONS, When
from junctor.errors import ConfigurationError, nearest
from junctor.flows.destinations import Destination, Send
from junctor.flows.files.reading import UNREAD, Reader, described
from junctor.settings import Leaf, Series, Table
from junctor.settings.written import Node, is_nothing

_EXAMPLE = '{when: {parked: 1}, send: {webhook: "${ALERT_URL}"}}'
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,99}")
_PACE = tuple(field.encode_name for field in msgspec.structs.fields(Pace))
_WORDS = frozenset({"name", "when", "send", *_PACE})


class AlertRule(msgspec.Struct, frozen=True, kw_only=True):
    """One rule. ``place`` is where it is written."""

    name: str
    when: When
    send: tuple[Send, ...] = ()
    pace: Pace = Pace()
    hours: Hours = Hours()
    place: str = ""

    @property
    def destinations(self) -> Mapping[str, Destination]:
        """Where it goes, each by a name within the rule: ``webhook``, ``webhook-2``."""
        found: dict[str, Destination] = {}
        for one in (destination for send in self.send for destination in send.destinations):
            found[_free(type(one).__name__.lower(), found)] = one
        return found


def read_alerts(reader: Reader, node: Node) -> tuple[AlertRule, ...]:
    """The rules; what is wrong with one is noted at the reader."""
    if not isinstance(node, Series):
        reader.wrong("alerts", node, f"expected a list, got {described(node)}", f"Write [{_EXAMPLE}].")
        return ()
    rules: dict[str, AlertRule] = {}
    for number, part in enumerate(node.items):
        rule = _rule(reader, part, f"alerts[{number}]")
        if rule is None:
            continue
        if not rule.name:
            rule = msgspec.structs.replace(rule, name=_free(_usual_name(rule.when), rules))
        elif rule.name in rules:
            fix = f"Give one of them another name, for example {_free(rule.name, rules)}."
            reader.wrong(f"alerts[{number}].name", part, f'there is a rule "{rule.name}" already', fix)
        rules[rule.name] = rule
    return tuple(rules.values())


def service_problems(rules: Iterable[AlertRule], flow: str, services: Iterable[str]) -> Iterator[ConfigurationError]:
    """What is wrong with the services that the rules are about, and with those that are told.

    :param services: the names of all that are written.
    """
    known = set(services)
    for rule in rules:
        told = [send.service for send in rule.send if send.service is not None]
        for name in (*(rule.when.service or ()), *told):
            own, _, bare = name.rpartition("/")
            if bare not in known or (own and (own != flow or name in told)):
                where = f"alert {rule.name} ({rule.place})" if rule.place else f"alert {rule.name}"
                yield ConfigurationError(
                    f'there is no service "{name}" in this flow', where=where, fix=nearest(bare, known).strip() or None
                )


def _rule(reader: Reader, node: Node, path: str) -> AlertRule | None:
    table = reader.table(node, path, _EXAMPLE)
    if table is None:
        return None
    before = len(reader.problems)
    reader.known(table, _WORDS, path)
    for word in ("when", "send"):
        if word not in table.entries:
            reader.wrong(path, node, f'"{word}" is missing', f"Write for example {_EXAMPLE}.")
    parts: dict[str, Any] = {"name": _name(reader, table, f"{path}.name")}
    if "when" in table.entries:
        parts["when"] = _when(reader, table.entries["when"], f"{path}.when")
    if "send" in table.entries:
        parts["send"] = _send(reader, table.entries["send"], f"{path}.send")
    pace = Table({word: table.entries[word] for word in _PACE if word in table.entries}, node.place, table.keys)
    parts["pace"] = reader.read(pace, Pace, path)
    if len(reader.problems) > before:
        return None
    when = parts["when"]
    hours = read_hours(when.hours, when.days, when.timezone)
    return AlertRule(**parts, hours=hours, place=node.place)


def _name(reader: Reader, table: Table, path: str) -> Any:
    node = table.entries.get("name")
    name = "" if node is None or is_nothing(node) else reader.read(node, str, path)
    if node is not None and name is not UNREAD and name and _NAME.fullmatch(name) is None:
        return reader.wrong(path, node, f"{name!r} is not a name", "Use lower-case letters, digits and -: crm-away.")
    return name


def _when(reader: Reader, node: Node, path: str) -> Any:
    read = reader.read(_counted(node), When, path)
    if read is UNREAD:
        return read
    if not read.words:
        return reader.wrong(path, node, "it is empty", f"Give one of: {', '.join(CONDITIONS)}.")
    try:
        hours = read_hours(read.hours, read.days, read.timezone)
    except ValueError as error:
        what, _, example = str(error).partition("; write ")
        return reader.wrong(path, node, what, f"Write {example}.")
    if (read.hours or read.days) and read.silent is None:
        fix = "Hours and days say when silence counts: add silent: 15m, or leave them out."
        return reader.wrong(path, node, "it has hours and no silent", fix)
    if read.silent is not None and read.silent >= hours.length:
        fix = "Silence counts from the opening on: write a shorter time, or longer hours."
        return reader.wrong(path, node, "silent is longer than its hours", fix)
    return read


def _counted(node: Node) -> Node:
    """``stopped: true`` is one service, ``false`` is none to tell of."""
    stopped = node.entries.get("stopped") if isinstance(node, Table) else None
    if not isinstance(node, Table) or not isinstance(stopped, Leaf) or not isinstance(stopped.value, bool):
        return node
    entries = {key: part for key, part in node.entries.items() if key != "stopped"}
    if stopped.value:
        entries["stopped"] = Leaf(1, stopped.place, "1")
    return Table(entries, node.place, node.keys)


def _send(reader: Reader, node: Node, path: str) -> Any:
    """One mapping, or a list of them."""
    parts = node.items if isinstance(node, Series) else (node,)
    own = Reader(secrets=True)  # an address, a password or a header may be a secret
    found = [own.read(_spelled(part), Send, path) for part in parts]
    for part, send in zip(parts, found, strict=True):
        if send is not UNREAD and not send.destinations:
            own.wrong(path, part, "it is empty", "Give one of: webhook, email, command, service.")
    if not parts:
        own.wrong(path, node, "it is empty", "Give one of: webhook, email, command, service.")
    reader.problems += own.problems
    return UNREAD if own.problems else tuple(found)


def _spelled(node: Node) -> Node:
    """``webhook: URL`` is ``webhook: {url: URL}``, and ``email: ADDRESS`` is ``email: {to: ADDRESS}``."""
    if not isinstance(node, Table):
        return node
    entries = dict(node.entries)
    for word, inner in (("webhook", "url"), ("email", "to")):
        part = entries.get(word)
        if isinstance(part, Leaf) and not is_nothing(part):
            entries[word] = Table({inner: part}, part.place, {inner: part.place})
    command = entries.get("command")
    if isinstance(command, Leaf) and not is_nothing(command):
        entries["command"] = Series((command,), command.place)
    return Table(entries, node.place, node.keys)


def _usual_name(when: When) -> str:
    name = "-".join([*when.words[:1], *(when.service or ())[:1]]).replace("/", "-")
    return name if _NAME.fullmatch(name) else when.words[0]


def _free(name: str, taken: Iterable[str]) -> str:
    """The name, with a number where it is taken."""
    used = set(taken)
    return (
        name if name not in used else next(free for n in range(2, len(used) + 3) if (free := f"{name}-{n}") not in used)
    )
