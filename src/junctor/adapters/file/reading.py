"""An open file and its records, from a cursor on."""

from __future__ import annotations

import contextlib
import gzip
import os
import stat
import zlib
from collections.abc import Iterator
from typing import BinaryIO, Literal, cast

from msgspec.structs import replace

from junctor.adapters.file.cursor import Cursor, Identity, identity_of
from junctor.adapters.file.formats import Layout, Record, Unreadable, records

Compression = Literal["none", "gzip"]


class Changed(Exception):
    """The file is not what it was when its reading began; the text says what happened."""


class Reading:
    """A file that is open at a cursor; :meth:`take` moves both on.

    :raises OSError: it cannot be opened.
    :raises Changed: it is not what the cursor says.
    """

    def __init__(self, path: str, cursor: Cursor, layout: Layout, compression: Compression, links: bool) -> None:
        self.cursor = cursor
        self.ended = False
        self._compressed = compression != "none"
        self._raw = open_regular(path, links)
        try:
            self._source = _source(self._raw, compression)
            self._check()
            self._records: Iterator[Record] = records(self._source, layout, cursor.place)
        except BaseException:
            self._raw.close()
            raise

    def take(self, count: int, size: int) -> list[Record]:
        """The next records: so many, or fewer when they make up ``size`` bytes. Then ``ended`` tells whether the file
        is at its end, and ``cursor.problem`` what is wrong with the rest of it.

        :raises Changed: the file changed since the cursor was made; the records of this turn may be of either.
        :raises OSError: it cannot be read.
        """
        taken: list[Record] = []
        begin = self.cursor.offset
        problem = ""
        try:
            for record in self._records:
                taken.append(record)
                if len(taken) >= count or record.end - begin >= size:
                    break
            else:
                self.ended = True
        except Unreadable as error:
            problem = str(error)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            problem = f"not gzip, or cut off: {error}"
        identity = self._check()
        if self.ended and not self._compressed:
            # What was written since the end was met is not read yet.
            identity = replace(identity, size=min(identity.size, self._raw.tell()))
        self._move(taken, identity, problem)
        return taken

    def close(self) -> None:
        """Close the file. That this fails matters to nobody: nothing was written."""
        for file in (self._source, self._raw):
            with contextlib.suppress(OSError):
                file.close()

    def _move(self, taken: list[Record], identity: Identity, problem: str) -> None:
        last = taken[-1] if taken else None
        offset, line = (last.end, last.next_line) if last else (self.cursor.offset, self.cursor.line)
        self.cursor = replace(self.cursor, identity=identity, offset=offset, line=line, problem=problem)

    def _check(self) -> Identity:
        """The file as it is now.

        :raises Changed: it is another one, or its content is.
        """
        before = self.cursor.identity
        now = identity_of(self._raw, before.hashed)
        if what := before.changed(now):
            raise Changed(what)
        return now


def open_regular(path: str, links: bool) -> BinaryIO:
    """Open a file for reading: no pipe that would wait for a writer, no device, and no link unless these are followed.

    :raises OSError: it cannot be opened, or is no file.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if links else os.O_NOFOLLOW))
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(f"{path!r} is no file")
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def _source(raw: BinaryIO, compression: Compression) -> BinaryIO:
    return cast(BinaryIO, gzip.GzipFile(fileobj=raw, mode="rb")) if compression == "gzip" else raw
