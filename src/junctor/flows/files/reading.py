"""From what was written to typed data: every problem is found, each with its place, none is raised at once.

One reader for all that is no setting: policies, schedules, the ``http:`` section. It goes by the declared types, so a
field that is added to one of them can be written in a file without a change here. Text becomes numbers, numbers of
seconds also from ``"200ms"``, numbers of bytes from ``"64MiB"``.
"""

from __future__ import annotations

import functools
import math
import re
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any, Literal, Union

import msgspec

from junctor.clock import parse_duration
from junctor.errors import ConfigurationError, SeveralProblems, nearest
from junctor.settings import Leaf, Secret, Series, Table, bounded, convert
from junctor.settings.conversion import show, without_none
from junctor.settings.written import Misread, Node, fitting

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(i?)B?", re.IGNORECASE)


class _Unread:
    """What could not be read; the problem is noted."""

    def __bool__(self) -> bool:
        return False


UNREAD = _Unread()


def parse_size(text: str) -> int:
    """Bytes from ``"64MiB"``, ``"1GB"`` or a number.

    :raises ValueError: the text is not a size.
    """
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise ValueError(f'{text!r} is not a size: write for example "64MiB"')
    number, unit, binary = match.groups()
    base = 1024 if binary else 1000
    try:
        return int(float(number) * base ** (" KMGT".index(unit.upper() or " ")))
    except OverflowError:
        raise ValueError(f"{show(text)} is too large") from None


class Reader:
    """Reads nodes as types and keeps the ``problems``. A path like ``alarm.retry.max`` names each part in errors.

    :param secrets: whether a secret may stand where text is expected.
    """

    def __init__(self, *, secrets: bool = False) -> None:
        self.problems: list[ConfigurationError] = []
        self._secrets = secrets

    def wrong(self, path: str, node: Node | str, what: str, fix: str = "") -> _Unread:
        """Note a problem.

        :param node: what is wrong, or the place of it as text.
        """
        place = node if isinstance(node, str) else node.place
        where = f"{path} ({place})" if place and path else path or place
        self.problems.append(ConfigurationError(what, where=where, fix=fix.strip() or None))
        return UNREAD

    def read(self, node: Node, kind: Any, path: str, base: Any = None) -> Any:
        """The value, or :data:`UNREAD`.

        :param base: for a Struct: the object that has what is not written.
        """
        optional, kind = without_none(kind)
        if optional and isinstance(node, Leaf) and node.value is None:
            return None
        kind, _ = bounded(kind)  # whether it is within them is seen when all is read
        if isinstance(node, Leaf) and isinstance(node.value, Secret):
            if not self._secrets or kind is not str:
                fix = "Secrets are for settings that are secret."
                return self.wrong(path, node, "a secret cannot be used here", fix)
            return node.value.reveal()
        if typing.get_origin(kind) in (Union, types.UnionType):
            kind = _member(node, kind)
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            return self._struct(node, kind, path, base)
        origin = typing.get_origin(kind) or kind
        if isinstance(origin, type) and issubclass(origin, Mapping):
            return self._mapping(node, kind, path)
        if origin in (tuple, list):
            return self._series(node, kind, path)
        return self._scalar(node, kind, path)

    def table(self, node: Node, path: str, example: str) -> Table | None:
        """The node as a mapping; a problem is noted where it is none."""
        if isinstance(node, Table):
            return node
        self.wrong(path, node, f"expected a mapping, got {described(node)}", f"Write for example {example}.")
        return None

    def known(self, node: Table, words: Mapping[str, Any] | frozenset[str], path: str, what: str = "word") -> None:
        """Note the keys that are none of the words."""
        for key in node.entries:
            if key not in words:
                place = node.keys.get(key, node.place)
                self.wrong(f"{path}.{key}".lstrip("."), place, f"there is no such {what}", nearest(key, words))

    def make(self, path: str, node: Node, build: Callable[[], Any]) -> Any:
        """What ``build`` makes; its own checks become problems with this place."""
        try:
            return build()
        except SeveralProblems as error:
            for problem in error.problems:
                self.wrong(path, _meant(node, path, problem.what), problem.what, problem.fix)
            return UNREAD
        except ConfigurationError as error:
            return self.wrong(path, _meant(node, path, error.what), error.what, error.fix)
        except (ValueError, TypeError) as error:
            return self.wrong(path, node, str(error))

    # By kind ------------------------------------------------------------------------------------------------

    def _struct(self, node: Node, kind: type[msgspec.Struct], path: str, base: Any) -> Any:
        if isinstance(node, Leaf) and isinstance(node.value, kind):
            return node.value
        if not isinstance(node, Table):
            self.table(node, path, _sample(kind))
            return UNREAD
        fields, hints = _fields_of(kind)
        table = node
        before = len(self.problems)
        self.known(table, fields, path)
        values = dict(msgspec.structs.asdict(base)) if base is not None else {}
        for key, part in table.entries.items():
            if key in fields:
                name = fields[key].name
                values[name] = self.read(part, hints[name], f"{path}.{key}", values.get(name))
        for key, field in fields.items():
            if field.required and field.name not in values:
                self.wrong(path, node, f'"{key}" is missing', f"Write for example {_sample(kind)}.")
        if len(self.problems) > before:
            self._own_checks(node, kind, path, {name: value for name, value in values.items() if value is not UNREAD})
            return UNREAD
        # Built anew, not replaced: only then the bounds are checked.
        return self.make(path, node, lambda: kind(**values))

    def _own_checks(self, node: Node, kind: type[msgspec.Struct], path: str, values: Mapping[str, Any]) -> None:
        """What an object finds wrong with single fields, where others could not be read."""
        if not all(field.name in values for field in msgspec.structs.fields(kind) if field.required):
            return
        aside = Reader()
        aside.make(path, node, lambda: kind(**values))
        # What is said of several fields together may only be so because one is missing here.
        self.problems += [problem for problem in aside.problems if _meant(node, path, problem.what) is not node]

    def _mapping(self, node: Node, kind: Any, path: str) -> Any:
        if isinstance(node, Leaf) and isinstance(node.value, Mapping):
            return node.value
        table = self.table(node, path, "{NAME: VALUE}")
        if table is None:
            return UNREAD
        inner = (typing.get_args(kind) or (str, Any))[1]
        values = {key: self.read(part, inner, f"{path}.{key}") for key, part in table.entries.items()}
        return UNREAD if UNREAD in values.values() else values

    def _series(self, node: Node, kind: Any, path: str) -> Any:
        inner = (typing.get_args(kind) or (Any,))[0]
        base = typing.get_origin(kind) or kind
        if isinstance(node, Leaf) and isinstance(node.value, str):
            node = Series(tuple(Leaf(part.strip(), node.place) for part in node.value.split(",") if part.strip()))
        if not isinstance(node, Series):
            return self.wrong(path, node, f"expected a list, got {described(node)}", "Write it as [A, B].")
        values = [self.read(part, inner, f"{path}[{number}]") for number, part in enumerate(node.items)]
        return UNREAD if UNREAD in values else base(values)

    def _scalar(self, node: Node, kind: Any, path: str) -> Any:
        if not isinstance(node, Leaf):
            return self.wrong(path, node, f"expected {_said(kind)}, got {described(node)}", _fix(kind))
        try:
            value = fitting(node, kind)
        except Misread as error:
            return self.wrong(path, node, error.what, error.fix)
        if typing.get_origin(kind) is Literal:
            return value if value in typing.get_args(kind) else self._no_word(node, kind, path)
        try:
            return _converted(value, kind)
        except ValueError as error:
            what, _, example = str(error).partition(": write ")
            return self.wrong(path, node, what, f"Write {example}." if example else _fix(kind))

    def _no_word(self, node: Leaf, kind: Any, path: str) -> Any:
        words = [str(word) for word in typing.get_args(kind)]
        return self.wrong(path, node, f"{node.value!r} is not known here", f"Write one of: {', '.join(words)}.")


