"""Writing files that are whole after a power cut: replaced at once, or with a line more at their end."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from junctor.adapters.file.moving import sync_folder
from junctor.core.outcome import Park

_GRAIN = 2_000_000_000
"""Nanoseconds that the time of a file may be behind what it was when it was written: the clock of the system for files
goes in steps of some milliseconds, and some file systems keep two seconds."""


class End(msgspec.Struct, frozen=True):
    """The end of a file behind the last message that is committed: which file it was, and its length then."""

    device: int
    inode: int
    length: int


class Spot(msgspec.Struct, frozen=True):
    """A file to be written: the folder that it must not leave, its name below, and the permissions it gets, None for
    those that the process gives."""

    folder: str
    name: str
    permissions: int | None = None

    @property
    def path(self) -> str:
        return os.path.join(self.folder, self.name)

    def enter(self, create: bool) -> None:
        """See to it that its folder is there.

        :raises OSError: it is not, and ``create`` does not allow to make it.
        :raises Park: a link leads out of the folder.
        """
        parent = os.path.dirname(self.path)
        outer = os.path.realpath(self.folder)
        if os.path.commonpath([outer, os.path.realpath(parent)]) != outer:
            raise Park(f"{parent!r} is a link that leads out of the folder")
        if create:
            os.makedirs(parent, exist_ok=True)
        os.stat(parent)


def replace_file(spot: Spot, data: bytes, effect: str) -> None:
    """Write a file that appears whole, or not at all; one of its name is replaced. Doing it again has one outcome.

    :param effect: what the file is written for; it tells its unfinished part from that of another one.
    :raises OSError: it cannot be written.
    """
    parent = os.path.dirname(spot.path)
    digest = hashlib.sha256(f"{spot.name}\0{effect}".encode(errors="surrogateescape")).hexdigest()[:16]
    part = os.path.join(parent, f".{digest}.part")
    try:
        with _opened(part, os.O_WRONLY | os.O_TRUNC, spot.permissions) as descriptor:
            _write(descriptor, data)
            os.fsync(descriptor)
        os.rename(part, spot.path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(part)
        raise
    sync_folder(parent)


def length_of(path: str) -> int:
    """Bytes of a file; 0 where there is none."""
    try:
        return os.stat(path).st_size
    except FileNotFoundError:
        return 0


class Line(msgspec.Struct, frozen=True):
    """What is to be written at the end of a file, and what tells whether it was written before.

    ``head`` comes before it in an empty file. ``known`` is the end behind the last message that was committed. What
    stands behind that is of others, or own lines of before a kill: these can only stand before ``inherited``, the
    length that the file had when the node first met it, unless this message was begun ``again``. ``since``: when the
    message was made, in nanoseconds; a file that is not known and is older has nothing of it.
    """

    data: bytes
    head: bytes = b""
    known: End | None = None
    inherited: int = 0
    again: bool = False
    since: int = 0

    def own(self, descriptor: int, status: os.stat_result) -> tuple[int, int] | None:
        """Where in a file it stands, and how many bytes of it do; None where it was not written before."""
        begin = self._begin(status)
        if status.st_size <= begin or not (self.again or begin < self.inherited):
            return None
        data = self.at(begin)
        tail = os.pread(descriptor, len(data), begin)
        return (begin, len(tail)) if data.startswith(tail) else None

    def at(self, place: int) -> bytes:
        """The bytes that are written at a place of a file."""
        return self.data if place else self.head + self.data

    def is_known(self, status: os.stat_result) -> bool:
        known = self.known
        return known is not None and (known.device, known.inode) == (status.st_dev, status.st_ino)

    def _begin(self, status: os.stat_result) -> int:
        if self.known is not None and self.is_known(status):
            return self.known.length
        return 0 if status.st_mtime_ns + _GRAIN > self.since else status.st_size


def append(spot: Spot, line: Line) -> End:
    """Write a line behind the end of a file, once: where it stands there already, it is completed.

    :raises OSError: it cannot be written, or only in part: try again.
    :raises Park: what has its name is no file.
    """
    with _opened(spot.path, os.O_RDWR | os.O_APPEND, spot.permissions) as descriptor:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise Park(f"{spot.path!r} is no file")
        own = line.own(descriptor, status)
        if own is None:
            _write(descriptor, _behind_line(descriptor, status.st_size) + line.at(status.st_size))
            end = os.lseek(descriptor, 0, os.SEEK_CUR)
        else:
            begin, written = own
            data = line.at(begin)
            _write_over(spot.path, data[:written], begin)
            _write(descriptor, data[written:])
            end = begin + len(data)
        os.fsync(descriptor)
    if not line.is_known(status):
        sync_folder(os.path.dirname(spot.path))
    return End(status.st_dev, status.st_ino, end)


def stands_in(spot: Spot, line: Line) -> bool:
    """Whether a line was written to a file before, in whole or in part."""
    try:
        with open(spot.path, "rb") as file:
            return line.own(file.fileno(), os.fstat(file.fileno())) is not None
    except FileNotFoundError:
        return False


def _behind_line(descriptor: int, size: int) -> bytes:
    """A line end, where what is there does not end with one: the rest of something that was never completed."""
    return b"\n" if size and os.pread(descriptor, 1, size - 1) != b"\n" else b""


def _write_over(path: str, data: bytes, at: int) -> None:
    """Write what stands there once more. After an error of the disk the system may believe that it has written it."""
    descriptor = os.open(path, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        os.pwrite(descriptor, data, at)
    finally:
        os.close(descriptor)


@contextmanager
def _opened(path: str, flags: int, permissions: int | None) -> Iterator[int]:
    descriptor = os.open(path, flags | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK, 0o666)
    try:
        if permissions is not None:
            os.fchmod(descriptor, permissions)
        yield descriptor
    finally:
        os.close(descriptor)


def _write(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def write_marker(path: str) -> None:
    """An empty file that says by its name that another one is finished."""
    with _opened(path, os.O_WRONLY, None) as descriptor:
        os.fsync(descriptor)
    sync_folder(os.path.dirname(path))
