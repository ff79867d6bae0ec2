"""How long the log was, kept in a file beside it, so that one cut off between two transactions is noticed.

SQLite reads its log to the last whole transaction. One that lost its end exactly there, or was lost as a whole, looks
as if nothing had come after. The mark says how many pages of which log were on the disk. It is written a second after
the first commit that it does not cover, so a loss within the last second before a kill stays unnoticed; written with
each group of commits nothing would, for one more sync each time.
"""

from __future__ import annotations

import contextlib
import os
import struct
import time
from pathlib import Path
from zlib import crc32

SECONDS = 1.0
"""Between two marks, while there is something to mark."""

_MARK = struct.Struct(">8sQQQQ")
"""Magic, the salts of the log in 8 bytes, pages, inode of the database, nanoseconds since 1970; a CRC-32 follows."""

_MAGIC = b"JNCTmark"
_SALTS = slice(16, 24)
"""In the header of the log. Each log has its own, see SQLite's documentation of the WAL file format."""


class LogMark:
    """The mark of a database. Used by the thread that writes; a mark that cannot be written is done without.

    :param every: seconds between two marks; 0 writes one with each group of commits.
    """

    def __init__(self, database: Path, every: float = SECONDS) -> None:
        self._database = database
        self._log = database.with_name(f"{database.name}-wal")
        self._path = database.with_name(f"{database.name}-mark")
        self._every = every
        self._pages = 0
        self._written = -1.0
        self._pending = False

    @property
    def patience(self) -> float | None:
        """Seconds after which :meth:`write` is to be called if nothing else comes, None for never."""
        return self._every if self._pending else None

    def note(self, pages: int) -> None:
        """Say how many pages of the log are on the disk now; a new log begins from the start."""
        if pages != self._pages:
            self._pages = pages
            self._pending = True
        if self._pending and time.monotonic() - self._written >= self._every:
            self.write()

    def write(self) -> None:
        """Write the mark if there is something new to say."""
        if self._pending:
            self._pending = False
            self._written = time.monotonic()
            salts = self._salts()
            if salts is not None:
                self._put(salts, self._pages)

    def clear(self) -> None:
        """Before the log is emptied on purpose. On the disk when this returns."""
        self._pending = False
        if self._path.exists():
            self._put(bytes(8), 0)

    def missing(self, accepted: int) -> str | None:
        """What is to be told about a log of which SQLite accepted so many pages; None when all is there."""
        kept = self._read()
        if kept is None:
            return None
        salts, pages, when = kept
        found = self._salts()
        if found is None:
            return f"the log of the last run is gone; {_LOST.format(when=when)}" if pages else None
        if found == salts and accepted < pages:
            return f"the log of the last run ends after {accepted} of {pages} pages; {_LOST.format(when=when)}"
        return None

    def _salts(self) -> bytes | None:
        try:
            with self._log.open("rb") as file:
                found = file.read(_SALTS.stop)[_SALTS]
        except OSError:
            return None
        return found if len(found) == 8 else None

    def _put(self, salts: bytes, pages: int) -> None:
        with contextlib.suppress(OSError):
            inode = self._database.stat().st_ino
            data = _MARK.pack(_MAGIC, int.from_bytes(salts, "big"), pages, inode, time.time_ns())
            file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
            try:
                os.pwrite(file, data + crc32(data).to_bytes(4, "big"), 0)
                getattr(os, "fdatasync", os.fsync)(file)  # macOS has only the latter
            finally:
                os.close(file)

    def _read(self) -> tuple[bytes, int, str] | None:
        """Salts, pages and time of the mark; None where there is none of this very file, or a torn one."""
        try:
            data = self._path.read_bytes()
            inode = self._database.stat().st_ino
        except OSError:
            return None
        if len(data) != _MARK.size + 4 or crc32(data[:-4]).to_bytes(4, "big") != data[-4:]:
            return None
        magic, salts, pages, marked, when = _MARK.unpack(data[:-4])
        if magic != _MAGIC or marked != inode:
            return None
        shown = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(when / 1e9))
        return salts.to_bytes(8, "big"), pages, shown


_LOST = "what was accepted or handled shortly before {when} may be missing, or be handled again"
