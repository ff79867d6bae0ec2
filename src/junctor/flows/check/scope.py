"""What the names in a function mean, as far as its source and its loaded module tell without running it."""

from __future__ import annotations

import ast
import builtins
import functools
import importlib.util
import inspect
import random
import sys
import types
from collections.abc import Iterator, Mapping
from typing import Any

Function = ast.FunctionDef | ast.AsyncFunctionDef
MISSING = object()
SETS = frozenset({"set", "frozenset", "collections.abc.Set", "collections.abc.MutableSet", "typing.AbstractSet"})
_OPERATORS = (ast.BitOr, ast.BitAnd, ast.Sub, ast.BitXor)


@functools.lru_cache(maxsize=256)
def parsed(file: str) -> tuple[dict[tuple[str, int], Function], list[str]]:
    """The functions of a source file by name and first line, and its lines; empty where it cannot be read."""
    try:
        with open(file, encoding="utf-8") as source:
            text = source.read()
        tree = ast.parse(text)
    except (OSError, ValueError, SyntaxError):
        return {}, []
    found = [node for node in ast.walk(tree) if isinstance(node, Function)]
    first = {id(node): min([node.lineno, *(mark.lineno for mark in node.decorator_list)]) for node in found}
    return {(node.name, first[id(node)]): node for node in found}, text.splitlines()


def tree_of(function: types.FunctionType) -> Function | None:
    """The source of a function; None where there is none."""
    code = function.__code__
    return parsed(code.co_filename)[0].get((code.co_name, code.co_firstlineno))


def names_of(function: types.FunctionType) -> dict[str, Any]:
    """What a function finds outside itself: its closure, its module, the built-in names."""
    names = {**vars(builtins), **function.__globals__}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            names[name] = cell.cell_contents
        except ValueError:
            names[name] = MISSING
    return names


def full_name(value: Any) -> str:
    """``datetime.datetime`` for a class, ``asyncio.sleep`` for a function, ``random`` for a generator that all share;
    empty where it has no name of its own."""
    if isinstance(value, types.ModuleType):
        return value.__name__
    for name in ("environ", "environb"):
        if value is getattr(sys.modules["os"], name, MISSING):
            return f"os.{name}"
    owner = value if isinstance(value, random.Random) else getattr(value, "__self__", None)
    if isinstance(owner, random.Random):
        return "random" if owner is value else f"random.{value.__name__}"
    if not isinstance(value, type | types.FunctionType | types.BuiltinFunctionType):
        return ""
    module, name = getattr(value, "__module__", None) or "", value.__qualname__
    return _as_written(module, name, value)


def _as_written(module: str, name: str, value: Any) -> str:
    """``asyncio.tasks.sleep`` is known as ``asyncio.sleep``, ``posix.urandom`` as ``os.urandom``."""
    if module == "builtins" or (module in ("io", "_io") and name == "open"):
        return name
    if module in ("posix", "nt"):
        return f"os.{name}"
    if module in ("genericpath", "posixpath", "ntpath"):
        return f"os.path.{name}"
    top = module.partition(".")[0].lstrip("_")
    if top != module and getattr(sys.modules.get(top), name, MISSING) is value:
        return f"{top}.{name}"
    return f"{module.lstrip('_')}.{name}" if module else ""


