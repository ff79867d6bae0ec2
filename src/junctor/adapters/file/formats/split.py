"""A stream of bytes, cut at a separator, with the place of each part."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import BinaryIO

from junctor.adapters.file.formats.base import CHUNK, Layout, Place, Unreadable

_BOMS = {
    "utf-8": codecs.BOM_UTF8,
    "utf-16-le": codecs.BOM_UTF16_LE,
    "utf-16-be": codecs.BOM_UTF16_BE,
    "utf-32-le": codecs.BOM_UTF32_LE,
    "utf-32-be": codecs.BOM_UTF32_BE,
}


def skip_mark(source: BinaryIO, encoding: str) -> int:
    """Read over the byte order mark at the begin of a stream; how many bytes it has, 0 without one."""
    mark = _BOMS.get(codecs.lookup(encoding).name, b"")
    head = source.read(len(mark)) if mark else b""
    if mark and head == mark:
        return len(mark)
    source.seek(0)
    return 0


def pieces(source: BinaryIO, separator: bytes, width: int, place: Place, limit: int) -> Iterator[tuple[bytes, int]]:
    """The parts of a stream between separators, without them, each with the offset behind its separator. What follows
    the last separator is a part, too, unless it is empty.

    :param width: bytes of a unit of the encoding: a separator begins at a multiple of it.
    :param place: where the stream stands.
    :raises Unreadable: a part has more than ``limit`` bytes.
    """
    rest, end, count = b"", place.offset, 0
    while chunk := source.read(CHUNK):
        parts = _cut(rest + chunk if rest else chunk, separator, width)
        rest = parts.pop()
        for part in parts:
            end += len(part) + len(separator)
            count += 1
            if len(part) > limit:
                raise _too_long(limit, place.line + count - 1)
            yield part, end
        if len(rest) > limit:
            raise _too_long(limit, place.line + count)
    if rest:
        yield rest, end + len(rest)


def _cut(data: bytes, separator: bytes, width: int) -> list[bytes]:
    if width == 1:
        return data.split(separator)
    parts, begin, at = [], 0, data.find(separator)
    while at >= 0:
        if (at - begin) % width:
            at = data.find(separator, at + 1)
            continue
        parts.append(data[begin:at])
        begin = at + len(separator)
        at = data.find(separator, begin)
    return [*parts, data[begin:]]


def width_of(encoding: str) -> int:
    """Bytes of a unit of an encoding: 1, or 2 and 4 for UTF-16 and UTF-32."""
    name = codecs.lookup(encoding).name
    return 2 if name.startswith("utf-16") else 4 if name.startswith("utf-32") else 1


def separated(source: BinaryIO, layout: Layout, place: Place, separator: str) -> Iterator[tuple[bytes, int]]:
    """:func:`pieces` as a layout has them, from a place on; the stream stands at its begin."""
    begin = skip_mark(source, layout.encoding)
    if place.offset > begin:
        source.seek(place.offset)
        begin = place.offset
    start = Place(begin, place.line)
    return pieces(source, separator.encode(layout.encoding), width_of(layout.encoding), start, layout.limit)


def _too_long(limit: int, line: int) -> Unreadable:
    return Unreadable(f"the record is longer than the limit of {limit:,} bytes", line)
