"""Values as they stand in a file: plain data that remembers its line, its spelling and what it refers to.

A file says ``limit: on``, and whether that is a word or a truth value depends on who reads it. So the spelling stays
until the declared type is known; then :func:`fitting` answers, or says what to put in quotes.
"""

from __future__ import annotations

import datetime
import enum
import pathlib
import typing
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

import msgspec

from junctor.clock import parse_duration
from junctor.errors import SettingError
from junctor.settings.conversion import is_duration, is_written_as_text, without_none
from junctor.settings.values import Secret

Style = Literal["plain", "quoted", "given"]
Looks = Literal["text", "number", "boolean", "nothing", "word", "octal", "clock", "date"]
"""How YAML 1.1 understands what is not in quotes. "word" is a boolean that is not written true or false: on, off, yes,
no; "clock" a number like 12:30; both and "octal" are read in another way than they look."""


class Leaf(msgspec.Struct, frozen=True):
    """One value. ``written`` is the text of the file, with its references; ``value`` what it stands for.

    ``style`` "given" is text from elsewhere, the environment or a command line, which is converted like any text.
    """

    value: Any
    place: str = ""
    written: str = ""
    style: Style = "quoted"
    looks: Looks = "text"


class Table(msgspec.Struct, frozen=True):
    """A mapping. ``keys`` has the place of each key."""

    entries: dict[str, Node]
    place: str = ""
    keys: dict[str, str] = {}


class Series(msgspec.Struct, frozen=True):
    """A list."""

    items: tuple[Node, ...]
    place: str = ""


Node = Leaf | Table | Series


class Misread(SettingError):
    """What stands in the file is not what it looks like, or not text where text is expected."""

    code = "misread"
    default_fix = "Put it in quotes."


def node_of(value: Any, place: str = "") -> Node:
    """Plain Python values as a node; anything that is no mapping, list or tuple is one value."""
    if isinstance(value, Leaf | Table | Series):
        return value
    if isinstance(value, Mapping):
        entries = {str(key): node_of(part, place) for key, part in value.items()}
        return Table(entries, place, dict.fromkeys(entries, place))
    if isinstance(value, list | tuple):
        return Series(tuple(node_of(part, place) for part in value), place)
    return Leaf(value, place, str(value))


def places_in(node: Node, path: str, place: str = "") -> dict[str, str]:
    """The place of each part by its path, ``http.keys[0].secret``.

    :param place: where the node itself is told to be.
    """
    found = {path: place or node.place}
    if isinstance(node, Table):
        for key, part in node.entries.items():
            found |= places_in(part, f"{path}.{key}", node.keys.get(key, part.place) if isinstance(part, Table) else "")
    elif isinstance(node, Series):
        for number, part in enumerate(node.items):
            found |= places_in(part, f"{path}[{number}]")
    return found


def plain(value: Any) -> Any:
    """The values of a node without places; what is no node, as it is."""
    if isinstance(value, Table):
        return {key: plain(part) for key, part in value.entries.items()}
    if isinstance(value, Series):
        return [plain(part) for part in value.items]
    return value.value if isinstance(value, Leaf) else value


def leaves(value: Any) -> Iterator[Leaf]:
    """All single values in a node."""
    if isinstance(value, Table):
        for part in value.entries.values():
            yield from leaves(part)
    elif isinstance(value, Series):
        for part in value.items:
            yield from leaves(part)
    elif isinstance(value, Leaf):
        yield value


def holds_secret(value: Any) -> bool:
    """Whether a secret is in it."""
    return any(isinstance(leaf.value, Secret) for leaf in leaves(value))


def is_nothing(value: Any) -> bool:
    """Whether it is None, in a file too."""
    return value is None or (isinstance(value, Leaf) and value.value is None)


# By type ------------------------------------------------------------------------------------------------------

_NUMBERS = (bool, int, float, datetime.timedelta)


def fitting(node: Node, kind: Any) -> Any:
    """The plain values of a node for a declared type.

    :raises Misread: a value without quotes is not what the type asks for, though it looks like it.
    """
    optional, kind = without_none(kind)
    if isinstance(node, Leaf):
        if is_written_as_text(kind) and not holds_secret(node):
            return node.written if node.style == "plain" and node.looks != "text" else node.value
        whole = node.style != "plain" or (optional and node.looks == "nothing")
        value = node.value if whole else _plain_leaf(node, kind)
        return _seconds(value) if is_duration(kind) and isinstance(value, str) else value
    if isinstance(node, Series):
        inner = _item_kinds(kind)
        return [fitting(part, inner(position)) for position, part in enumerate(node.items)]
    return _mapping(node, kind)


def _seconds(text: str) -> Any:
    """A duration, also deep inside of a setting, where the declared type is only a float to the decoder."""
    try:
        return parse_duration(text)
    except ValueError:
        return text


def _plain_leaf(leaf: Leaf, kind: Any) -> Any:
    looks, written = leaf.looks, leaf.written
    if looks in ("text", "nothing"):
        return leaf.value
    if kind is bool:
        return leaf.value
    if looks == "octal":
        decimal = written.replace("_", "").replace("o", "").lstrip("+-0") or "0"
        raise Misread(
            f"{written} is {leaf.value} to some readers of YAML, and {decimal} to others",
            fix=f'Write {leaf.value} or {decimal} for the number you mean, or put the text in quotes: "{written}".',
        )
    if looks == "clock":
        raise Misread(
            f"YAML reads {written} as the number {leaf.value}",
            fix=f'Put it in quotes: "{written}"; a duration is written 1h30m.',
        )
    if _wants_text(kind) or looks == "word" or (kind is Any and looks == "date"):
        what = f"YAML reads {written} as {_meaning(leaf)}, not as text"
        raise Misread(what, fix=f'Put it in quotes: "{written}".')
    return leaf.value


def _meaning(leaf: Leaf) -> str:
    if leaf.looks in ("word", "boolean"):
        return "true" if leaf.value else "false"
    return "a date" if leaf.looks == "date" else "a number"


def _wants_text(kind: Any) -> bool:
    if is_duration(kind) or kind in _NUMBERS:
        return False
    if typing.get_origin(kind) is Literal:
        return all(isinstance(word, str) for word in typing.get_args(kind))
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return all(isinstance(member.value, str) for member in kind)
    return isinstance(kind, type) and issubclass(kind, str | Secret | pathlib.PurePath)


def _item_kinds(kind: Any) -> Callable[[int], Any]:
    base, parts = typing.get_origin(kind), typing.get_args(kind)
    if base is tuple and parts and parts[-1] is not Ellipsis:
        return lambda position: parts[position] if position < len(parts) else Any
    if parts and isinstance(base, type):
        return lambda position: parts[0]
    return lambda position: Any


def _mapping(node: Table, kind: Any) -> dict[str, Any]:
    base, parts = typing.get_origin(kind) or kind, typing.get_args(kind)
    if isinstance(base, type) and issubclass(base, Mapping):
        inner = parts[1] if len(parts) == 2 else Any
        return {key: fitting(part, inner) for key, part in node.entries.items()}
    hints = _hints(base)
    return {key: fitting(part, hints.get(key, Any)) for key, part in node.entries.items()}


def _hints(base: Any) -> dict[str, Any]:
    """The types of the fields of a class, by the names that are written."""
    try:
        hints = typing.get_type_hints(base, include_extras=True) if isinstance(base, type) else {}
    except (NameError, TypeError):
        return {}
    if isinstance(base, type) and issubclass(base, msgspec.Struct):
        return {field.encode_name: hints.get(field.name, Any) for field in msgspec.structs.fields(base)}
    return hints
