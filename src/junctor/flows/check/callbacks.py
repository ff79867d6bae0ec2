"""Whether the names that callbacks of a conversation wait for are used: a misspelled ``@on_reply("rooom")`` is never
called.

All that the files of the class say is read, nothing is run. Where a name is only known when the code runs, or the
conversation is handed to code elsewhere, nothing is told.
"""

from __future__ import annotations

import ast
import builtins
import sys
import types
from collections.abc import Iterator, Sequence

import msgspec

from junctor.errors import nearest
from junctor.flows.check.findings import Finding
from junctor.flows.check.places import owner_of, place_in
from junctor.flows.check.scope import Function, Scope, own_nodes, parsed
from junctor.flows.model import Item
from junctor.flows.wiring import Wiring
from junctor.observe.frames import is_users
from junctor.services.markers import Continues, marks_of

_MADE = {"ask": "request", "timer": "timer"}
_WAITS = {"reply": "request", "failure": "request", "timer": "timer"}
_NEEDED = {
    "request": "Name a target, or what an ask(..., name=...) says.",
    "timer": 'Start it: self.timer("2h", name=...).',
}


def callback_findings(wirings: Sequence[Wiring]) -> Iterator[Finding]:
    """Findings about the callbacks of the conversations of these flows."""
    several = len(wirings) > 1
    for wiring in wirings:
        for service in wiring.plan.services:
            item = wiring.model.item(service.spec.name)
            owner = owner_of(item.source) if item is not None else None
            if item is None or service.spec.runs != "conversation" or not isinstance(owner, type):
                continue
            name = f"{wiring.plan.name}/{item.name}" if several else item.name
            targets = [target.name for target in service.spec.targets]
            yield from _unused(item, owner, name, targets)


def _unused(item: Item, owner: type, where: str, targets: Sequence[str]) -> Iterator[Finding]:
    used = names_used(owner, targets)
    for method, mark in _callbacks(owner):
        kind = _WAITS.get(mark.what)
        if not kind or not mark.name or kind in used.unknown or mark.name in used.names[kind]:
            continue
        close = nearest(mark.name, used.names[kind])
        what = f'no {kind} of this conversation is called "{mark.name}": @on_{mark.what} is never called for it'
        fix = close.strip() if close.startswith("Did") else _NEEDED[kind]
        yield Finding("warning", "callback", f"{where}.{method}", what, fix, place_in(item, method))


def _callbacks(owner: type) -> Iterator[tuple[str, Continues]]:
    for name in dict.fromkeys(name for base in reversed(owner.__mro__) for name in vars(base)):
        holder = next(base for base in owner.__mro__ if name in vars(base))
        yield from ((name, mark) for mark in marks_of(vars(holder)[name]) if isinstance(mark, Continues))


class Used(msgspec.Struct):
    """The names of requests and timers that code makes. ``unknown`` are the kinds that may have others as well."""

    names: dict[str, set[str]]
    unknown: set[str]


def names_used(owner: type, targets: Sequence[str]) -> Used:
    """What the files of a class, of its bases, and of the functions that it is handed to say."""
    used = Used({"request": set(targets), "timer": set()}, set())
    waiting = [sys.modules.get(base.__module__) for base in owner.__mro__]
    seen: set[str] = set()
    while waiting:
        module = waiting.pop()
        file = getattr(module, "__file__", None) or ""
        if isinstance(module, types.ModuleType) and file not in seen and is_users(file):
            seen.add(file)
            for function in parsed(file)[0].values():
                handed = _read(function, {**vars(builtins), **vars(module)}, targets, used)
                waiting += [sys.modules.get(one.__module__) for one in handed]
    return used


def _read(function: Function, names: dict[str, object], targets: Sequence[str], used: Used) -> list[types.FunctionType]:
    """Take note of the names in a function.

    :return: the functions of users that a conversation is handed to.
    """
    scope = Scope(function, names)
    first = function.args.args[0].arg if function.args.args else ""
    known: set[int] = set()
    handed = []
    for node in own_nodes(function):
        if isinstance(node, ast.Attribute):
            known.add(id(node.value))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _MADE:
            _name(node, node.func, scope, used)
        elif isinstance(node, ast.Call) and isinstance(called := scope.value(node.func), types.FunctionType):
            if is_users(called.__code__.co_filename):
                known.update(map(id, node.args))
                handed.append(called)
    for node in own_nodes(function):
        if id(node) in known:
            continue
        if first == "self" and _is(node, first):
            used.unknown |= {"request", "timer"}  # it is handed to code that is not read
        if isinstance(node, ast.Attribute) and node.attr in targets and _is(node.value, first):
            used.unknown.add("request")
    return handed


def _is(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _name(call: ast.Call, called: ast.Attribute, scope: Scope, used: Used) -> None:
    """Take note of the name that a call gives."""
    kind = _MADE[called.attr]
    given = {one.arg: one.value for one in call.keywords}
    written = given.get("name") or (call.args[1] if called.attr == "timer" and len(call.args) > 1 else None)
    if written is None:
        # Of a target that is made by the code, only running it tells the name.
        if None in given or isinstance(called.value, ast.Call):
            used.unknown.add(kind)
        return
    for one in (written.body, written.orelse) if isinstance(written, ast.IfExp) else (written,):
        value = one.value if isinstance(one, ast.Constant) else scope.value(one)
        if isinstance(value, str):
            used.names[kind].add(value)
        elif value is not None:
            used.unknown.add(kind)
