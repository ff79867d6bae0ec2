"""Names that a file uses and nobody defines: a class that was never imported, as a rule."""

from __future__ import annotations

import ast
import builtins
import functools
import symtable
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from junctor.dialects.doctors import Finding, Project
from junctor.dialects.doctors.correcting import UNREADABLE
from junctor.dialects.doctors.source import Source, sources
from junctor.dialects.pip_services.doctor.classes import classes
from junctor.dialects.pip_services.doctor.known_names import MODULES

_GIVEN = {*dir(builtins), "__file__", "__path__", "__builtins__", "__annotations__", "__class__", "WindowsError", "_"}
"""``_`` is put among the builtins by gettext."""

_SELF = "self"
"""Has a check of its own."""


def check(project: Project) -> Iterator[Finding]:
    homes = _homes(project)
    for source in sources(project):
        for name, line in undefined(source).items():
            if name != _SELF:
                yield _finding(source, name, line, homes)


def _finding(source: Source, name: str, line: int, homes: dict[str, str]) -> Finding:
    module = MODULES.get(name) or _module(source.file, homes.get(name, ""))
    if module:
        what = f"{name} is used and not imported"
        return Finding("missing-import", source.file, line, what, imports=(f"from {module} import {name}",))
    if name == "bottle":
        return Finding(
            "missing-import", source.file, line, "bottle is used and not imported", imports=("import bottle",)
        )
    return Finding("undefined-name", source.file, line, f"{name} is not defined", fix="Define or import it.")


@functools.lru_cache(maxsize=512)
def undefined(source: Source) -> Mapping[str, int]:
    """Names that no scope of a file defines, each with the line of its first use. Nothing where ``import *``, a handler
    of NameError or ``globals()`` leaves it open."""
    if any(_leaves_open(node) for node in ast.walk(source.tree)):
        return {}
    try:
        table = symtable.symtable(source.text, source.file, "exec")
    except UNREADABLE:
        return {}
    scopes = list(_scopes(table))
    defined = {each.get_name() for each in table.get_symbols() if _defines(each) or each.is_annotated()}
    defined |= {each.get_name() for scope in scopes for each in scope.get_symbols() if _is_made_global(each)}
    free = {
        (each.get_name(), scope.get_lineno())
        for scope in scopes
        for each in scope.get_symbols()
        if each.is_referenced() and (scope is table or each.is_global()) and each.get_name() not in defined | _GIVEN
    }
    uses, found = _uses(source), dict[str, int]()
    for name, start in sorted(free, key=lambda each: each[1]):
        found.setdefault(name, _first_use(uses.get(name, []), start))
    return dict(sorted(found.items(), key=lambda each: each[1]))


def _leaves_open(node: ast.AST) -> bool:
    if isinstance(node, ast.ImportFrom):
        return any(alias.name == "*" for alias in node.names)
    if isinstance(node, ast.Name):
        return node.id in ("globals", "exec")
    return isinstance(node, ast.ExceptHandler) and node.type is not None and "NameError" in ast.unparse(node.type)


def _scopes(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    yield table
    for child in table.get_children():
        yield from _scopes(child)


def _defines(symbol: symtable.Symbol) -> bool:
    return symbol.is_assigned() or symbol.is_imported() or symbol.is_namespace()


def _is_made_global(symbol: symtable.Symbol) -> bool:
    return symbol.is_declared_global() and _defines(symbol)


def _uses(source: Source) -> dict[str, list[int]]:
    """The lines of each name."""
    found: dict[str, list[int]] = {}
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Name):
            found.setdefault(node.id, []).append(node.lineno)
    return found


def _first_use(lines: list[int], start: int) -> int:
    return min((line for line in lines if line >= start), default=min(lines, default=start))


def _homes(project: Project) -> dict[str, str]:
    """The files of the classes of the project; of a name that several have, none."""
    found: dict[str, str] = {}
    for each in classes(project):
        name = each.node.name
        found[name] = "" if name in found else each.source.file
    return found


def _module(file: str, home: str) -> str:
    """How a file imports a class of another file in its folder; empty where it lies elsewhere."""
    if not home or PurePosixPath(home).parent != PurePosixPath(file).parent:
        return ""
    stem = PurePosixPath(home).stem
    return stem if stem.isidentifier() and stem != "__init__" else ""
