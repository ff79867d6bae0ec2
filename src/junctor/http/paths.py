"""Which entry a path leads to: fixed segments win over parameters, whatever the order of registration."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Generic, TypeVar
from urllib.parse import unquote_to_bytes

from junctor.errors import ConfigurationError
from junctor.http.problem import HttpError

E = TypeVar("E")

_PARAMETER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)(:path)?\}")
_BAD_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")


ANY = "*"
"""The method of an entry that takes all those for which there is no entry of their own."""


def entry_for(entries: Mapping[str, E], method: str) -> E | None:
    """What answers a method at a place: its own entry, that of GET for HEAD, that of any method."""
    found = entries.get(method)
    if found is None and method == "HEAD":
        found = entries.get("GET")
    return entries.get(ANY) if found is None else found


class PathTable(Generic[E]):
    """Paths to entries by method. ``/a/{name}`` takes one segment, ``/files/{rest:path}`` everything that follows."""

    def __init__(self) -> None:
        self._exact: dict[str, dict[str, E]] = {}
        self._root: _Node[E] = _Node()

    def add(self, method: str, path: str, entry: E) -> E | None:
        """Enter it; answers the entry that holds this place already, and changes nothing then.

        :raises ConfigurationError: the path cannot be read.
        """
        node = self._root
        segments = parse_path(path)
        for kind, name in segments:
            node = node.under(kind, name)
        held = node.entries.get(method)
        if held is not None:
            return held
        node.entries[method] = entry
        if not any(kind for kind, _ in segments):
            self._exact[path] = node.entries
        return None

    def find(self, path: str, raw_path: bytes) -> tuple[dict[str, E], list[str]] | None:
        """The entries by method, and the values of the path's parameters in order. None when nothing is there.

        :raises HttpError: 400, the path is not valid percent-encoded UTF-8.
        """
        entries = self._exact.get(path)
        if entries is not None and b"%" not in raw_path:
            return entries, []
        segments = split_raw(raw_path) if b"%" in raw_path else path.split("/")[1:]
        found = self._root.find(segments, 0)
        return None if found is None else (found[0].entries, found[1])

    def __iter__(self) -> Iterator[tuple[str, E]]:
        """Method and entry of each place."""
        yield from self._root.walk()


_FIXED, _SEGMENT, _REST = "", "segment", "rest"


class _Node(Generic[E]):
    """A place in the tree of segments."""

    __slots__ = ("entries", "fixed", "rest", "segment")

    def __init__(self) -> None:
        self.entries: dict[str, E] = {}
        self.fixed: dict[str, _Node[E]] = {}
        self.segment: _Node[E] | None = None
        self.rest: _Node[E] | None = None

    def under(self, kind: str, name: str) -> _Node[E]:
        if kind == _FIXED:
            return self.fixed.setdefault(name, _Node())
        if kind == _SEGMENT:
            self.segment = self.segment or _Node()
            return self.segment
        self.rest = self.rest or _Node()
        return self.rest

    def find(self, segments: list[str], at: int) -> tuple[_Node[E], list[str]] | None:
        if at == len(segments):
            return (self, []) if self.entries else None
        segment = segments[at]
        below = self.fixed.get(segment)
        found = below.find(segments, at + 1) if below is not None else None
        if found is not None:
            return found
        # An empty segment is no value: /alarms/ is another path than /alarms/{sensor}.
        if self.segment is not None and segment:
            found = self.segment.find(segments, at + 1)
            if found is not None:
                return found[0], [segment, *found[1]]
        if self.rest is not None and self.rest.entries:
            return self.rest, ["/".join(segments[at:])]
        return None

    def walk(self) -> Iterator[tuple[str, E]]:
        yield from self.entries.items()
        for below in (*self.fixed.values(), self.segment, self.rest):
            if below is not None:
                yield from below.walk()


def parse_path(path: str) -> list[tuple[str, str]]:
    """The segments of a route's path, as (kind, name).

    :raises ConfigurationError: with the reason.
    """
    if not path.startswith("/") or not path.isascii() or any(character in path for character in "?#% \\"):
        raise ConfigurationError(
            f"{path!r} is not a path", fix="Write for example /alarms/{sensor}: ASCII, beginning with a slash."
        )
    return [_parse_segment(path, segment) for segment in path.split("/")[1:]]


def _parse_segment(path: str, segment: str) -> tuple[str, str]:
    found = _PARAMETER.fullmatch(segment)
    if found is not None and found[2] and not path.endswith(segment):
        raise ConfigurationError(f"{path!r}: a {{{found[1]}:path}} takes the rest, so it must come last")
    if found is not None:
        return (_REST if found[2] else _SEGMENT), found[1]
    if "{" in segment or "}" in segment:
        raise ConfigurationError(
            f"{path!r}: {segment!r} is neither a fixed segment nor a parameter",
            fix="A parameter is a whole segment: /alarms/{sensor}, or /files/{rest:path} at the end.",
        )
    return _FIXED, segment


def shape(path: str) -> str:
    """The path with its parameters made anonymous: two routes of one shape answer the same requests."""
    return _PARAMETER.sub(lambda found: "{:path}" if found[2] else "{}", path)


def split_raw(raw_path: bytes) -> list[str]:
    """The decoded segments. Split before decoding: an encoded slash belongs to its segment.

    :raises HttpError: 400, not valid percent-encoded UTF-8.
    """
    if _BAD_ESCAPE.search(raw_path):
        raise HttpError("the path holds a % that is not followed by two hexadecimal digits", code="path")
    try:
        return [unquote_to_bytes(segment).decode() for segment in raw_path.split(b"/")[1:]]
    except UnicodeDecodeError:
        raise HttpError("the path is not UTF-8", code="path", fix="Encode the path as UTF-8.") from None
