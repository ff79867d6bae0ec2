"""Services in the files of a project: their names, their constructors, their methods."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from junctor.dialects.doctors import Edit, Finding, Project
from junctor.dialects.doctors.source import Source, sources

Function = ast.FunctionDef | ast.AsyncFunctionDef

_ROOTS = {"CustomService", "BaseService"}
_TAKES = {
    "__init__": ("self", "id", "queue", "config"),
    "Start": ("self",),
    "Stop": ("self",),
    "Process": ("self", "message"),
    "StateUpdate": ("self", "state"),
}
"""What is called from outside, and with which arguments."""

_AWAITED = ("Start", "Stop")
_CALLED = {name.lower(): name for name in _TAKES if not name.startswith("__")}
"""What is called under another spelling: never."""


def services(project: Project) -> Iterator[tuple[Source, ast.ClassDef]]:
    """Classes that derive from a base class, by others of the project or not."""
    classes = [
        (source, node) for source in sources(project) for node in source.tree.body if isinstance(node, ast.ClassDef)
    ]
    known = set(_ROOTS)
    while new := {node.name for _, node in classes if known.intersection(_bases(node))} - known:
        known |= new
    yield from ((source, node) for source, node in classes if known.intersection(_bases(node)))


def check(project: Project) -> Iterator[Finding]:
    found = list(services(project))
    yield from _names(found)
    for source, node in found:
        yield from _spelling(source, node)
        yield from _constructor(source, node)
        for method in node.body:
            if isinstance(method, Function) and method.name in _TAKES and not method.decorator_list:
                yield from _arguments(source, node, method)
                yield from _lifecycle(source, node, method)


def _bases(node: ast.ClassDef) -> list[str]:
    return [ast.unparse(base).rpartition(".")[2] for base in node.bases]


def _names(found: list[tuple[Source, ast.ClassDef]]) -> Iterator[Finding]:
    """A file with one service has its name: so it is found by the name of its file."""
    by_file: dict[str, list[ast.ClassDef]] = {}
    for source, node in found:
        by_file.setdefault(source.file, []).append(node)
    for file, nodes in by_file.items():
        stem = PurePosixPath(file).stem
        if len(nodes) == 1 and nodes[0].name != stem:
            name = nodes[0].name
            fix = f"Call the file {name}.py, or the class {stem}."
            yield Finding(
                "class-name", file, nodes[0].lineno, f"the class is called {name}, the file {stem}.py", fix=fix
            )


def _arguments(source: Source, node: ast.ClassDef, method: Function) -> Iterator[Finding]:
    wanted = _TAKES[method.name]
    given = method.args
    most = len(given.posonlyargs) + len(given.args)
    least = most - len(given.defaults)
    fits = least <= len(wanted) <= most or (given.vararg is not None and least <= len(wanted))
    if fits or (method.name == "__init__" and least <= 3 <= most and "BaseService" in _bases(node)):
        return
    what = f"{node.name}.{method.name} is called with ({', '.join(wanted)}), and takes ({ast.unparse(given)})"
    names = [one.arg for one in given.args]
    edits: tuple[Edit, ...] = ()
    if names == list(wanted[: len(names)]) and not (given.defaults or given.kwonlyargs or given.posonlyargs):
        edits = _replaced(source, method, rf"(\bdef\s+{method.name}\s*\()[^)]*\)", rf"\g<1>{', '.join(wanted)})")
    fix = f"Write def {method.name}({', '.join(wanted)}):"
    yield Finding("service-arguments", source.file, method.lineno, what, edits, fix=fix)


def _lifecycle(source: Source, node: ast.ClassDef, method: Function) -> Iterator[Finding]:
    if method.name in _AWAITED and isinstance(method, ast.FunctionDef):
        what = f"{node.name}.{method.name} is not async"
        edits = _replaced(source, method, r"\bdef\b", "async def")
        yield Finding("not-async", source.file, method.lineno, what, edits, fix=f"Write async def {method.name}(self):")


def _spelling(source: Source, node: ast.ClassDef) -> Iterator[Finding]:
    """``start`` in place of ``Start``: nobody calls it. Where the class has both, or calls it, it is a method of its
    own."""
    own = {method.name for method in node.body if isinstance(method, Function)}
    used = {each.attr for each in ast.walk(node) if isinstance(each, ast.Attribute)}
    for method in node.body:
        name = _CALLED.get(method.name.lower(), "") if isinstance(method, Function) else ""
        if not isinstance(method, Function) or name in {"", *own} or method.name in used:
            continue
        what = f"{node.name}.{method.name} is not called by the node: it calls {name}"
        edits = _replaced(source, method, rf"(\bdef\s+){method.name}\b", rf"\g<1>{name}")
        yield Finding("method-name", source.file, method.lineno, what, edits, fix=f"Call it {name}.")


def _constructor(source: Source, node: ast.ClassDef) -> Iterator[Finding]:
    """A constructor whose call of that of ``CustomService`` has no config, or that does not call it at all."""
    init = next((one for one in node.body if isinstance(one, Function) and one.name == "__init__"), None)
    if init is None or "CustomService" not in _bases(node):
        return
    calls = [each for each in ast.walk(init) if isinstance(each, ast.Call) and _is_super(each)]
    if not calls and not _hands_on(init):
        what = f"{node.name}.__init__ does not call that of CustomService: the service has no id, queue and config"
        fix = "Write super().__init__(id, queue, config) as its first line."
        yield Finding("super-call", source.file, init.lineno, what, fix=fix)
    config = next((one.arg for one in init.args.args[3:]), "config")
    for call in calls:
        given = [ast.unparse(argument) for argument in call.args if not isinstance(argument, ast.Starred)]
        if len(given) == len(call.args) == 2 and not call.keywords:
            what = f"{node.name}.__init__ calls that of CustomService without config"
            edits = source.replaced(call, f"{ast.unparse(call.func)}({', '.join(given)}, {config})")
            fix = "Write super().__init__(id, queue, config)."
            yield Finding("super-arguments", source.file, call.lineno, what, edits, fix=fix)


def _is_super(call: ast.Call) -> bool:
    """``super().__init__(...)``, ``super(Name, self).__init__(...)``."""
    function = call.func
    if not isinstance(function, ast.Attribute) or function.attr != "__init__":
        return False
    owner = function.value
    return isinstance(owner, ast.Call) and isinstance(owner.func, ast.Name) and owner.func.id == "super"


def _hands_on(init: Function) -> bool:
    """Whether it calls some constructor in another way, ``CustomService.__init__(self, ...)``."""
    return any(isinstance(each, ast.Attribute) and each.attr == "__init__" for each in ast.walk(init))


def _replaced(source: Source, method: Function, pattern: str, text: str) -> tuple[Edit, ...]:
    """The edit of the line that begins a method; none where it fits no pattern."""
    line = source.lines[method.lineno - 1]
    made = re.sub(pattern, text, line, count=1)
    return (Edit(source.file, method.lineno, method.lineno, (made,)),) if made != line else ()
