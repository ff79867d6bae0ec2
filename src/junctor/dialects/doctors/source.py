"""The Python files of a project, parsed once each."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from typing import NamedTuple

from junctor.dialects.doctors.correcting import tree_of
from junctor.dialects.doctors.findings import Edit
from junctor.dialects.doctors.project import Project


class Source(NamedTuple):
    """A file that parses."""

    file: str
    text: str
    tree: ast.Module

    @property
    def lines(self) -> list[str]:
        return _lines(self.text)

    def replaced(self, node: ast.expr | ast.stmt, text: str) -> tuple[Edit, ...]:
        """The edit that puts a text in the place of a node; none where the node has several lines."""
        if node.end_lineno != node.lineno or node.end_col_offset is None:
            return ()
        line = self.lines[node.lineno - 1].encode()
        made = line[: node.col_offset] + text.encode() + line[node.end_col_offset :]
        return (Edit(self.file, node.lineno, node.lineno, (made.decode(),)),)


def sources(project: Project) -> Iterator[Source]:
    """The Python files that parse."""
    for file, text in project.named("*.py").items():
        tree = _parsed(text)
        if tree is not None:
            yield Source(file, text, tree)


@functools.lru_cache(maxsize=512)
def _lines(text: str) -> list[str]:
    """Asked for with each finding: to split a long file anew would take longer than all else."""
    return text.split("\n")


@functools.lru_cache(maxsize=512)
def _parsed(text: str) -> ast.Module | None:
    return tree_of(text)


def is_self(node: ast.AST, attribute: str = "") -> bool:
    """Whether this is ``self.attribute``; of any attribute where none is named."""
    return (
        isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "self"
        and attribute in ("", node.attr)
    )


def text_of(node: ast.AST | None) -> str | None:
    """The text that a literal stands for; None for all else."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
