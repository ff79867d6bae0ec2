"""Where the parts of a configuration are written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import yaml

from junctor.dialects.pip_services.components.config.template import Rendered

UNREADABLE = (yaml.YAMLError, ValueError, RecursionError)
"""What the parser raises: ValueError for a date that there is not, the last for what is nested too deeply."""


class Source(NamedTuple):
    """A file, and the line of each dotted key in it, counted from 1; the key of the whole is empty. ``twice`` are keys
    that stand there once more, below."""

    path: str
    lines: Mapping[str, int] = {}
    twice: tuple[str, ...] = ()

    def line(self, key: str = "") -> int:
        """That of the key, else of the nearest section around it; 0 where none is known."""
        while key and key not in self.lines:
            key = key.rpartition(".")[0]
        return self.lines.get(key, 0)

    def place(self, key: str = "") -> str:
        """``config.yml:12``, without the line where it is not known."""
        line = self.line(key)
        return f"{self.path}:{line}" if line else self.path

    def below(self, name: str) -> Source:
        """The same for a section."""
        prefix = f"{name}."
        lines = {key.removeprefix(prefix): line for key, line in self.lines.items() if key.startswith(prefix)}
        return Source(self.path, {"": self.lines.get(name, 0)} | lines)


def read_yaml(path: str, text: Rendered) -> tuple[Any, Source]:
    """What a text says, and where.

    Raises one of :data:`UNREADABLE` where it is no YAML.
    """
    loader = yaml.SafeLoader(text.text)
    try:
        node = loader.get_single_node()
        value = None if node is None else loader.construct_document(node)
    finally:
        loader.dispose()
    found = [] if node is None else [(key, text.line(line)) for key, line in _lines(node, "", ())]
    times = Counter(key for key, _ in found)
    several = [key for key, count in times.items() if count > 1]
    twice = tuple(key for key in several if key.rpartition(".")[0] not in several)
    return value, Source(path, dict(found), twice)


def _lines(node: yaml.Node, key: str, above: tuple[int, ...]) -> Iterator[tuple[str, int]]:
    """The keys below a node. An alias may lead back to where it stands; then it ends there."""
    if id(node) in above:
        return
    for name, place, value in _children(node):
        inner = f"{key}.{name}" if key else name
        yield inner, place.start_mark.line + 1
        yield from _lines(value, inner, (*above, id(node)))


def _children(node: yaml.Node) -> Iterator[tuple[str, yaml.Node, yaml.Node]]:
    """Name, where it stands, value."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield str(key.value), key, value
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield str(index), value, value
