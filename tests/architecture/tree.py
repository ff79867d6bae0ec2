"""The source of Junctor as the architecture tests read it: files, names, syntax trees. Nothing is imported here."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "src" / "junctor"


@dataclass(frozen=True)
class Source:
    """One Python file below ``src/junctor``."""

    path: Path

    @property
    def place(self) -> str:
        """The path as the tables of the tests write it: ``runtime/supervisor.py``."""
        return self.path.relative_to(SRC).as_posix()

    @property
    def name(self) -> str:
        """The dotted name: ``junctor.runtime.supervisor``."""
        parts = ["junctor", *self.path.relative_to(SRC).with_suffix("").parts]
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @property
    def public(self) -> bool:
        """Whether users may import it: ``junctor``, its direct children, and everything in the public families."""
        parts = self.name.split(".")
        if any(part.startswith("_") for part in parts):
            return False
        return len(parts) <= 2 or parts[1] == "testing"

    @cached_property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, str(self.path))

    def at(self, node: ast.AST) -> str:
        return f"{self.place}:{getattr(node, 'lineno', 1)}"


@cache
def sources() -> list[Source]:
    """Every file of the package, read once; at least one: an empty list would make every test here pass for nothing."""
    found = [Source(path) for path in sorted(SRC.rglob("*.py"))]
    assert found, f"no source below {SRC}"
    return found


def calls(source: Source) -> Iterator[tuple[str, ast.Call]]:
    """Each call with the last word of what is called: ``create_task`` for ``loop.create_task(...)``."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call):
            yield last_word(node.func), node


def dotted(node: ast.expr) -> str:
    """``a.b.c`` for that expression, the known tail where the head is a call or a subscript."""
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}".lstrip(".")
    return node.id if isinstance(node, ast.Name) else ""


def last_word(node: ast.expr) -> str:
    return dotted(node).rpartition(".")[2]


def imported(source: Source) -> Iterator[tuple[str, ast.AST]]:
    """Each module that is imported anywhere in the file, absolute, with the place."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module or "", node


def report(heading: str, lines: list[str]) -> str:
    return "\n".join([heading, *(f"  {line}" for line in lines)])
