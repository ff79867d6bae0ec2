"""Original packages that are installed where the project would run."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from junctor.dialects.doctors import Finding, Project
from junctor.dialects.pip_services.doctor.requirements import ORIGINALS, OURS

_OF_THE_PROJECT = (".venv", "venv", "env")


def check(project: Project) -> Iterator[Finding]:
    """In the environment of this command and in those in the folder of the project. Nothing is uninstalled; the finding
    has the command."""
    places = {sys.executable: sys.path}
    for name in _OF_THE_PROJECT:
        places[f"{name}/bin/python"] = [str(path) for path in (project.folder / name).glob("lib/python*/site-packages")]
    for python, paths in places.items():
        found = sorted(_installed(paths) & set(ORIGINALS))
        if found:
            yield _finding(python, found)


def _installed(paths: Iterable[str]) -> set[str]:
    """The names of the packages of the family, by the folders that pip leaves: all others are not even opened."""
    found = (each for path in paths if path for each in Path(path).glob("[pP]ip[-_.][sS]ervices3*-info"))
    return {re.sub(r"[-_.]+", "-", each.name.partition("-")[0]).lower() for each in found}


def _finding(python: str, found: list[str]) -> Finding:
    what = f"{python} has original packages, whose modules are also those of {OURS}: {', '.join(found)}"
    names = " ".join(found)
    fix = f"Run: {python} -m pip uninstall -y {names} && {python} -m pip install --force-reinstall --no-deps {OURS}"
    return Finding("originals-installed", "", 0, what, fix=fix)
