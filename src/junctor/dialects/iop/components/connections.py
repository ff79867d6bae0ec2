"""To which items the code of a class sends, found by reading it."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator
from typing import Any

SENDS = (
    "send_request_sync",
    "send_request_async",
    "send_request_async_ng",
    "send_generator_request",
    "SendRequestSync",
    "SendRequestAsync",
)
"""The methods whose first argument names an item."""


def connections_of(component: Any) -> list[str]:
    """The names of items in calls that send: those written as text, and those in attributes of the component."""
    found = {name: None for cls in type(component).__mro__ for name in _in_class(cls, component)}
    return list(found)


def _in_class(cls: type, component: Any) -> Iterator[str]:
    if cls is object or cls.__module__.startswith("junctor."):
        return
    for node in ast.walk(_tree(cls)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield from _targets(node, node.func.attr, component)


def _tree(cls: type) -> ast.AST:
    try:
        return ast.parse(textwrap.dedent(inspect.getsource(cls)))
    except (OSError, TypeError, SyntaxError):  # made without a file
        return ast.Module([], [])


def _targets(call: ast.Call, method: str, component: Any) -> Iterator[str]:
    if method in SENDS:
        given = call.args[0] if call.args else _keyword(call, "target")
        if given is not None:
            yield from _name(given, component)
    elif method == "send_multi_request_sync":
        given = call.args[0] if call.args else _keyword(call, "target_request")
        for pair in given.elts if isinstance(given, ast.List) else ():
            if isinstance(pair, ast.Tuple) and pair.elts:
                yield from _name(pair.elts[0], component)


def _keyword(call: ast.Call, name: str) -> ast.expr | None:
    return next((one.value for one in call.keywords if one.arg == name), None)


def _attribute(component: Any, name: str) -> Any:
    try:
        return getattr(component, name, None)
    except Exception:  # noqa: BLE001 - a property of the user's, which works in a running component only
        return None


def _name(given: ast.expr, component: Any) -> Iterator[str]:
    value: Any = None
    if isinstance(given, ast.Constant):
        value = given.value
    elif isinstance(given, ast.Attribute) and isinstance(given.value, ast.Name) and given.value.id == "self":
        value = _attribute(component, given.attr)
    if isinstance(value, str) and value:
        yield value
