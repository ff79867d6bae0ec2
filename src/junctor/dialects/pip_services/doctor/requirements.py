"""Requirements that bring the original packages, and those that only these needed."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from junctor.dialects.doctors import Edit, Finding, Project
from junctor.dialects.doctors.source import sources

OURS = "junctor-pip-services3"
ORIGINALS = (
    "pip-services3-commons",
    "pip-services3-components",
    "pip-services3-container",
    "pip-services3-data",
    "pip-services3-expressions",
    "pip-services3-rpc",
    "pip-services3-swagger",
)
_NEEDED_BY_THEM = {
    "beaker": "beaker",
    "bottle": "bottle",
    "cheroot": "cheroot",
    "iso8601": "iso8601",
    "netifaces": "netifaces",
    "psutil": "psutil",
    "pybars3": "pybars",
    "pystache": "pystache",
    "pytz": "pytz",
    "pyyaml": "yaml",
    "requests": "requests",
}
"""Distribution to module."""

_NAME = re.compile(r"\s*([A-Za-z0-9][\w.-]*)")


def check(project: Project) -> Iterator[Finding]:
    imported = _imported(project)
    for file in project.named("requirements*.txt"):
        lines = project.lines(file)
        named = {number: name for number, line in enumerate(lines, 1) if (name := _name(line))}
        if OURS in named.values() or any(name in ORIGINALS for name in named.values()):
            yield from _of_file(file, named, imported)


def _of_file(file: str, named: dict[int, str], imported: set[str]) -> Iterator[Finding]:
    """The first of the originals becomes ours, the others go."""
    ours = OURS in named.values()
    for number, name in named.items():
        if name in ORIGINALS:
            lines = () if ours else (OURS,)
            what = f"{name} is the original package, and would take the place of {OURS}"
            yield Finding("original-package", file, number, what, (Edit(file, number, number, lines),))
            ours = True
        elif name.startswith("pip-services3-"):
            what = f"{name} brings the original packages back, which take the place of {OURS}"
            fix = "Move it to a file of its own and install that with: pip install --no-deps -r FILE"
            yield Finding("add-on-package", file, number, what, fix=fix)
        elif name in _NEEDED_BY_THEM and _NEEDED_BY_THEM[name] not in imported:
            what = f"{name} is needed by the original packages only"
            yield Finding("unneeded-package", file, number, what, (Edit(file, number, number, ()),))


def _name(line: str) -> str:
    """The name of the distribution of a line, as pip compares names; empty for options, comments and addresses."""
    found = _NAME.match(line)
    return re.sub(r"[-_.]+", "-", found[1]).lower() if found and "://" not in line else ""


def _imported(project: Project) -> set[str]:
    """The modules that the files of the project import, without what is below them."""
    found: set[str] = set()
    for source in sources(project):
        for node in ast.walk(source.tree):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.partition(".")[0])
    return found