def _meant(node: Node, path: str, what: str) -> Node:
    """The field that a problem is about, where it names one as ``retry.attempts``; else the whole."""
    found = re.match(rf"{re.escape(path.rpartition('.')[2])}\.(\w+) ", what)
    return node.entries.get(found[1], node) if found is not None and isinstance(node, Table) else node


def described(node: Node) -> str:
    """What stands there, for an error."""
    if isinstance(node, Table):
        return "a mapping"
    if isinstance(node, Series):
        return "a list"
    if node.value is None:
        return "nothing"
    return "***" if isinstance(node.value, Secret) else show(node.value)


@functools.cache
def _fields_of(kind: type[msgspec.Struct]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The fields of a Struct by the names that are written, and their types."""
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    return fields, typing.get_type_hints(kind, include_extras=True)


def _member(node: Node, kind: Any) -> Any:
    """The part of a union that the written shape stands for."""
    parts = typing.get_args(kind)
    structs = [part for part in parts if isinstance(part, type) and issubclass(part, msgspec.Struct)]
    if structs and (isinstance(node, Table) or (isinstance(node, Leaf) and isinstance(node.value, tuple(structs)))):
        return structs[0]
    others = [part for part in parts if part not in structs]
    return others[0] if len(others) == 1 else Any


def _converted(value: Any, kind: Any) -> Any:
    if kind is Any:
        return value
    if kind is bool and not isinstance(value, bool | str):
        raise ValueError(f"expected true or false, got {show(value)}")
    if kind in (int, float) and (isinstance(value, bool) or not isinstance(value, int | float | str)):
        raise ValueError(f"expected {_said(kind)}, got {_shown(value)}")
    if kind is int:
        return _whole(value)
    if kind is float:
        return _number(value)
    if kind is str and not isinstance(value, str):
        raise ValueError(f"expected text, got {_shown(value)}")
    return convert(value, kind)


def _whole(value: Any) -> int:
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        if not value.is_integer():
            raise ValueError(f"expected a whole number, got {value:g}")
        return int(value)
    try:
        return int(value)
    except ValueError:
        if _SIZE.fullmatch(value.strip()) is None:
            raise ValueError(f"expected a whole number, got {show(value)}") from None
        return parse_size(value)


def _number(value: Any) -> float:
    try:
        number = float(value)
    except OverflowError:
        raise ValueError("the number is too large") from None
    except ValueError:
        return parse_duration(value)
    if not math.isfinite(number):
        raise ValueError(f"expected a finite number, got {number}")
    return number


def _shown(value: Any) -> str:
    return "nothing" if value is None else str(value).lower() if isinstance(value, bool) else show(value)


def _said(kind: Any) -> str:
    words = {int: "a whole number", float: "a number", str: "text", bool: "true or false"}
    return words.get(kind, "one word" if typing.get_origin(kind) is Literal else "a single value")


def _fix(kind: Any) -> str:
    if kind is bool:
        return "Write true or false."
    if kind is int:
        return "Write a whole number; a size also as 64MiB."
    if kind is float:
        return "Write a number; a duration also as 200ms, 2s, 1h30m."
    return "Write one word." if typing.get_origin(kind) is Literal else "Put it in quotes." if kind is str else ""


def _sample(kind: type[msgspec.Struct]) -> str:
    fields = msgspec.structs.fields(kind)
    wanted = [field for field in fields if field.required] or list(fields[:1])
    return "{" + ", ".join(f"{field.encode_name}: ..." for field in wanted) + "}"
