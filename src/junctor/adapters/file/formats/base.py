"""What all formats share: how a file is to be read, and what reading it gives."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

Format = Literal["lines", "json-lines", "json", "csv", "text", "bytes", "base64"]
Undecodable = Literal["quarantine", "replace"]

WHOLE = ("text", "bytes", "base64")
"""The formats that make one message of a file."""

CHUNK = 256 * 1024
"""Bytes read at once."""


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """How the bytes of a file become records.

    ``separator`` ends a record of ``lines`` and ``json-lines``. ``columns`` are the names of the columns of ``csv``
    where the file does not name them, or instead of the names it has (``header``). ``limit`` is the longest record in
    bytes. A file without a byte has no record; with ``empty`` it has one, for the formats that take a file as one.
    """

    format: Format = "lines"
    encoding: str = "utf-8"
    undecodable: Undecodable = "quarantine"
    separator: str = "\n"
    header: bool = True
    delimiter: str = ","
    quote: str = '"'
    columns: tuple[str, ...] = ()
    limit: int = 16 * 1024 * 1024
    empty: bool = False


class Place(msgspec.Struct, frozen=True, gc=False):
    """A place in a file between two records: bytes from the begin, and the line there, from 1."""

    offset: int = 0
    line: int = 1


class Record(msgspec.Struct, gc=False):
    """One record: its plain value, the line in which it begins, and where the next one begins.

    ``problem`` says why the value is the text as it stands in the file, and not what the format promises.
    """

    value: Any
    line: int
    end: int
    next_line: int
    problem: str = ""


class Unreadable(Exception):
    """The rest of a file cannot be read, however often it is tried: the text says why and where.

    :param line: where, from 1; 0 where no line can be told.
    """

    def __init__(self, text: str, line: int = 0) -> None:
        super().__init__(f"line {line}: {text}" if line else text)
        self.line = line


def decoded(data: bytes, layout: Layout, line: int) -> str:
    """The text of some bytes.

    :raises Unreadable: they are not of the encoding, and the layout does not have such bytes replaced.
    """
    try:
        return data.decode(layout.encoding)
    except UnicodeDecodeError as error:
        if layout.undecodable == "replace":
            return data.decode(layout.encoding, "replace")
        line += data.count(b"\n", 0, error.start)
        shown = data[error.start : error.start + 1].hex()
        raise Unreadable(f"byte 0x{shown} is not {layout.encoding}: {error.reason}", line) from error
