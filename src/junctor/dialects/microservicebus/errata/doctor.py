"""The checks, in the order in which their findings are shown."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from junctor.dialects.doctors import Finding, Project
from junctor.dialects.microservicebus.errata import awaiting, brackets, classes, packages

Check = Callable[[Project], Iterator[Finding]]

CHECKS: tuple[Check, ...] = (
    brackets.check,
    classes.check,
    awaiting.check,
    packages.of_requirements,
    packages.of_environment,
)

_IMPORTS = r"(?:base_service|queue_message)\b"
_IMPORT = re.compile(rf"^\s*(?:from|import)\s+{_IMPORTS}", re.MULTILINE)


class MicroServiceBusDoctor:
    title = "microServiceBus"
    imports = _IMPORTS

    def requirement(self, module: str) -> str:
        return packages.OURS

    def knows(self, project: Project) -> bool:
        return any(_IMPORT.search(text) for text in project.named("*.py").values())

    def examine(self, project: Project) -> Iterator[Finding]:
        for check in CHECKS:
            yield from check(project)

    def remarks(self, texts: Mapping[str, str]) -> Iterator[Finding]:
        """What is wrong in files of services that can be imported. How a file is called does not matter to a flow that
        names its class."""
        project = Project(Path(), texts)
        for check in (classes.check, awaiting.check):
            yield from (finding for finding in check(project) if finding.code != "class-name")

    def correction(self, text: str, line: int) -> str:
        """What a line that is no Python should be; empty where that is not known."""
        project = Project(Path(), {"file.py": text})
        found = next((each for each in brackets.check(project) if each.line == line), None)
        return found.edits[0].lines[0].strip() if found is not None and found.edits else ""


DOCTOR = MicroServiceBusDoctor()
