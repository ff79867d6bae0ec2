"""Original packages that are installed where the project would run."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution

from junctor.dialects.doctors import Finding, Project
from junctor.dialects.pip_services.doctor.requirements import ORIGINALS, OURS


def check(project: Project) -> Iterator[Finding]:
    """No file of the project: nothing is uninstalled, the finding has the command."""
    found = [name for name in ORIGINALS if _is_installed(name)]
    if found:
        what = (
            f"{', '.join(found)} installed beside {OURS}: both bring the same modules, and the last one installed wins"
        )
        fix = f"Run: pip uninstall -y {' '.join(found)} && pip install --force-reinstall --no-deps {OURS}"
        yield Finding("originals-installed", "", 0, what, fix=fix)


def _is_installed(name: str) -> bool:
    try:
        distribution(name)
    except PackageNotFoundError:
        return False
    return True
