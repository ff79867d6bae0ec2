"""Files that are no Python."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator

from junctor.dialects.doctors.correcting import parses
from junctor.dialects.doctors.findings import Finding
from junctor.dialects.doctors.project import Project


def check(project: Project) -> Iterator[Finding]:
    for file, text in project.named("*.py").items():
        if not parses(text):
            line, what = _trouble(text)
            yield Finding("syntax", file, line, f"this is no Python: {what}", fix="Correct it by hand.")


def _trouble(text: str) -> tuple[int, str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ast.parse(text)
        except SyntaxError as error:
            return error.lineno or 0, error.msg
        except (RecursionError, MemoryError):
            return 0, "it is nested too deeply"
        except ValueError as error:
            return 0, str(error)
    return 0, "nothing was found"
