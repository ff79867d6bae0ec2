"""Handlers of REST services: they take no arguments but those of their path, and answer what they return."""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Iterator

from junctor.dialects.doctors import Edit, Finding, Project
from junctor.dialects.doctors.source import is_self, text_of
from junctor.dialects.pip_services.doctor.classes import Class, Function, Registration, registrations, rest_services

_WITHOUT_BODY = ("GET", "DELETE", "HEAD")
_IN_PATH = re.compile(r"<(\w+)")


def check(project: Project) -> Iterator[Finding]:
    for each, _ in rest_services(project):
        for found in registrations(each):
            method = each.methods.get(found.handler)
            if isinstance(method, ast.FunctionDef):
                yield from _of_arguments(each, method, found)
                yield from _of_result(each, method)


def _of_arguments(each: Class, method: ast.FunctionDef, found: Registration) -> Iterator[Finding]:
    """Nothing in the path gives them a value, so they are meant to be parameters of the query."""
    if (text_of(found.method) or "").upper() not in _WITHOUT_BODY or method.args.args[:1] != [*_self_of(method)]:
        return
    names = _unbound(method, text_of(found.route) or "")
    if names and not _is_called(each, method.name):
        listed = ", ".join(names)
        what = f"{each.node.name}.{method.name} takes {listed}; Pip.Services gives it what is in its path alone"
        edits = _reading(each, method, names)
        fix = "Read each with self._endpoint.get_param(NAME, None)."
        yield Finding("handler-arguments", each.source.file, method.lineno, what, edits, fix=fix)


def _self_of(method: Function) -> list[ast.arg]:
    return [one for one in method.args.args[:1] if one.arg == "self"]


def _unbound(method: Function, route: str) -> list[str]:
    """The parameters that must be given and are not in the path."""
    arguments = method.args
    needed = arguments.args[1 : len(arguments.args) - len(arguments.defaults)]
    needed += [one for one, value in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if value is None]
    return [one.arg for one in needed if one.arg not in _IN_PATH.findall(route)]


def _is_called(each: Class, name: str) -> bool:
    return any(isinstance(node, ast.Call) and is_self(node.func, name) for node in ast.walk(each.node))


def _reading(each: Class, method: ast.FunctionDef, names: list[str]) -> tuple[Edit, ...]:
    """The signature without them, and a line that reads each; none where a type or a line break says more."""
    source = each.source
    first = method.body[0]
    if first.lineno == method.lineno or not all(_is_text(one) for one in method.args.args if one.arg in names):
        return ()
    line = source.lines[method.lineno - 1]
    start = re.match(rf"\s*def\s+{method.name}\s*\(", line)
    end = _closing(line, start.end()) if start else -1
    if start is None or end < 0:
        return ()
    signature = f"{line[: start.end()]}{ast.unparse(_without(method.args, names))}{line[end:]}"
    reads = tuple(f'{" " * first.col_offset}{name} = self._endpoint.get_param("{name}", None)' for name in names)
    place = method.body[1] if ast.get_docstring(method) is not None and len(method.body) > 1 else first
    return (
        Edit(source.file, method.lineno, method.lineno, (signature,)),
        Edit(source.file, place.lineno, place.lineno - 1, reads),
    )


def _is_text(argument: ast.arg) -> bool:
    """What comes from a query is a text."""
    return argument.annotation is None or ast.unparse(argument.annotation) in (
        "str",
        "str | None",
        "Optional[str]",
        "Any",
    )


def _closing(line: str, start: int) -> int:
    """Where the bracket that opened before ``start`` is closed; -1: on another line."""
    depth = 1
    for index in range(start, len(line)):
        depth += (line[index] in "([{") - (line[index] in ")]}")
        if depth == 0:
            return index
    return -1


def _without(arguments: ast.arguments, names: list[str]) -> ast.arguments:
    made = copy.deepcopy(arguments)
    made.args = [one for one in made.args if one.arg not in names]
    kept = [index for index, one in enumerate(made.kwonlyargs) if one.arg not in names]
    made.kw_defaults = [made.kw_defaults[index] for index in kept]
    made.kwonlyargs = [made.kwonlyargs[index] for index in kept]
    return made


def _of_result(each: Class, method: ast.FunctionDef) -> Iterator[Finding]:
    for statement in _last(method.body):
        if isinstance(statement, ast.Expr) and isinstance(call := statement.value, ast.Call):
            if isinstance(call.func, ast.Attribute) and is_self(call.func) and _sends(call.func.attr):
                what = f"{each.node.name}.{method.name} does not return the result of self.{call.func.attr}"
                line = each.source.lines[statement.lineno - 1]
                made = re.sub(r"\bself\.", "return self.", line, count=1)
                edits = (Edit(each.source.file, statement.lineno, statement.lineno, (made,)),)
                yield Finding("result-not-returned", each.source.file, statement.lineno, what, edits)


def _sends(name: str) -> bool:
    return name == "send_error" or name.startswith("send_") and name.endswith("_result") or name == "send_result"


def _last(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements with which a function may end."""
    last = body[-1]
    if isinstance(last, ast.If):
        yield from _last(last.body)
        yield from _last(last.orelse) if last.orelse else ()
    elif isinstance(last, ast.With):
        yield from _last(last.body)
    elif isinstance(last, ast.Try) and not last.finalbody:
        yield from _last(last.orelse or last.body)
        for handler in last.handlers:
            yield from _last(handler.body)
    else:
        yield last
