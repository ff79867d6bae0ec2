"""A disk that fails: each call of SQLite to its file system, counted from 1, can be the one that does."""

from __future__ import annotations

from dataclasses import dataclass, field

import apsw

from tests.crash.vfs import Taps

_CODES = {
    "read": apsw.SQLITE_IOERR_READ,
    "write": apsw.SQLITE_IOERR_WRITE,
    "sync": apsw.SQLITE_IOERR_FSYNC,
    "truncate": apsw.SQLITE_IOERR_TRUNCATE,
    "delete": apsw.SQLITE_IOERR_DELETE,
    "measure": apsw.SQLITE_IOERR_FSTAT,
    "lock": apsw.SQLITE_IOERR_LOCK,
}
"""What SQLite makes of an error of the system, by the call; an ``open`` that fails is another error altogether."""

TAKES_ROOM = ("open", "write", "sync", "truncate")
"""The calls that a full disk can refuse."""


@dataclass
class FailingDisk(Taps):
    """Fails ``times`` calls from the n-th on.

    :param at: counted over all files; 0 fails none.
    :param full: there is no room (ENOSPC), and only calls that take some are counted; else it is an I/O error (EIO).
    """

    at: int
    times: int = 1
    full: bool = False
    count: int = 0
    failed: list[str] = field(default_factory=list)

    def open(self, path: str) -> None:
        self._step("open", path)

    def read(self, path: str) -> None:
        self._step("read", path)

    def measure(self, path: str) -> None:
        self._step("measure", path)

    def lock(self, path: str) -> None:
        self._step("lock", path)

    def write(self, path: str, offset: int, data: bytes) -> None:
        self._step("write", path)

    def sync(self, path: str) -> None:
        self._step("sync", path)

    def truncate(self, path: str, size: int) -> None:
        self._step("truncate", path)

    def delete(self, path: str) -> None:
        self._step("delete", path)

    def _step(self, call: str, path: str) -> None:
        if self.full and call not in TAKES_ROOM:
            return
        self.count += 1
        if self.at and self.at <= self.count < self.at + self.times:
            self.failed.append(f"{call} {path.rpartition('/')[2]}")
            raise _error(call, self.full)


def _error(call: str, full: bool) -> apsw.Error:
    if call == "open":
        return apsw.CantOpenError("injected")
    if call == "write" and full:
        return apsw.FullError("injected")
    error = apsw.IOError("injected")
    error.extendedresult = _CODES[call]
    return error
