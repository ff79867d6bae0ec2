"""Tables: with colour and folding on a terminal, plain aligned columns in a pipe."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Container, Iterator, Sequence

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
    "suspended": "red",
    "diverges": "red",
    "damaged": "red",
    "missing": "red",
    "cancelled": "yellow",
}
"""The colour of a state or status word."""

FOLDING = frozenset({"service", "from", "to", "type", "takes", "error", "note", "text", "body", "why", "does"})
"""Heads of the columns that are folded where a terminal is narrow; the others stay whole."""

LONG = frozenset({"error", "note", "text", "body", "why", "result", "does"})
"""Heads of the columns with whole sentences."""

COMMANDS = frozenset({"next", "see one"})
"""Heads of the columns that are copied into a shell: what is in them is never folded nor cut."""

LEGIBLE = 24
"""Characters below which a folded column is one of syllables: then it stands below its row."""


def word(text: str) -> str:
    """A state or status in its colour; without colour where the output is not a terminal."""
    return click.style(text, fg=COLOURS[text]) if text in COLOURS else text


def show(heads: Sequence[str], rows: Sequence[Sequence[str]], right: str = "") -> None:
    """Print a table.

    :param right: the heads, separated by blanks, of the columns with numbers.
    """
    numbers = set(right.split())
    cells = [[safe(cell) for cell in row] for row in rows]
    width = shutil.get_terminal_size().columns
    if not sys.stdout.isatty():
        _plain(heads, cells, numbers)
    elif _least(heads, cells) <= width:
        _rich(heads, cells, numbers)
    else:
        for line in stacked(heads, cells, numbers, width):
            click.echo(line)


def stacked(heads: Sequence[str], rows: list[list[str]], numbers: Container[str], width: int) -> Iterator[str]:
    """The lines of a table that has no room: short columns as far as they fit, and what is left below each row, after
    its head."""
    widths = _widths(heads, rows)
    kept = _kept(heads, widths, width)
    left = [column for column in range(len(heads)) if column not in kept]
    label = max((len(heads[column]) for column in left), default=0)
    for number, row in enumerate((heads, *rows)):
        padded = (_padded(row[one], widths[one], heads[one] in numbers, number == 0) for one in kept)
        yield "  ".join(padded).rstrip()
        for one in left if number else ():
            if row[one] and (row[one] != "0" or heads[one] not in numbers):
                yield _below(f"    {heads[one].ljust(label)}  ", row[one], 0 if heads[one] in COMMANDS else width)


def _kept(heads: Sequence[str], widths: list[int], width: int) -> list[int]:
    """The columns that stay beside each other. At least the first one, or the rows would have no beginning."""
    kept = [0]
    used = widths[0]
    for column in range(1, len(heads)):
        if heads[column] not in LONG | COMMANDS and used + 2 + widths[column] <= width:
            kept.append(column)
            used += 2 + widths[column]
    return kept


def _padded(cell: str, width: int, number: bool, head: bool) -> str:
    blanks = " " * (width - len(cell))
    shown = click.style(cell, bold=True) if head else word(cell)
    return blanks + shown if number else shown + blanks


def _below(head: str, cell: str, width: int) -> str:
    """A cell after its head, in lines of this width; 0 for one line however long it is."""
    if not width:
        return head + cell
    room = max(width, len(head) + LEGIBLE)
    blanks = " " * len(head)
    return textwrap.fill(cell, room, initial_indent=head, subsequent_indent=blanks, break_on_hyphens=False)


def _widths(heads: Sequence[str], rows: list[list[str]]) -> list[int]:
    return [max(len(line[column]) for line in (heads, *rows)) for column in range(len(heads))]


def _legible(heads: Sequence[str], rows: list[list[str]]) -> list[int]:
    """The width that each column needs to be read."""
    widths = zip(heads, _widths(heads, rows), strict=True)
    return [min(wide, LEGIBLE) if head in FOLDING else wide for head, wide in widths]


def _least(heads: Sequence[str], rows: list[list[str]]) -> int:
    """The width of a terminal in which nothing is cut, and what folds stays legible."""
    return sum(_legible(heads, rows)) + 2 * (len(heads) - 1)


def _plain(heads: Sequence[str], rows: list[list[str]], numbers: set[str]) -> None:
    widths = _widths(heads, rows)
    for row in (heads, *rows):
        padded = (
            cell.rjust(width) if head in numbers else cell.ljust(width)
            for head, cell, width in zip(heads, row, widths, strict=True)
        )
        click.echo("  ".join(padded).rstrip())


def _rich(heads: Sequence[str], rows: list[list[str]], numbers: set[str]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console, JustifyMethod
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    for head, least in zip(heads, _legible(heads, rows), strict=True):
        side: JustifyMethod = "right" if head in numbers else "left"
        table.add_column(head, justify=side, overflow="fold", no_wrap=head not in FOLDING, min_width=least)
    for row in rows:
        # Text, not markup: what stands in square brackets in an error is no colour.
        table.add_row(*(Text(cell, style=COLOURS.get(cell, "")) for cell in row))
    Console().print(table)
