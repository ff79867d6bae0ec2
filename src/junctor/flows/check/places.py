"""Where things are written: the lines of classes, methods, functions and targets. Files are read only on demand."""

from __future__ import annotations

import ast
import functools
import inspect
import os
import sys
import types
from typing import Any

from junctor.core.spec import ServiceSpec
from junctor.flows.adapters import adapter_name
from junctor.flows.dialects import dialect_of
from junctor.flows.model import Item


def place_in(item: Item, member: str = "") -> str:
    """``alarm.py:12`` for a method, function, target or setting of a service, or for its class; empty where unknown.

    Of an adapter it is where the flow names it: its class is not what anybody corrects.
    """
    owner = owner_of(item.source)
    if isinstance(owner, type) and adapter_name(owner):
        return item.place
    if owner is None:
        return _relative(getattr(item.source, "origin", "")) if not member else ""
    if not member:
        return _statement(owner)
    for holder in owner.__mro__ if isinstance(owner, type) else (owner,):
        found = vars(holder).get(member)
        code = getattr(inspect.unwrap(found), "__code__", None) if callable(found) else None
        if code is not None:
            return f"{_short(code.co_filename)}:{code.co_firstlineno}"
        line = _lines(_file(holder)).get((_qualified(holder), member))
        if line:
            return f"{_short(_file(holder))}:{line}"
    return ""


def owner_of(source: Any) -> Any:
    """The class or module that a service is made of; None for a spec of another producer."""
    if isinstance(source, ServiceSpec):
        return None
    if (dialect := dialect_of(source)) is not None:
        return dialect.component(source)
    return source if isinstance(source, type | types.ModuleType) else type(source)


def _statement(owner: Any) -> str:
    file = _file(owner)
    if not file:
        return ""
    if isinstance(owner, types.ModuleType):
        return f"{_short(file)}:1"
    line = _lines(file).get((_qualified(owner), ""))
    return f"{_short(file)}:{line}" if line else ""


def _file(owner: Any) -> str:
    module = owner if isinstance(owner, types.ModuleType) else sys.modules.get(owner.__module__)
    return getattr(module, "__file__", None) or ""


def _qualified(owner: Any) -> str:
    return owner.__qualname__.replace(".<locals>", "") if isinstance(owner, type) else ""


@functools.lru_cache(maxsize=256)
def _lines(file: str) -> dict[tuple[str, str], int]:
    """The lines of class statements, and of the names set or annotated in classes and module: by class and name."""
    try:
        with open(file, encoding="utf-8") as source:
            tree = ast.parse(source.read())
    except (OSError, ValueError, SyntaxError):
        return {}
    found: dict[tuple[str, str], int] = {}
    waiting: list[tuple[str, ast.AST]] = [("", tree)]
    while waiting:
        name, node = waiting.pop()
        for part in getattr(node, "body", ()):
            if isinstance(part, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                inner = f"{name}.{part.name}" if name else part.name
                if isinstance(part, ast.ClassDef):
                    found.setdefault((inner, ""), part.lineno)
                waiting.append((inner, part))
            elif isinstance(part, ast.AnnAssign | ast.Assign):
                for target in part.targets if isinstance(part, ast.Assign) else [part.target]:
                    if isinstance(target, ast.Name):
                        found.setdefault((name, target.id), part.lineno)
    return found


def _relative(place: str) -> str:
    file, _, line = place.rpartition(":")
    return f"{_short(file)}:{line}" if line.isdigit() else _short(place)


def _short(file: str) -> str:
    """The path as the user sees it: relative to the working folder when it lies below."""
    return file.removeprefix(f"{os.getcwd()}{os.sep}")
