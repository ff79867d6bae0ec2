"""A SQLite file system that lets a test see, count, fail or kill at each write and sync. No other tool is needed."""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import apsw

_names = itertools.count(1)


class Taps:
    """What is called before each operation reaches the disk. Raise an ``apsw`` error to fail it."""

    def write(self, path: str, offset: int, data: bytes) -> None: ...

    def wrote(self, path: str, offset: int, data: bytes) -> None:
        """After the write."""

    def sync(self, path: str) -> None: ...

    def synced(self, path: str) -> None:
        """After the sync."""

    def truncate(self, path: str, size: int) -> None: ...

    def delete(self, path: str) -> None: ...

    def open(self, path: str) -> None: ...

    def read(self, path: str) -> None: ...

    def measure(self, path: str) -> None:
        """Before the size of a file is asked for."""

    def lock(self, path: str) -> None: ...


class _File(apsw.VFSFile):
    def __init__(self, name: Any, flags: list[int], taps: Taps) -> None:
        super().__init__("", name, flags)
        self._path = name.filename() if isinstance(name, apsw.URIFilename) else str(name)
        self._taps = taps

    def xRead(self, amount: int, offset: int) -> bytes:
        self._taps.read(self._path)
        return super().xRead(amount, offset)

    def xFileSize(self) -> int:
        self._taps.measure(self._path)
        return super().xFileSize()

    def xLock(self, level: int) -> None:
        self._taps.lock(self._path)
        super().xLock(level)

    def xWrite(self, data: Any, offset: int) -> None:
        content = bytes(data)
        self._taps.write(self._path, offset, content)
        super().xWrite(content, offset)
        self._taps.wrote(self._path, offset, content)

    def xSync(self, flags: int) -> None:
        self._taps.sync(self._path)
        super().xSync(flags)
        self._taps.synced(self._path)

    def xTruncate(self, size: int) -> None:
        self._taps.truncate(self._path, size)
        super().xTruncate(size)


class _Vfs(apsw.VFS):
    def __init__(self, name: str, taps: Taps) -> None:
        self._taps = taps
        super().__init__(name, "")

    def xOpen(self, name: Any, flags: list[int]) -> _File:
        self._taps.open(name.filename() if isinstance(name, apsw.URIFilename) else str(name))
        return _File(name, flags, self._taps)

    def xDelete(self, name: str, sync: bool) -> None:
        self._taps.delete(name)
        super().xDelete(name, sync)


@contextmanager
def tapped(taps: Taps) -> Iterator[str]:
    """The name of a registered file system with these taps."""
    name = f"tapped-{next(_names)}"
    vfs = _Vfs(name, taps)
    try:
        yield name
    finally:
        vfs.unregister()


@dataclass
class AtOperation(Taps):
    """Does something at the n-th write or sync, counted over all files from 1; ``at`` 0 only counts.

    :param half: write the first half of the data before it happens: a torn write.
    """

    at: int
    act: Callable[[], object]
    half: bool = False
    writes: bool = True
    syncs: bool = True
    count: int = 0

    def write(self, path: str, offset: int, data: bytes) -> None:
        if self.writes:
            self._step(path, offset, data)

    def sync(self, path: str) -> None:
        if self.syncs:
            self._step(path, 0, b"")

    def _step(self, path: str, offset: int, data: bytes) -> None:
        self.count += 1
        if self.count == self.at:
            if self.half and data:
                _write_half(path, offset, data)
            self.act()


def kill_self() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _write_half(path: str, offset: int, data: bytes) -> None:
    file = os.open(path, os.O_WRONLY)
    os.pwrite(file, data[: len(data) // 2], offset)
    os.close(file)
