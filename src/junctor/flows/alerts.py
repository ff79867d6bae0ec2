"""The ``alerts:`` section of a flow: when somebody is to be told, and how."""

from __future__ import annotations

import msgspec

from junctor.flows.files.reading import UNREAD, Reader, described
from junctor.settings import Leaf, Secret, Series, Table
from junctor.settings.written import Node


class When(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Reaching any of these is a reason: messages ``parked``, services ``stopped`` or ``held``, messages waiting in a
    ``queue``, seconds that a service was ``silent``, percent of the ``disk`` in use."""

    parked: int | None = None
    stopped: int | None = None
    held: int | None = None
    queue: int | None = None
    silent: float | None = None
    disk: float | None = None


class Send(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where an alert goes: to an address in the web, by mail, to a program with its arguments."""

    webhook: str | None = None
    email: str | None = None
    command: tuple[str, ...] | None = None


class AlertRule(msgspec.Struct, frozen=True, kw_only=True):
    """One rule. ``place`` is where it is written."""

    when: When
    send: Send
    place: str = ""


_EXAMPLE = '{when: {parked: 1}, send: {webhook: "${ALERT_URL}"}}'
_WORDS = frozenset({"when", "send"})


def read_alerts(reader: Reader, node: Node) -> tuple[AlertRule, ...]:
    """The rules; what is wrong with one is noted at the reader."""
    if not isinstance(node, Series):
        reader.wrong("alerts", node, f"expected a list, got {described(node)}", f"Write [{_EXAMPLE}].")
        return ()
    rules = [_rule(reader, part, f"alerts[{number}]") for number, part in enumerate(node.items)]
    return tuple(rule for rule in rules if rule is not None)


def _rule(reader: Reader, node: Node, path: str) -> AlertRule | None:
    table = reader.table(node, path, _EXAMPLE)
    if table is None:
        return None
    reader.known(table, _WORDS, path)
    parts = {}
    for word, kind in (("when", When), ("send", Send)):
        part = table.entries.get(word)
        if part is None:
            reader.wrong(path, node, f'"{word}" is missing', f"Write for example {_EXAMPLE}.")
            continue
        read = reader.read(_without_secrets(part), kind, f"{path}.{word}")
        if read is not UNREAD and all(value is None for value in msgspec.structs.asdict(read).values()):
            names = ", ".join(msgspec.structs.asdict(read))
            reader.wrong(f"{path}.{word}", part, "it is empty", f"Give one of: {names}.")
        elif read is not UNREAD:
            parts[word] = read
    return AlertRule(**parts, place=node.place) if len(parts) == len(_WORDS) else None


def _without_secrets(node: Node) -> Node:
    """An address may be a secret; nothing is sent by this version, so the reference is enough."""
    if isinstance(node, Table):
        return Table({key: _without_secrets(part) for key, part in node.entries.items()}, node.place, node.keys)
    if isinstance(node, Leaf) and isinstance(node.value, Secret):
        return Leaf(node.written, node.place, node.written)
    return node
