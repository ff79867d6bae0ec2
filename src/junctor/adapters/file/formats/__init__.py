"""Formats: from the bytes of a file to records, as a stream that can go on anywhere between two of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import BinaryIO

from junctor.adapters.file.formats.base import (
    WHOLE,
    Format,
    Layout,
    Place,
    Record,
    Undecodable,
    Unreadable,
)
from junctor.adapters.file.formats.delimited import rows
from junctor.adapters.file.formats.document import documents
from junctor.adapters.file.formats.lines import json_lines, lines
from junctor.adapters.file.formats.whole import whole

__all__ = (
    "WHOLE",
    "Format",
    "Layout",
    "Place",
    "Record",
    "Undecodable",
    "Unreadable",
    "records",
)

_FORMATS: Mapping[str, Callable[[BinaryIO, Layout, Place], Iterator[Record]]] = {
    "lines": lines,
    "json-lines": json_lines,
    "json": documents,
    "csv": rows,
    "text": whole,
    "bytes": whole,
    "base64": whole,
}


def records(source: BinaryIO, layout: Layout, place: Place) -> Iterator[Record]:
    """The records of a stream from a place on. The stream can be sought, and stands at its begin.

    :param place: the begin, or where a record before has ended.
    :raises Unreadable: from some record on, it is not what the layout says.
    """
    return _FORMATS[layout.format](source, layout, place)
