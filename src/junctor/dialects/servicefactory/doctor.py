"""Finds errors in projects of Service Factory."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, distribution

from junctor.dialects.doctors import Edit, Finding, Project, syntax
from junctor.dialects.doctors.source import Source, sources

OURS = "junctor-servicefactory"
_ORIGINAL = "servicefactory"
_NEEDED_BY_IT = "werkzeug"
_IMPORT = re.compile(r"^\s*(?:from|import)\s+servicefactory\b", re.MULTILINE)
_REQUIRED = re.compile(r"\s*([A-Za-z0-9][\w.-]*)")
_ROOTS = {"Service.base", "Service.API"}
_LIFE = {"loop": 1, "finalize": 1}
"""What a service is asked to do, and how many arguments that takes, the service included."""
_OF_ACTION = 2


def of_classes(project: Project) -> Iterator[Finding]:
    """Services, and classes of the project that derive from one."""
    classes = list(_classes(project))
    bases = {base for _, node in classes for base in _bases(node)}
    services = _services([node for _, node in classes])
    for source, node in classes:
        if node.name in services:
            yield from _of_life(source, node, is_base=node.name in bases)
            yield from _of_methods(source, node)


def _classes(project: Project) -> Iterator[tuple[Source, ast.ClassDef]]:
    for source in sources(project):
        for node in ast.walk(source.tree):
            if isinstance(node, ast.ClassDef):
                yield source, node


def _services(classes: list[ast.ClassDef]) -> set[str]:
    """The names of those that derive from the class of the framework, by others or not."""
    found: set[str] = set()
    while new := {node.name for node in classes if _ROOTS.union(found).intersection(_bases(node))} - found:
        found |= new
    return found


def _bases(node: ast.ClassDef) -> list[str]:
    return [ast.unparse(base) for base in node.bases]


def _of_life(source: Source, node: ast.ClassDef, is_base: bool) -> Iterator[Finding]:
    names = [each.name for each in node.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)]
    if "loop" not in names and not is_base and len(node.bases) == 1 and _ROOTS.intersection(_bases(node)):
        fix = "Write def loop(self): it is called again and again, and waits with time.sleep()."
        yield Finding("missing-loop", source.file, node.lineno, f"{node.name} has no loop()", fix=fix)


def _of_methods(source: Source, node: ast.ClassDef) -> Iterator[Finding]:
    for method in (each for each in node.body if isinstance(each, ast.FunctionDef)):
        if len(method.decorator_list) > _is_action(method):
            continue  # another decorator may change what it takes
        needed = _OF_ACTION if _is_action(method) else _LIFE.get(method.name, 0)
        if needed and not _takes(method, needed):
            yield _arguments(source, node, method, needed)


def _is_action(method: ast.FunctionDef) -> bool:
    return any(
        isinstance(each, ast.Call) and ast.unparse(each.func).endswith("API.handle") for each in method.decorator_list
    )


def _takes(method: ast.FunctionDef, count: int) -> bool:
    given = method.args
    most = len(given.posonlyargs) + len(given.args)
    return given.vararg is not None or most - len(given.defaults) <= count <= most


def _arguments(source: Source, node: ast.ClassDef, method: ast.FunctionDef, needed: int) -> Finding:
    names = "self, data" if needed == _OF_ACTION else "self"
    what = f"{node.name}.{method.name} is called with {names}, and takes ({ast.unparse(method.args)})"
    have = [one.arg for one in method.args.args]
    line = source.lines[method.lineno - 1]
    made = line
    if not method.args.kwonlyargs and have in ([], ["self"], ["data"]):
        made = re.sub(rf"(\bdef\s+{method.name}\s*\()[^)]*\)", rf"\g<1>{names})", line, count=1)
    edits = (Edit(source.file, method.lineno, method.lineno, (made,)),) if made != line else ()
    fix = f"Write def {method.name}({names}):"
    return Finding("service-arguments", source.file, method.lineno, what, edits, fix=fix)


def of_requirements(project: Project) -> Iterator[Finding]:
    """The original package becomes ours; the one that only it needed goes."""
    for file in project.named("requirements*.txt"):
        named = {number: _name(line) for number, line in enumerate(project.lines(file), 1)}
        ours = OURS in named.values()
        for number, name in named.items():
            if name == _ORIGINAL:
                lines = () if ours else (OURS,)
                what = f"{name} is the original package, and would take the place of {OURS}"
                yield Finding("original-package", file, number, what, (Edit(file, number, number, lines),))
            elif name == _NEEDED_BY_IT and _ORIGINAL in named.values() and not _is_imported(project, name):
                what = f"{name} is needed by the original package only"
                yield Finding("unneeded-package", file, number, what, (Edit(file, number, number, ()),))


def _name(line: str) -> str:
    found = _REQUIRED.match(line)
    return re.sub(r"[-_.]+", "-", found[1]).lower() if found and "://" not in line else ""


def _is_imported(project: Project, module: str) -> bool:
    mark = re.compile(rf"^\s*(?:from|import)\s+{module}\b", re.MULTILINE)
    return any(mark.search(text) for text in project.named("*.py").values())


def of_environment(project: Project) -> Iterator[Finding]:
    """In the environment of this command."""
    try:
        distribution(_ORIGINAL)
    except PackageNotFoundError:
        return
    what = f"the package {_ORIGINAL} is installed, whose modules are also those of {OURS}"
    fix = f"Run: pip uninstall -y {_ORIGINAL} && pip install --force-reinstall --no-deps {OURS}"
    yield Finding("originals-installed", "", 0, what, fix=fix)


CHECKS: tuple[Callable[[Project], Iterator[Finding]], ...] = (
    syntax.check,
    of_classes,
    of_requirements,
    of_environment,
)


class ServiceFactoryDoctor:
    title = "Service Factory"
    imports = "servicefactory"

    def requirement(self, module: str) -> str:
        return OURS

    def knows(self, project: Project) -> bool:
        return any(_IMPORT.search(text) for text in project.named("*.py").values())

    def examine(self, project: Project) -> Iterator[Finding]:
        for check in CHECKS:
            yield from check(project)


DOCTOR = ServiceFactoryDoctor()
