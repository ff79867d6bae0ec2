"""The doctors that are installed."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import entry_points
from typing import Protocol

from junctor.dialects.doctors.findings import Finding
from junctor.dialects.doctors.project import Project

GROUP = "junctor.doctors"
"""The group of entry points; the name of one is the name of its dialect, and what it names is a :class:`Doctor`."""


class Doctor(Protocol):
    """Finds errors in projects of one dialect."""

    title: str
    """The dialect, as people call it."""
    imports: str
    """How the names of the modules begin that its projects import, as a regular expression; a file that imports one and
    does not load is shown to the doctor."""

    def requirement(self, module: str) -> str:
        """What stands behind ``pip install`` to have one of these modules here."""
        ...

    def knows(self, project: Project) -> bool:
        """Whether this is a project of the dialect."""
        ...

    def examine(self, project: Project) -> Iterable[Finding]:
        """What is wrong with it. Nothing of the project is imported or run. With the corrections of a finding applied
        the same finding does not come again."""
        ...


def doctors() -> list[Doctor]:
    """All doctors, by the names of their dialects."""
    return [point.load() for point in sorted(entry_points(group=GROUP), key=lambda point: point.name)]
