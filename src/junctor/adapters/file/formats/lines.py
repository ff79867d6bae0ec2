"""A record a line, or between separators: as text, or as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

import msgspec

from junctor.adapters.file.formats.base import Layout, Place, Record, decoded
from junctor.adapters.file.formats.split import separated


def lines(source: BinaryIO, layout: Layout, place: Place) -> Iterator[Record]:
    """Each line as text, without its end; empty ones are records, too."""
    windows = layout.separator == "\n"
    line = place.line
    for data, end in separated(source, layout, place, layout.separator):
        text = decoded(data, layout, line)
        if windows and text[-1:] == "\r":
            text = text[:-1]
        yield Record(text, line, end, line + 1)
        line += 1


def json_lines(source: BinaryIO, layout: Layout, place: Place) -> Iterator[Record]:
    """Each line as the JSON value in it; empty ones are left out. What is no JSON comes as text, with the problem."""
    plain = layout.encoding.lower().replace("_", "-") in ("utf-8", "utf8")
    line = place.line
    decode: Any = msgspec.json.Decoder().decode
    for data, end in separated(source, layout, place, layout.separator):
        try:
            value, problem = decode(data if plain else decoded(data, layout, line)), ""
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
            text = decoded(data, layout, line)
            if not text.strip():
                line += 1
                continue
            value, problem = text.removesuffix("\r"), f"not JSON: {error}"
        yield Record(value, line, end, line + 1, problem)
        line += 1
