"""YAML text as a tree of nodes with places: bounded, strict, and nothing but data.

It is read event by event, so that neither deep nesting nor aliases of aliases cost more than what is written. Of YAML
there are mappings, lists, text in and without quotes, anchors, aliases and merge keys; tags, several documents and keys
that are no text are refused.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from junctor.errors import ConfigurationError, SeveralProblems
from junctor.flows.files.scalars import scalar
from junctor.settings import Leaf, Series, Table
from junctor.settings.written import Node

LARGEST = 1 << 20
"""Bytes of a flow file."""
DEEPEST = 40
"""Mappings and lists in one another."""
MOST = 50_000
"""Nodes of a file, those behind an alias counted each time."""

_MERGE = "<< "
"""The merge key, told from the text of the same look."""
_TEXT_TAGS = ("!", "tag:yaml.org,2002:str")
_PLAIN_TAGS = tuple(f"tag:yaml.org,2002:{kind}" for kind in ("int", "float", "bool", "null", "map", "seq"))


def read_document(path: Path, label: str) -> Table:
    """The content of a flow file.

    :param label: what errors call the file.
    :raises ConfigurationError: it cannot be read, or is no YAML that a flow can be; all problems come together.
    """
    return parse_document(read_text(path, label), label)


def read_text(path: Path, label: str, largest: int = LARGEST) -> str:
    """The text of a small regular file.

    :raises ConfigurationError: there is none, it is too large, or no UTF-8.
    """
    try:
        # A pipe without a writer would keep its reader waiting.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise _no_file(path, label) from None
    except (OSError, ValueError) as error:
        what = f"it cannot be read: {getattr(error, 'strerror', None) or error}"
        raise ConfigurationError(what, where=label, fix="Check the path and its permissions.") from error
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ConfigurationError("it is not a regular file", where=label, fix="Name a file.")
        content = _content(descriptor, largest + 1)
    finally:
        os.close(descriptor)
    if len(content) > largest:
        what = f"it has more than {largest >> 10} KiB"
        raise ConfigurationError(what, where=label, fix="Keep data out of it, or divide it with include.")
    return _decoded(content, label)


def _content(descriptor: int, most: int) -> bytes:
    parts = []
    while most > 0 and (part := os.read(descriptor, most)):
        parts.append(part)
        most -= len(part)
    return b"".join(parts)


def _no_file(path: Path, label: str) -> ConfigurationError:
    from junctor.errors import nearest

    fix = ""
    if path.suffix in (".yaml", ".yml") and path.parent.is_dir():
        fix = nearest(path.name, [other.name for kind in ("yaml", "yml") for other in path.parent.glob(f"*.{kind}")])
    return ConfigurationError("there is no such file", where=label, fix=fix.strip() or "Check the path.")


def _decoded(content: bytes, label: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        fix = "Save the file as UTF-8."
        raise ConfigurationError("it is not UTF-8", where=f"{label}:{line}", fix=fix) from None


def parse_document(text: str, label: str) -> Table:
    """The content of a text, as :func:`read_document`."""
    import yaml

    composer = _Composer(label)
    # The scanner in C where PyYAML has it. Events only: no constructor of YAML is involved.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        for event in yaml.parse(text, Loader=loader):
            composer.take(event)
    except yaml.YAMLError as error:
        raise _no_yaml(error, text, label) from None
    except RecursionError:
        raise ConfigurationError("it is nested too deeply", where=label, fix="Make it flatter.") from None
    root = composer.root
    if composer.problems:
        wrong = SeveralProblems.of(composer.problems, label)
        wrong.rest = root
        raise wrong
    if root is None or (isinstance(root, Leaf) and root.value is None):
        fix = "Write for example: services: {alarm: {class: alarm:Alarm}}."
        raise ConfigurationError("it is empty", where=label, fix=fix)
    if not isinstance(root, Table):
        fix = "Begin with a key, for example services:."
        raise ConfigurationError("it is not a mapping", where=root.place or label, fix=fix)
    return root


def _no_yaml(error: Any, text: str, label: str) -> ConfigurationError:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if mark is None:
        return _unprintable(error, text, label)
    lines = text.splitlines()
    line = lines[mark.line] if mark.line < len(lines) else ""
    where = f"{label}:{mark.line + 1}:{mark.column + 1}"
    if "\t" in line[: mark.column + 1]:
        return ConfigurationError("there is a tab", where=where, fix="Use blanks to indent and after a colon.")
    what = str(getattr(error, "problem", None) or "it is no YAML")
    return ConfigurationError(_plainly(what), where=where, fix=_hint(what, line, mark.column))


def _unprintable(error: Any, text: str, label: str) -> ConfigurationError:
    position = getattr(error, "position", None)
    if isinstance(position, int) and 0 <= position <= len(text):
        # libyaml counts bytes.
        before = text.encode("utf-8", "surrogatepass")[:position].decode("utf-8", "replace")
        label = f"{label}:{before.count(chr(10)) + 1}"
    return ConfigurationError("a character cannot stand in a file", where=label, fix="Remove control characters.")


def _plainly(what: str) -> str:
    """The scanner's words as a sentence."""
    return f"this is no YAML: {what}"


