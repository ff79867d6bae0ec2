"""A file of JSON: an array is streamed, a record an element; anything else is one record."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import BinaryIO

import msgspec

from junctor.adapters.file.formats.base import CHUNK, Layout, Place, Record, Unreadable
from junctor.adapters.file.formats.split import skip_mark

_BLANK = re.compile(r"[ \t\r\n]*")
_OF_NUMBERS = re.compile(r"[-+.0-9eE]*")


def documents(source: BinaryIO, layout: Layout, place: Place) -> Iterator[Record]:
    """The elements of an array, or the document.

    :raises Unreadable: it is no JSON from here on, or one value has more than the limit of bytes.
    """
    begin = skip_mark(source, "utf-8")
    text = _Text(source, Place(begin), layout.limit)
    if text.sign() != "[":
        if text.sign() and place.offset == 0:
            yield text.value()
            text.finish()
    elif place.offset:
        source.seek(place.offset)
        yield from _elements(_Text(source, place, layout.limit))
    else:
        yield from _list(text)


def _list(text: _Text) -> Iterator[Record]:
    text.step()
    if text.sign() == "]":
        text.step()
        text.finish()
        return
    yield text.value()
    yield from _elements(text)


def _elements(text: _Text) -> Iterator[Record]:
    """From behind an element on: a comma and the next one, until the bracket."""
    while (sign := text.sign()) == ",":
        text.step()
        yield text.value()
    if sign != "]":
        raise text.wrong("the list ends without its bracket" if not sign else f"{sign!r} where a comma is expected")
    text.step()
    text.finish()


class _Text:
    """A window on the stream. Its bytes stand for characters of the same number: what JSON is made of is ASCII, so the
    parser of the library finds the end of a value, and places in the window are places in the file."""

    def __init__(self, source: BinaryIO, place: Place, limit: int) -> None:
        self._source = source
        self._scan = json.JSONDecoder(parse_float=str, parse_int=str).raw_decode
        self._decode = msgspec.json.Decoder().decode
        self._window = ""
        self._at = 0
        self._offset = place.offset  # of the begin of the window
        self._line = place.line  # at the place in the window
        self._limit = limit
        self._ended = False

    def sign(self) -> str:
        """The next character that is not blank; empty at the end."""
        while True:
            end = self._end_of_blanks()
            self._line += self._window.count("\n", self._at, end)
            self._at = end
            if end < len(self._window) or not self._more():
                return self._window[end : end + 1]

    def _end_of_blanks(self) -> int:
        found = _BLANK.match(self._window, self._at)
        return found.end() if found else self._at

    def step(self) -> None:
        self._at += 1

    def value(self) -> Record:
        """The value that begins at the next character."""
        self.sign()
        end = self._end_of_value()
        data = self._window[self._at : end].encode("latin-1")
        line = self._line
        self._line += data.count(b"\n")
        self._at = end
        try:
            found, problem = self._decode(data), ""
        except (msgspec.DecodeError, RecursionError) as error:
            found, problem = data.decode("utf-8", "replace"), f"not JSON: {error}"
        return Record(found, line, self._offset + end, self._line, problem)

    def _end_of_value(self) -> int:
        while True:
            try:
                _, end = self._scan(self._window, self._at)
            except RecursionError:
                raise self.wrong("values are nested too deep") from None
            except json.JSONDecodeError as error:
                if not self._more():
                    raise self.wrong(f"not JSON: {error.msg}") from error
            else:
                # A number at the end of the window may go on behind it, also where only its point is still in it.
                rest = _OF_NUMBERS.match(self._window, end)
                if rest is None or rest.end() < len(self._window) or not self._more():
                    return end

    def finish(self) -> None:
        """Nothing may follow."""
        if sign := self.sign():
            raise self.wrong(f"{sign!r} behind the end")

    def wrong(self, text: str) -> Unreadable:
        return Unreadable(text, self._line)

    def _more(self) -> bool:
        """Read on; twice as much as is there, so that a long value is not looked through too often."""
        if self._ended:
            return False
        held = len(self._window) - self._at
        if held > self._limit:
            raise self.wrong(f"the value is longer than the limit of {self._limit:,} bytes")
        data = self._source.read(max(CHUNK, held))
        self._ended = not data
        self._offset += self._at
        self._window = self._window[self._at :] + data.decode("latin-1")
        self._at = 0
        return bool(data)
