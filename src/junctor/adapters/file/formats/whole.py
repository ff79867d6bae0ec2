"""A file as one record."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any, BinaryIO

from junctor.adapters.file.formats.base import Layout, Place, Record, Unreadable, decoded
from junctor.adapters.file.formats.split import skip_mark


def whole(source: BinaryIO, layout: Layout, place: Place) -> Iterator[Record]:
    """The text of the file, its bytes, or these in base64.

    :raises Unreadable: it has more than the limit of bytes.
    """
    if place != Place():
        return
    begin = skip_mark(source, layout.encoding) if layout.format == "text" else 0
    data = source.read(layout.limit + 1)
    if len(data) > layout.limit:
        raise Unreadable(f"the file is longer than the limit of {layout.limit:,} bytes")
    if data or layout.empty:
        yield Record(_value(data, layout), 1, begin + len(data), 2 + data.count(b"\n"))


def _value(data: bytes, layout: Layout) -> Any:
    if layout.format == "text":
        return decoded(data, layout, 1)
    return data if layout.format == "bytes" else base64.b64encode(data).decode()
