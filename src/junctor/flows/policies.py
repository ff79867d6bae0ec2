"""Policies as users write them: numbers, mappings with durations and sizes as text, or the finished objects."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import msgspec

from junctor.clock import LONGEST
from junctor.core.policy import (
    Durability,
    HoldPolicy,
    Order,
    Policies,
    PoolPolicy,
    QueuePolicy,
    Recording,
    RestartPolicy,
    RetryPolicy,
)
from junctor.errors import SeveralProblems
from junctor.flows.files.reading import UNREAD, Reader, described, parse_size
from junctor.settings import Leaf, Table
from junctor.settings.written import Node, node_of

__all__ = ("POLICY_WORDS", "over_own", "parse_size", "read_policies")

_BACKOFF = {"exponential": 2.0, "constant": 1.0}
_STRUCTS: dict[str, type[msgspec.Struct]] = {
    "retry": RetryPolicy,
    "hold": HoldPolicy,
    "restart": RestartPolicy,
    "queue": QueuePolicy,
}
_EXAMPLES = {"queue": '{"limit": 10000, "bytes": "64MiB"}', "pool": "4"}
_ALONE = {"pool": "size", "queue": "limit"}
"""Where a number by itself stands for one field."""

POLICY_WORDS = ("pool", "key", "order", *_STRUCTS, "durability", "trace", "timeout")


def read_policies(base: Policies, written: Mapping[str, Any], service: str) -> Policies:
    """The policies of a service: ``base``, and over it what is not None in ``written``.

    :param written: policy word to a value, plain or from a file; of :data:`POLICY_WORDS`.
    :param service: the name shown in errors.
    :raises ConfigurationError: unknown words or wrong values, all of them, with their places and the right words.
    """
    given = {name: node_of(value) for name, value in written.items() if value is not None}
    reader = Reader()
    changed: dict[str, Any] = {}
    if pool := {name: node for name, node in given.items() if name in ("pool", "key", "order")}:
        changed["pool"] = _pool(reader, base.pool, pool, service)
    for name, kind in _STRUCTS.items():
        if name in given:
            changed[name] = _policy(reader, getattr(base, name), kind, given[name], service, name)
    if "durability" in given:
        changed["durability"] = reader.read(given["durability"], Durability, f"{service}.durability")
    if "trace" in given:
        changed["trace"] = _recording(reader, given["trace"], f"{service}.trace")
    if "timeout" in given:
        changed["timeout"] = _timeout(reader, given["timeout"], f"{service}.timeout")
    if reader.problems:
        raise SeveralProblems.of(reader.problems, service)
    return msgspec.structs.replace(base, **changed)


def over_own(policies: Policies, own: Policies) -> Policies:
    """Those of a flow over those of the class: for errors that ``retry.on`` of the flow does not name, the class says
    what follows. So an adapter that parks one more kind of error still waits for the other side where that is away.
    """
    rest = {name: reaction for name, reaction in own.retry.on.items() if name not in policies.retry.on}
    if not rest:
        return policies
    retry = msgspec.structs.replace(policies.retry, on={**policies.retry.on, **rest})
    return msgspec.structs.replace(policies, retry=retry)


def _pool(reader: Reader, base: PoolPolicy, given: Mapping[str, Node], service: str) -> Any:
    made = _policy(reader, base, PoolPolicy, given["pool"], service, "pool") if "pool" in given else base
    fields: dict[str, Any] = {}
    if "order" in given:
        fields["order"] = reader.read(given["order"], Order, f"{service}.order")
    if "key" in given:
        fields["key"] = _key(reader, given["key"], f"{service}.key")
    if UNREAD in (made, *fields.values()):
        return UNREAD
    return msgspec.structs.replace(made, **fields)


def _key(reader: Reader, node: Node, path: str) -> Any:
    if isinstance(node, Leaf) and (isinstance(node.value, str) and node.value or node.style == "plain"):
        return reader.read(node, str | None, path)
    fix = 'Give the name of a field of the body, for example key="sensor".'
    got = repr(node.value) if isinstance(node, Leaf) else described(node)
    return reader.wrong(path, node, f"expected the name of a field, got {got}", fix)


def _recording(reader: Reader, node: Node, path: str) -> Any:
    if isinstance(node, Leaf) and node.value is False and node.style == "plain":
        return "off"  # what YAML reads there
    return reader.read(node, Recording, path)


def _timeout(reader: Reader, node: Node, path: str) -> Any:
    if isinstance(node, Leaf) and node.value in ("never", math.inf):
        return math.inf
    read = reader.read(node, float, path)
    if read is not UNREAD and read < 0:
        return reader.wrong(path, node, f"{read:g} is not a duration", "Give a time, or never.")
    if read is not UNREAD and read >= LONGEST:
        return reader.wrong(path, node, f"{read:g} s is more than 300 years", "Give a time, or never.")
    return read


def _policy(reader: Reader, base: Any, kind: type[msgspec.Struct], node: Node, service: str, name: str) -> Any:
    path = f"{service}.{name}"
    if isinstance(node, Leaf) and isinstance(node.value, kind):
        return node.value
    if isinstance(node, Leaf) and name in _ALONE and _is_number(node):
        node = Table({_ALONE[name]: node}, node.place)
    if not isinstance(node, Table):
        return _no_policy(reader, kind, node, path, name)
    if "backoff" in node.entries and "factor" in kind.__struct_fields__:
        node = _without_backoff(reader, node, path)
    made = reader.read(node, kind, path, base)
    for field in kind.__struct_fields__ if made is not UNREAD else ():
        value = getattr(made, field)
        if isinstance(value, int | float) and value < 0:
            reader.wrong(f"{path}.{field}", node.entries.get(field, node), f"{value:g} is below 0", "Give 0 or more.")
        if isinstance(value, float) and value >= LONGEST:
            what = f"{value:g} s is more than 300 years"
            reader.wrong(f"{path}.{field}", node.entries.get(field, node), what, "Give a time like 30s or 1h.")
    return made


def _no_policy(reader: Reader, kind: type[msgspec.Struct], node: Node, path: str, name: str) -> Any:
    example = _EXAMPLES.get(name, '{"initial": "200ms", "max": "30s"}')
    number = "a number or " if name in _ALONE else ""
    if node.place:  # in a file, where there are no objects
        words = example.replace('"', "")
        return reader.wrong(
            path, node, f"expected {number}a mapping, got {described(node)}", f"Write for example {name}: {words}."
        )
    what = f"expected {number}a mapping or {kind.__name__}, got {described(node)}"
    return reader.wrong(path, node, what, f"Write for example {name}={example}.")


def _is_number(node: Leaf) -> bool:
    if isinstance(node.value, str):
        return node.style != "plain" and node.value.strip().lstrip("+-").isdigit()
    return isinstance(node.value, int) and not isinstance(node.value, bool)


def _without_backoff(reader: Reader, node: Table, path: str) -> Table:
    """``backoff: constant`` is another word for a factor."""
    entries = dict(node.entries)
    word = entries.pop("backoff")
    value = word.value if isinstance(word, Leaf) else None
    if value not in _BACKOFF:
        reader.wrong(f"{path}.backoff", word, f"{value!r} is not known here", f"Write one of: {', '.join(_BACKOFF)}.")
    elif "factor" in entries:
        reader.wrong(f"{path}.backoff", word, "backoff and factor say the same", "Leave one of them out.")
    else:
        entries["factor"] = Leaf(_BACKOFF[value], word.place)
    return Table(entries, node.place, node.keys)
