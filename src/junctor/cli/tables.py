"""Tables: with colour and folding on a terminal, plain aligned columns in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from junctor.cli.words import safe

COLOURS = {
    "running": "green",
    "done": "green",
    "held": "yellow",
    "waiting": "yellow",
    "backoff": "yellow",
    "down": "yellow",
    "removed": "yellow",
    "claimed": "cyan",
    "parked": "red",
    "failed": "red",
    "expired": "red",
}
"""The colour of a state or status word."""

FOLDING = frozenset({"service", "from", "to", "type", "error", "note", "text", "body"})
"""Heads of the columns that are folded where a terminal is narrow; the others stay whole."""


def word(text: str) -> str:
    """A state or status in its colour; without colour where the output is not a terminal."""
    return click.style(text, fg=COLOURS[text]) if text in COLOURS else text


def show(heads: Sequence[str], rows: Sequence[Sequence[str]], right: str = "") -> None:
    """Print a table.

    :param right: the heads, separated by blanks, of the columns with numbers.
    """
    numbers = set(right.split())
    cells = [[safe(cell) for cell in row] for row in rows]
    if sys.stdout.isatty():
        _rich(heads, cells, numbers)
    else:
        _plain(heads, cells, numbers)


def _plain(heads: Sequence[str], rows: list[list[str]], numbers: set[str]) -> None:
    widths = [max(len(line[column]) for line in (heads, *rows)) for column in range(len(heads))]
    for row in (heads, *rows):
        padded = (
            cell.rjust(width) if head in numbers else cell.ljust(width)
            for head, cell, width in zip(heads, row, widths, strict=True)
        )
        click.echo("  ".join(padded).rstrip())


def _rich(heads: Sequence[str], rows: list[list[str]], numbers: set[str]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    for head in heads:
        folds = head in FOLDING
        table.add_column(head, justify="right" if head in numbers else "left", overflow="fold", no_wrap=not folds)
    for row in rows:
        # Text, not markup: what stands in square brackets in an error is no colour.
        table.add_row(*(Text(cell, style=COLOURS.get(cell, "")) for cell in row))
    Console().print(table)
