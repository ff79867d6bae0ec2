"""Container files whose parameters are not indented below their component, as some documentation prints them::

    - descriptor: "my-service:controller:default:default:1.0"
    default_name: "World"

This is no YAML. What is meant is plain all the same: the keys belong to the component above them.
"""

from __future__ import annotations

import re

_ITEM = re.compile(r"( *)- +(descriptor|type) *:")
_KEY = re.compile(r"( *)[^\s#:-][^:]*:( |$)")
_IGNORED = re.compile(r"\s*(#.*)?$|---|\.\.\.")


def reindented(text: str) -> tuple[str, list[int]]:
    """The text with such keys, and what is below them, two columns to the right.

    :returns: the new text, and the lines that were moved, counted from 1.
    """
    lines, moved = text.splitlines(), []
    item: int | None = None
    moving = False
    for number, line in enumerate(lines, 1):
        if _IGNORED.match(line):
            continue
        found = _ITEM.match(line)
        indent = len(line) - len(line.lstrip(" "))
        if found is not None or item is None or indent < item:
            item, moving = (len(found[1]) if found is not None else None), False
        elif indent == item:
            moving = _KEY.match(line) is not None
        if moving and found is None:
            lines[number - 1] = f"  {line}"
            moved.append(number)
    return "\n".join(lines) + "\n", moved


def shown(numbers: list[int]) -> str:
    """Lines for people: ``4-5, 9``."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)
