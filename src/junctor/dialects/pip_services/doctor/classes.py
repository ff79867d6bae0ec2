"""The classes of a project, and which of them are REST services."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

from junctor.dialects.doctors import Project
from junctor.dialects.doctors.source import Source, is_self, sources

Function = ast.FunctionDef | ast.AsyncFunctionDef

_REST_SERVICES = ("RestService", "CommandableHttpService")


class Class(NamedTuple):
    """A class at the top of a file."""

    source: Source
    node: ast.ClassDef

    @property
    def methods(self) -> dict[str, Function]:
        return {each.name: each for each in self.node.body if isinstance(each, Function)}

    @property
    def bases(self) -> list[str]:
        """Their names without modules."""
        return [ast.unparse(base).rpartition(".")[2] for base in self.node.bases]

    def assigns(self, attribute: str) -> bool:
        """Whether the class, or one of its methods, gives ``self.attribute`` a value."""
        return any(
            isinstance(node, ast.Attribute | ast.Name)
            and isinstance(node.ctx, ast.Store)
            and (is_self(node, attribute) or isinstance(node, ast.Name) and node.id == attribute)
            for node in ast.walk(self.node)
        )


def classes(project: Project) -> Iterator[Class]:
    for source in sources(project):
        for node in source.tree.body:
            if isinstance(node, ast.ClassDef):
                yield Class(source, node)


def rest_services(project: Project) -> Iterator[tuple[Class, list[Class]]]:
    """Those that are RestServices, each with the classes of the project that it derives from, itself first."""
    known = {each.node.name: each for each in classes(project)}
    for each in known.values():
        line = _line(each, known)
        if any(base in _REST_SERVICES for one in line for base in one.bases):
            yield each, line


def _line(each: Class, known: dict[str, Class]) -> list[Class]:
    found, left = [], [each]
    while left:
        one = left.pop(0)
        if one not in found:
            found.append(one)
            left += [known[base] for base in one.bases if base in known]
    return found


class Registration(NamedTuple):
    """A call of ``self.register_route``; what it does not say as a literal is None."""

    method: ast.expr | None
    route: ast.expr | None
    handler: str


_ARGUMENTS = ("method", "route", "schema", "handler")


def registrations(each: Class) -> Iterator[Registration]:
    """The routes that a class registers with methods of its own."""
    for node in ast.walk(each.node):
        if isinstance(node, ast.Call) and is_self(node.func, "register_route"):
            given: dict[str, ast.expr] = dict(zip(_ARGUMENTS, node.args, strict=False))
            given |= {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg}
            handler = given.get("handler")
            if handler is not None and is_self(handler):
                assert isinstance(handler, ast.Attribute)
                yield Registration(given.get("method"), given.get("route"), handler.attr)