class Scope:
    """The names of one function.

    :param outer: the scope of the function around it, or what the module has.
    :param owner: the class whose method it is; ``self`` is then the name of its first parameter.
    """

    def __init__(self, node: Function, outer: Scope | Mapping[str, Any], owner: type | None = None) -> None:
        self._outer = outer
        self._values: dict[str, list[ast.expr]] = {}
        self._annotations: dict[str, ast.expr] = {}
        self._imports: dict[str, str] = {}
        self.functions: dict[str, Function] = {}
        arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        self.self = arguments[0].arg if owner is not None and arguments else self._outer_self()
        self.owner = owner if owner is not None else getattr(outer, "owner", None)
        others = [one for one in (node.args.vararg, node.args.kwarg) if one is not None]
        self._locals = {one.arg for one in (*arguments, *others)}
        self._annotations.update({one.arg: one.annotation for one in arguments if one.annotation is not None})
        elsewhere: set[str] = set()
        for inner in own_nodes(node):
            self._learn(inner, elsewhere)
        self._locals -= elsewhere

    def _outer_self(self) -> str:
        return self._outer.self if isinstance(self._outer, Scope) else ""

    def _learn(self, node: ast.AST, elsewhere: set[str]) -> None:
        if isinstance(node, ast.Global | ast.Nonlocal):
            elsewhere.update(node.names)
        elif isinstance(node, Function):
            self.functions[node.name] = node
            self._locals.add(node.name)
        elif isinstance(node, ast.ClassDef):
            self._locals.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            self._imports.update(imported(node, self._package()))
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            self._annotations[node.target.id] = node.annotation
        elif isinstance(node, ast.Assign | ast.NamedExpr):
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                if isinstance(target, ast.Name):
                    self._values.setdefault(target.id, []).append(node.value)
        elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            self._locals.add(node.id)
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
            self._locals.add(node.name)
        elif isinstance(node, ast.Lambda):
            self._locals.update(one.arg for one in node.args.args)

    def _package(self) -> str:
        if isinstance(self._outer, Scope):
            return self._outer._package()
        return str(self._outer.get("__package__") or "")

    def is_self(self, node: ast.AST) -> bool:
        return isinstance(node, ast.Name) and bool(self.self) and node.id == self.self

    def value(self, node: ast.expr) -> Any:
        """What a name or ``module.name`` stands for now; MISSING where only running it could tell."""
        if isinstance(node, ast.Name):
            if node.id in self._imports:
                return _loaded(self._imports[node.id])
            if node.id in self._locals:
                return MISSING
            return self._outer.value(node) if isinstance(self._outer, Scope) else self._outer.get(node.id, MISSING)
        if isinstance(node, ast.Attribute):
            owner = self.value(node.value)
            if isinstance(owner, types.ModuleType | type):
                found = inspect.getattr_static(owner, node.attr, MISSING)
                return found.__func__ if isinstance(found, staticmethod | classmethod) else found
        return MISSING

    def name(self, node: ast.expr) -> str:
        """The full name of what is written, ``datetime.datetime.now``; empty where it is not known."""
        known = self.value(node)
        own = full_name(known) if known is not MISSING else ""
        if own:
            return own
        if isinstance(node, ast.Attribute):
            base = self.name(node.value) or self.kind(node.value)
            return f"{base}.{node.attr}" if base else ""
        if isinstance(node, ast.Name) and node.id in self._imports:
            return self._imports[node.id]
        if isinstance(node, ast.Name) and isinstance(self._outer, Scope) and node.id not in self._locals:
            return self._outer.name(node)
        return ""

    def function(self, name: str) -> tuple[Function, Scope] | None:
        """A function that is defined inside this one, or inside one around it, with the scope that it stands in."""
        if name in self.functions:
            return self.functions[name], self
        if isinstance(self._outer, Scope) and name not in self._locals:
            return self._outer.function(name)
        return None

    # Kinds ---------------------------------------------------------------------------------------------------

    def kind(self, node: ast.expr, seen: frozenset[int] = frozenset()) -> str:
        """The class of a value, ``pathlib.Path`` or ``set``, where its source says so."""
        if id(node) in seen:
            return ""
        seen |= {id(node)}
        if isinstance(node, ast.Set | ast.SetComp):
            return "set"
        if isinstance(node, ast.Call):
            return self._of_call(node, seen)
        if isinstance(node, ast.BinOp):
            left = self.kind(node.left, seen)
            joins = left in SETS and isinstance(node.op, _OPERATORS)
            return left if joins or isinstance(node.op, ast.Div) else ""
        if isinstance(node, ast.Name):
            return self._of_name(node.id, seen)
        if isinstance(node, ast.Attribute):
            return self._of_attribute(node, seen)
        return ""

    def _of_call(self, node: ast.Call, seen: frozenset[int]) -> str:
        called = self.value(node.func)
        if isinstance(called, type):
            return full_name(called)
        if isinstance(node.func, ast.Attribute) and node.func.attr in ("copy", "union", "difference", "intersection"):
            kind = self.kind(node.func.value, seen)
            return kind if kind in SETS else ""
        return self.name(node.func) if self.name(node.func) == "pathlib.Path" else ""

    def _of_name(self, name: str, seen: frozenset[int]) -> str:
        if name in self._annotations:
            return self.annotated(self._annotations[name])
        if name in self._values:
            kinds = {self.kind(value, seen) for value in self._values[name]}
            return kinds.pop() if len(kinds) == 1 else ""
        if name in self._locals:
            return ""
        if isinstance(self._outer, Scope):
            return self._outer._of_name(name, seen)
        value = self._outer.get(name, MISSING)
        return full_name(type(value)) if isinstance(value, set | frozenset) or _is_path(value) else ""

    def _of_attribute(self, node: ast.Attribute, seen: frozenset[int]) -> str:
        if self.is_self(node.value) and self.owner is not None:
            return _attribute_kind(self.owner, node.attr)
        if node.attr in ("parent",):
            return self.kind(node.value, seen)
        return ""

    def annotated(self, node: ast.expr) -> str:
        """The class that an annotation names: of ``set[str] | None`` it is ``set``."""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            try:
                return self.annotated(ast.parse(node.value, mode="eval").body)
            except SyntaxError:
                return ""
        if isinstance(node, ast.BinOp):
            return self.annotated(node.left) or self.annotated(node.right)
        if isinstance(node, ast.Subscript):
            return self.annotated(node.value)
        return self.name(node)


