"""The checks, in the order in which their findings are shown."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from junctor.dialects.doctors import Finding, Project, syntax
from junctor.dialects.pip_services.alias import TABLE
from junctor.dialects.pip_services.doctor import (
    base_route,
    config_path,
    environment,
    handlers,
    names,
    private_names,
    requirements,
    routes,
    selfless,
    yaml_indent,
)
from junctor.dialects.pip_services.doctor.requirements import OURS

Check = Callable[[Project], Iterator[Finding]]

CHECKS: tuple[Check, ...] = (
    syntax.check,
    names.check,
    selfless.check,
    private_names.check,
    routes.check,
    base_route.check,
    handlers.check,
    yaml_indent.check,
    config_path.check,
    requirements.check,
    environment.check,
)

_MARKS = (
    ("*.py", re.compile(r"^\s*(?:from|import)\s+pip_services3_\w+", re.MULTILINE)),
    ("*.yml", re.compile(r"^-\s*descriptor:\s*[\"']?[\w-]+:[\w*-]+:", re.MULTILINE)),
    ("*.yaml", re.compile(r"^-\s*descriptor:\s*[\"']?[\w-]+:[\w*-]+:", re.MULTILINE)),
    ("requirements*.txt", re.compile(r"^\s*(?:junctor[-_])?pip[-_]services3", re.MULTILINE)),
)


class PipServicesDoctor:
    title = "Pip.Services"
    imports = "pip_services3_"

    def requirement(self, module: str) -> str:
        """An add-on of the family would bring the original packages with it."""
        return OURS if module in TABLE else f"--no-deps {module.replace('_', '-')}"

    def knows(self, project: Project) -> bool:
        return any(mark.search(text) for pattern, mark in _MARKS for text in project.named(pattern).values())

    def examine(self, project: Project) -> Iterator[Finding]:
        for check in CHECKS:
            yield from check(project)


DOCTOR = PipServicesDoctor()
