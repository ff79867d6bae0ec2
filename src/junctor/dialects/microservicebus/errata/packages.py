"""The original package, in requirements and beside Junctor."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution

from junctor.dialects.doctors import Edit, Finding, Project

ORIGINAL = "microservicebus-py"
OURS = "junctor-microservicebus"

_NAME = re.compile(r"\s*([A-Za-z0-9][\w.-]*)")


def of_requirements(project: Project) -> Iterator[Finding]:
    """The original package becomes ours."""
    for file in project.named("requirements*.txt"):
        named = {number: _name(line) for number, line in enumerate(project.lines(file), 1)}
        lines = () if OURS in named.values() else (OURS,)
        for number in (number for number, name in named.items() if name == ORIGINAL):
            what = f"{ORIGINAL} is the original package, and brings the modules of {OURS}"
            yield Finding("original-package", file, number, what, (Edit(file, number, number, lines),))


def _name(line: str) -> str:
    found = _NAME.match(line)
    return re.sub(r"[-_.]+", "-", found[1]).lower() if found and "://" not in line else ""


def of_environment(project: Project) -> Iterator[Finding]:
    """In the environment of this command."""
    try:
        distribution(ORIGINAL)
    except PackageNotFoundError:
        return
    what = f"the package {ORIGINAL} is installed, whose modules are also those of {OURS}"
    fix = f"Run: pip uninstall -y {ORIGINAL} && pip install --force-reinstall --no-deps {OURS}"
    yield Finding("originals-installed", "", 0, what, fix=fix)