def _is_path(value: Any) -> bool:
    return "pathlib" in sys.modules and isinstance(value, sys.modules["pathlib"].Path)


@functools.lru_cache(maxsize=1024)
def _attribute_kind(owner: type, name: str) -> str:
    """The class of ``self.name``: by its annotation in the class, else by what its methods assign to it."""
    for base in owner.__mro__:
        written = inspect.get_annotations(base).get(name)
        if isinstance(written, str):
            module = vars(sys.modules.get(base.__module__) or builtins)
            empty = ast.parse("def f(): ...").body[0]
            assert isinstance(empty, ast.FunctionDef)
            return Scope(empty, {**vars(builtins), **module}).annotated(ast.Constant(written))
        if written is not None:
            return full_name(getattr(written, "__origin__", written))
    kinds = {kind for base in owner.__mro__ for kind in _assigned(base, owner, name)}
    return kinds.pop() if len(kinds) == 1 else ""


def _assigned(base: type, owner: type, name: str) -> Iterator[str]:
    for value in vars(base).values():
        tree = tree_of(value) if isinstance(value, types.FunctionType) else None
        if tree is None:
            continue
        scope = Scope(tree, names_of(value), owner)
        for node in own_nodes(tree):
            targets = node.targets if isinstance(node, ast.Assign) else []
            for target in targets:
                if isinstance(target, ast.Attribute) and target.attr == name and scope.is_self(target.value):
                    assert isinstance(node, ast.Assign)
                    yield "" if isinstance(node.value, ast.Attribute) else scope.kind(node.value)


def own_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """What is written in a function, without the bodies of the functions inside it."""
    waiting: list[ast.AST] = list(getattr(node, "body", ()))
    while waiting:
        inner = waiting.pop()
        yield inner
        if not isinstance(inner, Function | ast.ClassDef | ast.Lambda):
            waiting.extend(ast.iter_child_nodes(inner))


def imported(node: ast.Import | ast.ImportFrom, package: str) -> dict[str, str]:
    """The names that a statement imports, with what they stand for."""
    if isinstance(node, ast.Import):
        return {
            one.asname or one.name.partition(".")[0]: one.name if one.asname else one.name.partition(".")[0]
            for one in node.names
        }
    module = node.module or ""
    if node.level:
        try:
            module = importlib.util.resolve_name("." * node.level + module, package)
        except ImportError:
            return {}
    return {one.asname or one.name: f"{module}.{one.name}" for one in node.names}


def _loaded(name: str) -> Any:
    """What a full name stands for, as far as it is loaded already."""
    if name in sys.modules:
        return sys.modules[name]
    module, _, last = name.rpartition(".")
    owner = sys.modules.get(module)
    return getattr(owner, last, MISSING) if owner is not None else MISSING
