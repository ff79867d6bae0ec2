"""Whether the code of workflows can be replayed: what would come out otherwise a second time, or be done again.

All that a run reaches is read: its handlers, signals and queries, and the functions and methods of the user's that they
use. Nothing is run. A line with ``# durable: ok REASON`` is accepted as it is.
"""

from __future__ import annotations

import ast
import inspect
import re
import types
from collections.abc import Iterator, Sequence
from typing import Any

from junctor.flows.check.findings import Finding
from junctor.flows.check.places import owner_of
from junctor.flows.check.scope import MISSING, SETS, Function, Scope, names_of, parsed, tree_of
from junctor.flows.check.undetermined import CHANCE, ORDER, Form, form_of
from junctor.flows.wiring import Wiring
from junctor.observe.frames import is_users, short_path
from junctor.services.markers import marks_of

_ACCEPTED = re.compile(r"#\s*durable:\s*ok\b[ \t]*(?P<reason>.*)", re.IGNORECASE)
_ORDERED = frozenset({"sorted", "len", "any", "all", "min", "max", "set", "frozenset", "isinstance", "bool"})
"""What a set may be given to: it comes to the same in any order."""

_TAKERS = frozenset({"list", "tuple", "enumerate", "iter", "zip", "map", "filter", "dict", "reversed", "sum", "next"})


def durable_findings(wirings: Sequence[Wiring]) -> Iterator[Finding]:
    """Findings about the code of the workflows of these flows."""
    several = len(wirings) > 1
    for wiring in wirings:
        for service in wiring.plan.services:
            item = wiring.model.item(service.spec.name)
            if item is None or service.spec.runs != "workflow":
                continue
            owner = owner_of(item.source)
            if isinstance(owner, type):
                name = f"{wiring.plan.name}/{item.name}" if several else item.name
                yield from code_findings(owner, name)


def code_findings(owner: type, name: str) -> Iterator[Finding]:
    """Findings about the code of one class, whose service has this name."""
    seen: set[types.CodeType] = set()
    for entry, function in _entries(owner):
        yield from _Reach(owner, f"{name}.{entry}", seen).follow(function, owner)


def _entries(owner: type) -> Iterator[tuple[str, types.FunctionType]]:
    """The methods that a run is entered by, and its constructor: that runs at each replay too."""
    names = dict.fromkeys(name for base in reversed(owner.__mro__) for name in vars(base))
    for name in names:
        function = inspect.getattr_static(owner, name)
        marked = any(marks_of(vars(base).get(name)) for base in owner.__mro__)
        if isinstance(function, types.FunctionType) and (marked or name == "__init__"):
            yield name, function


class _Reach:
    """All that one entry of a run reaches."""

    def __init__(self, owner: type, where: str, seen: set[types.CodeType]) -> None:
        self._owner = owner
        self._where = where
        self._seen = seen
        self._inner: set[int] = set()

    def follow(self, function: Any, owner: type | None, called: str = "") -> Iterator[Finding]:
        """Findings in a function, where it is the user's and was not read yet."""
        function = inspect.unwrap(function)
        if not isinstance(function, types.FunctionType) or function.__code__ in self._seen:
            return
        tree = tree_of(function) if is_users(function.__code__.co_filename) else None
        if tree is None:
            return
        self._seen.add(function.__code__)
        yield from self.read(tree, Scope(tree, names_of(function), owner), function.__code__.co_filename, called)

    def read(self, tree: Function, scope: Scope, file: str, called: str) -> Iterator[Finding]:
        body = _Body(scope, file)
        for statement in tree.body:
            body.visit(statement)
        for node, written, form in body.found:
            if (finding := self._finding(node, written, form, file, called)) is not None:
                yield finding
        for node, function, owner in body.reached:
            if not _is_accepted(node, file):
                yield from self.follow(function, owner, function.__name__)
        for name in dict.fromkeys(body.inner):
            inner = scope.function(name)
            if inner is not None and id(inner[0]) not in self._inner:
                self._inner.add(id(inner[0]))
                yield from self.read(inner[0], Scope(*inner), file, called)

    def _finding(self, node: ast.expr, written: str, form: Form, file: str, called: str) -> Finding | None:
        if _is_accepted(node, file):
            return None
        behind = f", in {called}()" if called else ""
        fix = form.instead
        if _accepting(node, file) is not None:
            fix += " A comment that accepts it says why: # durable: ok REASON."
        return Finding(
            "error", "durable", self._where, f"{written} {form.why}{behind}", fix, f"{short_path(file)}:{node.lineno}"
        )


def _accepting(node: ast.AST, file: str) -> str | None:
    """The reason in the comment behind a line, or alone on the line above it; None without a comment."""
    lines = parsed(file)[1]
    begin, end = getattr(node, "lineno", 0), getattr(node, "end_lineno", None) or 0
    above = lines[begin - 2] if 1 < begin <= len(lines) and lines[begin - 2].lstrip().startswith("#") else ""
    for line in (*lines[begin - 1 : end], above):
        if (found := _ACCEPTED.search(line)) is not None:
            return found["reason"].strip()
    return None


def _is_accepted(node: ast.AST, file: str) -> bool:
    return bool(_accepting(node, file))


