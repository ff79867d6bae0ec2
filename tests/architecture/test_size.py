"""The size budget: what stays small stays readable. Figures measured on code worth learning from."""

from __future__ import annotations

import ast
from itertools import chain

from tests.architecture.tree import Source, report, sources

FILE_P90, FILE_STOP = 400, 600
FUNCTION_P90, FUNCTION_STOP = 30, 80


def p90(sizes: list[int]) -> int:
    return sorted(sizes)[min(len(sizes) - 1, int(len(sizes) * 0.9))]


def functions(source: Source) -> list[tuple[int, str]]:
    """Length in lines and place of each function, docstring and nested functions included."""
    return [
        ((node.end_lineno or node.lineno) - node.lineno + 1, f"{source.at(node)} {node.name}")
        for node in ast.walk(source.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def largest(measured: list[tuple[int, str]], above: int) -> list[str]:
    return [f"{size:5} lines  {place}" for size, place in sorted(measured, reverse=True) if size > above]


def test_files() -> None:
    measured = [(len(source.text.splitlines()), source.place) for source in sources()]
    over = largest(measured, FILE_STOP)
    assert not over, report(f"files above the hard stop of {FILE_STOP} lines; split them by concept:", over)
    typical = p90([size for size, _ in measured])
    heading = f"9 of 10 files are to stay within {FILE_P90} lines, now {typical}; the long ones:"
    assert typical <= FILE_P90, report(heading, largest(measured, FILE_P90))


def test_functions() -> None:
    measured = list(chain.from_iterable(functions(source) for source in sources()))
    if not measured:
        return
    over = largest(measured, FUNCTION_STOP)
    assert not over, report(f"functions above the hard stop of {FUNCTION_STOP} lines; give the steps names:", over)
    typical = p90([size for size, _ in measured])
    heading = f"9 of 10 functions are to stay within {FUNCTION_P90} lines, now {typical}; the long ones:"
    assert typical <= FUNCTION_P90, report(heading, largest(measured, FUNCTION_P90))
