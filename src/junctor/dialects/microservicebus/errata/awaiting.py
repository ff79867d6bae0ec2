"""Built-in functions that are coroutines and are not awaited, and those that are none and are."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from junctor.dialects.doctors import Finding, Project
from junctor.dialects.doctors.source import Source, is_self
from junctor.dialects.microservicebus.errata.classes import Function, services

_COROUTINES = {"SubmitAction", "SubmitMessage", "Debug", "Warning", "ThrowError", "Track"}
_PLAIN = {"printf", "get_settings", "GetPropertyValue", "GetState", "AddPipPackage"}


def check(project: Project) -> Iterator[Finding]:
    for source, node in services(project):
        own = {each.name for each in node.body if isinstance(each, Function)}
        for method in (each for each in node.body if isinstance(each, Function)):
            yield from _of_body(source, method, isinstance(method, ast.AsyncFunctionDef), own)


def _of_body(source: Source, node: ast.AST, in_coroutine: bool, own: set[str]) -> Iterator[Finding]:
    """Through a function, with those that are defined in it."""
    for each in ast.iter_child_nodes(node):
        if isinstance(each, Function | ast.Lambda):
            yield from _of_body(source, each, isinstance(each, ast.AsyncFunctionDef), own)
            continue
        if isinstance(each, ast.Expr) and (name := _called(each.value)) in _COROUTINES - own:
            yield _not_awaited(source, each, name, in_coroutine)
        elif isinstance(each, ast.Await) and (name := _called(each.value)) in _PLAIN - own:
            what = f"self.{name} is no coroutine: to await what it returns raises"
            edits = source.replaced(each, ast.get_source_segment(source.text, each.value) or "")
            yield Finding("awaited-function", source.file, each.lineno, what, edits, fix=f"Write self.{name}(...).")
        yield from _of_body(source, each, in_coroutine, own)


def _called(node: ast.AST) -> str:
    """The method of ``self`` that is called; empty for all else."""
    return (
        node.func.attr
        if isinstance(node, ast.Call) and is_self(node.func) and isinstance(node.func, ast.Attribute)
        else ""
    )


def _not_awaited(source: Source, node: ast.Expr, name: str, in_coroutine: bool) -> Finding:
    what = f"self.{name} is not awaited, so it does nothing"
    text = f"await {ast.get_source_segment(source.text, node)}"
    edits = source.replaced(node, text) if in_coroutine else ()
    fix = f"Write await self.{name}(...)."
    if not in_coroutine:
        fix = f"Make the function async and write await self.{name}(...); self.printf writes a line without."
    return Finding("missing-await", source.file, node.lineno, what, edits, fix=fix)