class _Body(ast.NodeVisitor):
    """One function: what it does that is not recorded, and which functions it uses."""

    def __init__(self, scope: Scope, file: str) -> None:
        self._scope = scope
        self.found: list[tuple[ast.expr, str, Form]] = []
        self.reached: list[tuple[ast.expr, Any, type | None]] = []
        self.inner: list[str] = []

    # What is only looked at, or inside a recorded block ---------------------------------------------------------

    def visit_FunctionDef(self, node: Any) -> None:
        for expression in (*node.args.defaults, *node.args.kw_defaults):
            if expression is not None:
                self.visit(expression)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        """Its methods run where it is used, which nobody can tell."""

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        for statement in node.body:
            self.visit(statement)

    def _is_once(self, function: ast.expr) -> bool:
        return isinstance(function, ast.Attribute) and function.attr == "once" and self._scope.is_self(function.value)

    # Calls and names --------------------------------------------------------------------------------------------

    def visit_Call(self, node: ast.Call) -> None:
        if self._is_once(node.func):
            for given in (*node.args, *(keyword.value for keyword in node.keywords)):
                if not isinstance(given, ast.Lambda | ast.Name | ast.Attribute):
                    self.visit(given)
            return
        called = self._scope.name(node.func)
        if called == "isinstance" or called == "issubclass":
            self.visit(node.args[0])
            return
        if called == "random.Random" and not node.args and not node.keywords:
            self.found.append((node, f"{ast.unparse(node.func)}() without a seed", CHANCE))
        self._look_at_sets(node, called)
        self._check(node.func, called, node)
        for given in (*node.args, *(keyword.value for keyword in node.keywords)):
            if called in _ORDERED and isinstance(given, ast.GeneratorExp | ast.ListComp | ast.SetComp):
                self._comprehension(given, ordered=True)
            else:
                self.visit(given)

    def _look_at_sets(self, node: ast.Call, called: str) -> None:
        function = node.func
        takes = called in _TAKERS or (isinstance(function, ast.Attribute) and function.attr in ("join", "extend"))
        for given in node.args if takes else ():
            self._through(given.value if isinstance(given, ast.Starred) else given, node)
        if isinstance(function, ast.Attribute) and function.attr == "pop" and not node.args:
            self._through(function.value, node)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        self._check(node, self._scope.name(node), node)

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            self._check(node, self._scope.name(node), node)

    def _check(self, node: ast.expr, name: str, whole: ast.expr) -> None:
        """Tell a use of what is not recorded, else note what it leads to."""
        form = form_of(name) if name else None
        if form is not None and not _is_error(self._scope.value(node)):
            self.found.append((whole, _written(node, name, whole), form))
        elif isinstance(node, ast.Name) and self._scope.function(node.id) is not None:
            self.inner.append(node.id)
        elif not self._use(node):
            for part in ast.iter_child_nodes(node):
                self.visit(part)

    def _use(self, node: ast.expr) -> bool:
        """Note a function of the user's that is used here; whether it is one."""
        if isinstance(node, ast.Attribute) and _is_super(node.value) and self._scope.owner is not None:
            above = [vars(base).get(node.attr) for base in self._scope.owner.__mro__[1:]]
            self.reached += [(node, found, self._scope.owner) for found in above if found is not None]
            return True
        if isinstance(node, ast.Attribute) and self._scope.is_self(node.value) and self._scope.owner is not None:
            found = inspect.getattr_static(self._scope.owner, node.attr, MISSING)
            found = found.fget if isinstance(found, property) else found
            owner = None if isinstance(found, staticmethod) else self._scope.owner
            found = found.__func__ if isinstance(found, staticmethod | classmethod) else found
        else:
            found, owner = self._scope.value(node), None
        if not isinstance(found, types.FunctionType):
            return False
        self.reached.append((node, found, owner))
        return True

    # Sets -------------------------------------------------------------------------------------------------------

    def visit_For(self, node: ast.For | ast.AsyncFor) -> None:
        self._through(node.iter, node.iter)
        self.generic_visit(node)

    visit_AsyncFor = visit_For

    def visit_Starred(self, node: ast.Starred) -> None:
        self._through(node.value, node)
        self.generic_visit(node)

    def visit_YieldFrom(self, node: ast.YieldFrom) -> None:
        self._through(node.value, node)
        self.generic_visit(node)

    def visit_ListComp(self, node: ast.ListComp) -> None:
        self._comprehension(node)

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> None:
        self._comprehension(node)

    def visit_DictComp(self, node: ast.DictComp) -> None:
        self._comprehension(node)

    def visit_SetComp(self, node: ast.SetComp) -> None:
        self._comprehension(node, ordered=True)

    def _comprehension(self, node: Any, ordered: bool = False) -> None:
        for each in node.generators if not ordered else ():
            self._through(each.iter, each.iter)
        self.generic_visit(node)

    def _through(self, node: ast.expr, whole: ast.expr) -> None:
        if self._scope.kind(node) in SETS and not _of_numbers(node):
            self.found.append((whole, ast.unparse(node), ORDER))


def _is_super(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "super"


def _of_numbers(node: ast.expr) -> bool:
    """Numbers have the same hash everywhere."""
    return isinstance(node, ast.Set) and all(
        isinstance(one, ast.Constant) and isinstance(one.value, int | float) for one in node.elts
    )


def _is_error(value: Any) -> bool:
    """An exception class may be named anywhere."""
    return isinstance(value, type) and issubclass(value, BaseException)


def _written(node: ast.expr, name: str, whole: ast.expr) -> str:
    text = ast.unparse(node)
    text = text if len(text) <= 60 else f"{text[:57]}..."
    call = f"{text}()" if isinstance(whole, ast.Call) else text
    return call if name == text or text.endswith(f".{name}") else f"{call}, which is {name},"
