"""Original packages that are installed where the project would run."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from importlib.metadata import distributions
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
    names = (str(each.metadata["Name"] or "") for each in distributions(path=[*filter(_is_folder, paths)]))
    return {re.sub(r"[-_.]+", "-", name).lower() for name in names}


def _is_folder(path: str) -> bool:
    return bool(path) and Path(path).is_dir()


def _finding(python: str, found: list[str]) -> Finding:
    what = f"{python} has original packages, whose modules are also those of {OURS}: {', '.join(found)}"
    names = " ".join(found)
    fix = f"Run: {python} -m pip uninstall -y {names} && {python} -m pip install --force-reinstall --no-deps {OURS}"
    return Finding("originals-installed", "", 0, what, fix=fix)
