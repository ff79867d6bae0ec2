"""Configuration whose keys stand below ``- descriptor`` without being indented."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

import yaml

from junctor.dialects.doctors import Edit, Finding, Project

_ITEM = re.compile(r"-\s+(?:descriptor|type):")
_DESCRIPTOR = re.compile(r"-\s+(?:descriptor|type):\s*(.*?)\s*$")
_DIRECTIVE = re.compile(r"^\s*(?:\{\{[^{}]*\}\}\s*)+$")
_VARIABLE = re.compile(r"\{\{\{?[^{}]*\}?\}\}")


class _Block(NamedTuple):
    """A component: its descriptor, and the lines below it that have to move, by their indexes."""

    descriptor: str
    moved: list[int]


def check(project: Project) -> Iterator[Finding]:
    """Only a file that is no YAML is looked at, and it is corrected only if indenting makes it a list of components."""
    for file, text in project.named("*.yml", "*.yaml").items():
        lines = text.split("\n")
        if any(_ITEM.match(line) for line in lines) and (problem := _problem(lines)):
            yield from _findings(file, lines, problem)


def _findings(file: str, lines: list[str], problem: tuple[int, str]) -> Iterator[Finding]:
    blocks = list(_blocks(lines))
    made = list(lines)
    for block in blocks:
        for index in block.moved:
            made[index] = f"  {lines[index]}"
    if not blocks or _problem(made):
        line, what = problem
        yield Finding("yaml", file, line, f"this is no YAML: {what}", fix="Correct it by hand.")
        return
    for block in blocks:
        first, last = block.moved[0] + 1, block.moved[-1] + 1
        what = f"the configuration of {block.descriptor} is not indented, so it is not part of it"
        yield Finding("yaml-indent", file, first, what, (Edit(file, first, last, tuple(made[first - 1 : last])),))


def _blocks(lines: list[str]) -> Iterator[_Block]:
    """Below an item all lines move up to the next item, if the first of them stands at the start of its line. Comments
    and directives at the start of a line may stay there."""
    index = 0
    while index < len(lines):
        found = _DESCRIPTOR.match(lines[index])
        index += 1
        moved = []
        while found and index < len(lines) and not lines[index].startswith(("-", "...")):
            moved += [index] if lines[index].strip() and not lines[index].startswith(("#", "{{")) else []
            index += 1
        if found and moved and not lines[moved[0]].startswith(" "):
            yield _Block(found[1].strip("\"'"), moved)


def _problem(lines: list[str]) -> tuple[int, str] | None:
    """The line and the words of what is wrong with it; None for a list of components."""
    plain = ["" if _DIRECTIVE.match(line) else _VARIABLE.sub("x", line) for line in lines]
    try:
        found = yaml.safe_load("\n".join(plain))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        return (mark.line + 1 if mark else 0), getattr(error, "problem", None) or "it cannot be read"
    if isinstance(found, list) and all(isinstance(each, dict) for each in found):
        return None
    return 1, "it is not a list of components"
