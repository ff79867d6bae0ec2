"""Attributes that begin with two underscores and are read under a name that nobody sets."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from junctor.dialects.doctors import Finding, Project
from junctor.dialects.doctors.source import is_self
from junctor.dialects.pip_services.doctor.classes import Class, classes


def check(project: Project) -> Iterator[Finding]:
    """Only the class itself can set such an attribute, so that one it does not set is not there. It is taken for the
    one that differs in capitals and underscores alone."""
    for each in classes(project):
        known = _set(each)
        for node in ast.walk(each.node):
            if isinstance(node, ast.Attribute) and _is_private(node) and node.attr not in known:
                same = [name for name in known if _plain(name) == _plain(node.attr)]
                if len(same) == 1:
                    yield _finding(each, node, same[0])


def _finding(each: Class, node: ast.Attribute, name: str) -> Finding:
    edits = each.source.replaced(node, f"self.{name}")
    what = f"{each.node.name} never sets self.{node.attr}; it sets self.{name}"
    return Finding("unset-attribute", each.source.file, node.lineno, what, edits, fix=f"Write self.{name}.")


def _is_private(node: ast.Attribute) -> bool:
    return is_self(node) and node.attr.startswith("__") and not node.attr.endswith("__") and _is_read(node)


def _is_read(node: ast.Attribute) -> bool:
    return isinstance(node.ctx, ast.Load)


def _set(each: Class) -> set[str]:
    """Private names that the class or one of its methods defines."""
    found = {name for name in each.methods if name.startswith("__")}
    for node in ast.walk(each.node):
        if isinstance(node, ast.Attribute) and is_self(node) and not _is_read(node):
            found.add(node.attr)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
    return {name for name in found if name.startswith("__")}


def _plain(name: str) -> str:
    return name.replace("_", "").lower()
