"""What ``run(...)`` at the end of a script would run, read without running it.

``python cpu.py`` and ``junctor run cpu.py`` are to do the same. The call stands below ``if __name__ == "__main__":``,
where an import does not come; so it is read as data: names of the module, services and flows made with plain values.
"""

from __future__ import annotations

import ast
import contextlib
import copy
import logging
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from junctor.errors import ConfigurationError, located
from junctor.flows.model import FlowModel
from junctor.observe.frames import short_path
from junctor.services import Service

log = logging.getLogger("junctor.flows")


class Script(msgspec.Struct, frozen=True):
    """The arguments of a script's ``run``: services or one flow, and the name of the flow when it gives one."""

    services: tuple[Any, ...]
    name: str | None = None


class _Unreadable(Exception):
    """An expression that only running it could tell."""


def read_script(module: types.ModuleType) -> Script | None:
    """What the script runs, None when it runs nothing by itself or says ``run()`` for all that is in it.

    Where the call cannot be read, a warning says that it does not count.
    """
    file = getattr(module, "__file__", None)
    if not file or not str(file).endswith(".py"):
        return None
    for block in _guarded(ast.parse(Path(file).read_bytes())):
        known = {name: _copied(value) for name, value in vars(module).items()}
        call = next((call for statement in block if (call := _run_call(statement, known)) is not None), None)
        if call is not None:
            try:
                return _script(block, call, known)
            except _Unreadable:
                log.warning(_TOO_INVOLVED, file, call.lineno)
    return None


_TOO_INVOLVED = (
    "%s:%s: run(...) is too involved to be read without running it, so what is in the file runs with its own settings; "
    "to have it as you wrote it, make the flow a variable of the file"
)


def _copied(value: Any) -> Any:
    """A flow that can be added to while reading, without a change to the module's own."""
    if isinstance(value, FlowModel):
        value = copy.copy(value)
        vars(value)["_items"] = dict(vars(value)["_items"])
    return value


def _guarded(tree: ast.Module) -> Iterator[list[ast.stmt]]:
    """The bodies of ``if __name__ == "__main__":``."""
    for statement in tree.body:
        if isinstance(statement, ast.If) and ast.unparse(statement.test) in (
            "__name__ == '__main__'",
            "'__main__' == __name__",
        ):
            yield statement.body


def _run_call(statement: ast.stmt, known: dict[str, Any]) -> ast.Call | None:
    """The call of Junctor's ``run``, by itself or as ``junctor.run``."""
    if not isinstance(statement, ast.Expr) or not isinstance(statement.value, ast.Call):
        return None
    function = statement.value.func
    called: Any = None
    if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name):
        owner = known.get(function.value.id)
        called = getattr(owner, function.attr, None) if getattr(owner, "__name__", "") == "junctor" else None
    elif isinstance(function, ast.Name):
        called = known.get(function.id)
    ours = (getattr(called, "__module__", None) or "").partition(".")[0] == "junctor"
    return statement.value if ours and getattr(called, "__name__", "") == "run" else None


def _script(block: list[ast.stmt], call: ast.Call, known: dict[str, Any]) -> Script | None:
    for statement in block:
        if isinstance(statement, ast.Expr) and statement.value is call:
            break
        _follow(statement, known)
    services = tuple(_value(argument, known) for argument in call.args)
    if not services:
        return None
    named = [_value(keyword.value, known) for keyword in call.keywords if keyword.arg == "name"]
    return Script(services, named[0] if named else None)


def _follow(statement: ast.stmt, known: dict[str, Any]) -> None:
    """Follow ``cpu = Cpu(limit=75)`` and ``flow.add(...)`` in front of the call.

    A name that is set in another way is not known any more. Other calls change no service, so they do not count.
    """
    if isinstance(statement, ast.Assign) and all(isinstance(target, ast.Name) for target in statement.targets):
        names = [target.id for target in statement.targets if isinstance(target, ast.Name)]
        for name in names:
            known.pop(name, None)
        with contextlib.suppress(_Unreadable):
            known.update(dict.fromkeys(names, _value(statement.value, known)))
    elif isinstance(statement, ast.Expr):
        if _adds(statement.value, known):
            _value(statement.value, known)
    elif not isinstance(statement, (ast.Import, ast.ImportFrom, ast.Pass)):
        raise _Unreadable


def _adds(node: ast.expr, known: dict[str, Any]) -> bool:
    """Whether it is ``flow.add(...)``, perhaps several in a chain."""
    while isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        node = node.func.value
    return isinstance(node, ast.Name) and isinstance(known.get(node.id), FlowModel)


def _value(node: ast.expr, known: dict[str, Any]) -> Any:
    if isinstance(node, ast.Name):
        if node.id not in known:
            raise _Unreadable
        return known[node.id]
    if isinstance(node, ast.Call):
        function = _function(node.func, known)
        if any(keyword.arg is None for keyword in node.keywords):
            raise _Unreadable
        given = {str(keyword.arg): _value(keyword.value, known) for keyword in node.keywords}
        arguments = [_value(argument, known) for argument in node.args]
        try:
            return function(*arguments, **given)
        except ConfigurationError as error:  # nothing of the user's runs, so no frame has the line
            raise located(error, f"{short_path(known['__file__'])}:{node.lineno}") from error.__cause__
    if isinstance(node, ast.Dict) and all(node.keys):
        return {
            _value(key, known): _value(value, known) for key, value in zip(node.keys, node.values, strict=True) if key
        }
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError) as error:
        raise _Unreadable from error


def _function(node: ast.expr, known: dict[str, Any]) -> Callable[..., Any]:
    """Something to call that has no side effects: the making of a service or flow, or a flow's ``add``."""
    if isinstance(node, ast.Name):
        made = known.get(node.id)
        if isinstance(made, type) and issubclass(made, (Service, FlowModel, msgspec.Struct)):
            return made
    elif isinstance(node, ast.Attribute) and node.attr == "add":
        flow = _value(node.value, known)
        if isinstance(flow, FlowModel):
            return flow.add
    raise _Unreadable
