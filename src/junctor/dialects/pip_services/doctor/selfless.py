"""Methods without ``self``."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from junctor.dialects.doctors import Edit, Finding, Project
from junctor.dialects.pip_services.doctor.classes import Class, Function, classes
from junctor.dialects.pip_services.doctor.names import undefined

_CALLED = {
    "configure": 1,
    "set_references": 1,
    "unset_references": 0,
    "is_open": 0,
    "open": 1,
    "close": 1,
    "register": 0,
    "get_command_set": 0,
}
"""What a container calls, and with how many arguments."""


def check(project: Project) -> Iterator[Finding]:
    for each in classes(project):
        for method in each.methods.values():
            if not method.decorator_list and _lacks_self(project, each, method):
                yield _finding(each, method)


def _lacks_self(project: Project, each: Class, method: Function) -> bool:
    """It names ``self`` and has none; or containers call it, it has no room for the object, and nobody calls it by its
    class."""
    arguments = method.args
    names = [one.arg for one in (*arguments.posonlyargs, *arguments.args)]
    if names[:1] == ["self"] or arguments.vararg is not None:
        return False
    if _uses_self(method):
        return "self" in undefined(each.source)
    if names[:1] == ["cls"] or len(names) != _CALLED.get(method.name, -1):
        return False
    by_class = re.compile(rf"\b{each.node.name}\.{method.name}\b")
    return not any(by_class.search(text) for text in project.named("*.py").values())


def _uses_self(method: Function) -> bool:
    return any(
        isinstance(node, ast.Name) and node.id == "self" and isinstance(node.ctx, ast.Load)
        for statement in method.body
        for node in ast.walk(statement)
    )


def _finding(each: Class, method: Function) -> Finding:
    what = f"{each.node.name}.{method.name} has no self: it cannot be called on an object"
    line = each.source.lines[method.lineno - 1]
    empty = not ast.unparse(method.args)
    made = re.sub(rf"(\bdef\s+{method.name}\s*\()\s*", r"\g<1>self" + ("" if empty else ", "), line, count=1)
    edits = (Edit(each.source.file, method.lineno, method.lineno, (made,)),) if made != line else ()
    return Finding("missing-self", each.source.file, method.lineno, what, edits, fix="Give it self as first parameter.")
