"""Comma separated values, as the standard library reads them: RFC 4180 and what spreadsheets make of it."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from typing import BinaryIO

from junctor.adapters.file.formats.base import Layout, Place, Record, Unreadable, decoded
from junctor.adapters.file.formats.split import separated


def rows(source: BinaryIO, layout: Layout, place: Place) -> Iterator[Record]:
    """Each row as an object of texts by column. A cell that the row lacks is left out; a row with too many cells comes
    as the list of them, with the problem. Empty rows are left out.

    :raises Unreadable: the header is empty or names a column twice, or a row is no CSV.
    """
    columns = _columns(source, layout)
    stand = _Lines(source, layout, place)
    begin = place.line
    skip = layout.header and place.offset == 0
    for cells in stand.rows():
        if skip:
            skip = False
        elif cells:
            yield _record(cells, columns, begin, stand)
        begin = stand.line


def _record(cells: list[str], columns: tuple[str, ...], line: int, stand: _Lines) -> Record:
    if len(cells) > len(columns):
        problem = f"{len(cells)} cells for {len(columns)} columns"
        return Record(cells, line, stand.end, stand.line, problem)
    return Record(dict(zip(columns, cells, strict=False)), line, stand.end, stand.line)


def _columns(source: BinaryIO, layout: Layout) -> tuple[str, ...]:
    """The names of the columns; those of the file are read at its begin, wherever the reading goes on."""
    if layout.columns:
        return layout.columns
    columns = tuple(name.strip() for name in next(_Lines(source, layout, Place()).rows(), ()))
    source.seek(0)
    if not columns:
        return ()  # an empty file has no rows either
    if not any(columns):
        raise Unreadable("there are no names of columns", 1)
    twice = [name for name, count in Counter(columns).items() if count > 1]
    if twice:
        raise Unreadable(f"the header names the column {min(twice)!r} twice", 1)
    return columns


class _Lines:
    """Lines for the reader of the library: it takes as many as a row has, so the place behind the row is known."""

    def __init__(self, source: BinaryIO, layout: Layout, place: Place) -> None:
        self.line = place.line
        self.end = place.offset
        self._layout = layout
        self._pieces = separated(source, layout, place, "\n")
        self._begin = place.offset

    def rows(self) -> Iterator[list[str]]:
        layout = self._layout
        # The limit of the library belongs to the process, and is lower than that of a record.
        csv.field_size_limit(max(csv.field_size_limit(), layout.limit))
        reader = csv.reader(
            iter(self._next, None),
            delimiter=layout.delimiter,
            quotechar=layout.quote or None,
            quoting=csv.QUOTE_MINIMAL if layout.quote else csv.QUOTE_NONE,
        )
        while True:
            self._begin, line = self.end, self.line
            try:
                row = next(reader, None)
            except csv.Error as error:
                raise Unreadable(f"not CSV: {error}", line) from error
            if row is None:
                return
            yield row

    def _next(self) -> str | None:
        found = next(self._pieces, None)
        if found is None:
            return None
        data, self.end = found
        if self.end - self._begin > self._layout.limit:
            raise Unreadable(f"the row is longer than the limit of {self._layout.limit:,} bytes", self.line)
        self.line += 1
        return decoded(data, self._layout, self.line - 1) + "\n"
