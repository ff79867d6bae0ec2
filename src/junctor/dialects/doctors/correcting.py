"""Corrections: the edits of findings on the texts of a project. Nothing is written here."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable, Iterable

from junctor.dialects.doctors.findings import Edit, Finding
from junctor.dialects.doctors.imports import with_imports
from junctor.dialects.doctors.project import Project

UNREADABLE = (SyntaxError, ValueError, RecursionError, MemoryError)
"""What the parser raises for a text that is no Python; the last two for one that is nested too deeply."""
_PASSES = 50
"""A correction may uncover the next error. What has not come to rest by then is left as it is."""


def corrected(project: Project, examine: Callable[[Project], Iterable[Finding]]) -> Project:
    """The project with all corrections, those included that come to light by others."""
    for _ in range(_PASSES):
        changed = apply(project, list(examine(project)))
        if not changed.changed_from(project):
            break
        project = changed
    return project


def apply(project: Project, findings: Iterable[Finding]) -> Project:
    """The project with the edits of these findings. Of findings that want the same lines the first has them."""
    taken: dict[str, list[Edit]] = {}
    imports: dict[str, list[str]] = {}
    for finding in findings:
        if finding.correctable and not any(_meets(edit, taken.get(edit.file, ())) for edit in finding.edits):
            for edit in finding.edits:
                taken.setdefault(edit.file, []).append(edit)
            imports.setdefault(finding.file, []).extend(finding.imports)
    texts = {
        file: _edited(file, project.files[file], taken.get(file, ()), imports.get(file, ()))
        for file in (taken | imports)
    }
    return project.with_files(texts)


def _meets(edit: Edit, others: Iterable[Edit]) -> bool:
    return any(
        edit.first <= max(other.last, other.first) and other.first <= max(edit.last, edit.first) for other in others
    )


def _edited(file: str, text: str, edits: Iterable[Edit], imports: Iterable[str]) -> str:
    lines = text.split("\n")
    for edit in sorted(edits, key=lambda each: each.first, reverse=True):
        lines[edit.first - 1 : edit.last] = edit.lines
    made = "\n".join(lines)
    if file.endswith(".py"):
        made = with_imports(made, imports)
        return made if parses(made) or not parses(text) else text
    return made


def parses(text: str) -> bool:
    """Whether a text is Python."""
    return tree_of(text) is not None


def tree_of(text: str) -> ast.Module | None:
    """None: it is no Python. What the parser would only warn of is the affair of its authors."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(text)
        except UNREADABLE:
            return None
