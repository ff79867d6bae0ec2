"""Files that are no Python, because of a bracket too many, one too few, or quotes of a word processor.

The page about Python services closes a dictionary twice: ``{"id": 42}})``.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator

from junctor.dialects.doctors import Edit, Finding, Project, syntax
from junctor.dialects.doctors.correcting import parses

_CLOSING = ")]}"
_QUOTES = str.maketrans({"\u201c": '"', "\u201d": '"', "\u201e": '"', "\u2018": "'", "\u2019": "'"})
_LONGEST = 1000
"""Characters of a line that is tried; each attempt reads the whole file."""


def check(project: Project) -> Iterator[Finding]:
    for finding in syntax.check(project):
        yield _corrected(project, finding) or finding


def _corrected(project: Project, finding: Finding) -> Finding | None:
    lines = project.lines(finding.file)
    if not 0 < finding.line <= len(lines) or len(lines[finding.line - 1]) > _LONGEST:
        return None
    old = lines[finding.line - 1]
    for code, what, new in _attempts(old):
        # A bracket that closes too early leaves its rest on the next line.
        past = finding.line + (code == "missing-bracket")
        if _gets_further([*lines[: finding.line - 1], new, *lines[finding.line :]], past):
            edit = Edit(finding.file, finding.line, finding.line, (new,))
            return Finding(code, finding.file, finding.line, what, (edit,), fix=f"Write: {new.strip()}")
    return None


def _attempts(line: str) -> Iterator[tuple[str, str, str]]:
    """What the line may have been meant to be, the likeliest first."""
    if (plain := line.translate(_QUOTES)) != line:
        yield "quotes", "the quotes are those of a word processor", plain
    for place in range(len(line) - 1, -1, -1):
        if line[place] in _CLOSING:
            what = f'there is a "{line[place]}" too many'
            yield "stray-bracket", what, line[:place] + line[place + 1 :]
    for end in (*_CLOSING, "})", "])", "):"):
        yield "missing-bracket", f'"{end}" is missing at the end of the line', line.rstrip() + end


def _gets_further(lines: list[str], past: int) -> bool:
    """Whether the text is Python now, or its first error lies behind a line."""
    text = "\n".join(lines)
    if parses(text):
        return True
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ast.parse(text)
        except SyntaxError as error:
            return (error.lineno or 0) > past
        except (ValueError, RecursionError, MemoryError):
            return False
    return True