def _hint(what: str, line: str, column: int) -> str:
    sign = line[column : column + 1]
    if "${" in line:
        return "Inside brackets a text with ${NAME} has to be in quotes."
    if "mapping values are not allowed" in what:
        return "A text with a colon and a blank in it has to be in quotes; or the line is indented wrongly."
    if sign in ("%", "@", "`", "&", "*", "!", "|", ">", "{", "}", "[", "]", "?") and sign:
        return f"A text that begins with {sign} has to be in quotes; brackets have to be closed."
    if "expected" in what and ("',' or" in what or "end" in what):
        return "Check the indentation of this line and the one above, and that brackets and quotes are closed."
    return "Check the indentation, quotes and brackets of this line and the one above."


class _Open:
    """A mapping or list that has begun."""

    __slots__ = ("anchor", "entries", "is_map", "items", "key", "keys", "merged", "place", "start")

    def __init__(self, is_map: bool, place: str, anchor: str | None, start: int) -> None:
        self.is_map = is_map
        self.place = place
        self.anchor = anchor
        self.start = start
        self.key: tuple[str, str] | None = None
        self.entries: dict[str, Node] = {}
        self.keys: dict[str, str] = {}
        self.merged: list[Node] = []
        self.items: list[Node] = []


class _Composer:
    """Takes the events of a parser and makes the tree."""

    def __init__(self, label: str) -> None:
        self.root: Node | None = None
        self.problems: list[ConfigurationError] = []
        self._label = label
        self._open: list[_Open] = []
        self._anchors: dict[str, tuple[Node, int]] = {}
        self._opening: set[str] = set()
        self._count = 0
        self._documents = 0

    def take(self, event: Any) -> None:
        """:raises ConfigurationError: the file is beyond a bound, so that reading on would not help."""
        kind = type(event).__name__
        if kind == "ScalarEvent":
            self._scalar(event)
        elif kind in ("MappingStartEvent", "SequenceStartEvent"):
            self._begin(event, kind == "MappingStartEvent")
        elif kind in ("MappingEndEvent", "SequenceEndEvent"):
            self._end()
        elif kind == "AliasEvent":
            self._alias(event)
        elif kind == "DocumentStartEvent":
            self._documents += 1
            if self._documents > 1:
                fix = "Keep one; --- between two makes them several documents."
                raise ConfigurationError("there are several documents", where=self._place(event), fix=fix)

    def _place(self, event: Any) -> str:
        return f"{self._label}:{event.start_mark.line + 1}"

    def _wrong(self, place: str, what: str, fix: str) -> None:
        self.problems.append(ConfigurationError(what, where=place, fix=fix))

    def _counted(self, number: int, place: str) -> None:
        self._count += number
        if self._count > MOST:
            fix = "Use fewer aliases, or divide the file with include."
            raise ConfigurationError(f"it has more than {MOST} values", where=place, fix=fix)

    # Events -------------------------------------------------------------------------------------------------

    def _scalar(self, event: Any) -> None:
        place = self._place(event)
        self._counted(1, place)
        quoted = bool(event.style) or event.tag in _TEXT_TAGS
        self._check_tag(event, place)
        if self._is_key():
            self._take_key(event.value, place, quoted)
            return
        leaf = scalar(event.value, place, quoted)
        if event.anchor:
            self._anchors[event.anchor] = (leaf, 1)
        self._put(leaf)

    def _begin(self, event: Any, is_map: bool) -> None:
        place = self._place(event)
        self._counted(1, place)
        self._check_tag(event, place)
        if self._is_key():
            fix = "Write the key as text; put a text with brackets in quotes."
            raise ConfigurationError("a key is a mapping or list", where=place, fix=fix)
        if len(self._open) >= DEEPEST:
            raise ConfigurationError(f"it is nested deeper than {DEEPEST}", where=place, fix="Make it flatter.")
        if event.anchor:
            self._opening.add(event.anchor)
        self._open.append(_Open(is_map, place, event.anchor, self._count))

    def _end(self) -> None:
        done = self._open.pop()
        node: Node
        if done.is_map:
            self._merge(done)
            node = Table(done.entries, done.place, done.keys)
        else:
            node = Series(tuple(done.items), done.place)
        if done.anchor:
            self._opening.discard(done.anchor)
            self._anchors[done.anchor] = (node, self._count - done.start + 1)
        self._put(node)

    def _alias(self, event: Any) -> None:
        place = self._place(event)
        if self._is_key():
            raise ConfigurationError("a key is an alias", where=place, fix="Write the key as text.")
        if event.anchor in self._opening:
            raise ConfigurationError(f"*{event.anchor} contains itself", where=place, fix="Remove the alias.")
        if event.anchor not in self._anchors:
            from junctor.errors import nearest

            fix = nearest(event.anchor, self._anchors).strip() or f"Mark what it means with &{event.anchor} above."
            raise ConfigurationError(f"there is no anchor &{event.anchor}", where=place, fix=fix)
        node, size = self._anchors[event.anchor]
        self._counted(size, place)
        self._put(node)

    def _check_tag(self, event: Any, place: str) -> None:
        if event.tag and event.tag not in _TEXT_TAGS and event.tag not in _PLAIN_TAGS:
            shown = event.tag.replace("tag:yaml.org,2002:", "!!")[:60]
            self._wrong(place, f"the tag {shown} is not known here", "Leave it out: a flow file is data only.")

    # Mappings -----------------------------------------------------------------------------------------------

    def _is_key(self) -> bool:
        return bool(self._open) and self._open[-1].is_map and self._open[-1].key is None

    def _take_key(self, text: str, place: str, quoted: bool) -> None:
        if not text and not quoted:
            self._wrong(place, "a key is missing in front of the colon", "Write it, or put the text in quotes.")
        self._open[-1].key = (_MERGE if text == "<<" and not quoted else text, place)

    def _put(self, node: Node) -> None:
        if not self._open:
            self.root = node
            return
        into = self._open[-1]
        if not into.is_map:
            into.items.append(node)
            return
        assert into.key is not None  # a value follows its key
        (key, place), into.key = into.key, None
        if key == _MERGE:
            into.merged.append(node)
        elif key in into.entries:
            self._wrong(place, f'"{key}" is here twice, first at {into.keys[key]}', "Remove one of them.")
        else:
            into.entries[key] = node
            into.keys[key] = place

    def _merge(self, done: _Open) -> None:
        """``<<: *base``: what the mapping does not say itself."""
        for table in self._merged(done):
            for key, node in table.entries.items():
                if key not in done.entries:
                    done.entries[key] = node
                    done.keys[key] = table.keys.get(key, table.place)

    def _merged(self, done: _Open) -> Iterator[Table]:
        for node in done.merged:
            for part in node.items if isinstance(node, Series) else (node,):
                if isinstance(part, Table):
                    yield part
                else:
                    self._wrong(done.place, "<< takes a mapping", "Write <<: *NAME of a mapping with &NAME.")
