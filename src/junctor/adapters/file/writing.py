"""Writing files that are whole after a power cut: replaced at once, or with a line more at their end."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import msgspec

from junctor.adapters.file.moving import sync_folder
from junctor.core.outcome import Park


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
        if create:
            os.makedirs(parent, exist_ok=True)
        os.stat(parent)
        outer = os.path.realpath(self.folder)
        if os.path.commonpath([outer, os.path.realpath(parent)]) != outer:
            raise Park(f"{parent!r} is a link that leads out of the folder")


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


def append(spot: Spot, content: Callable[[bool], bytes], known: End | None, again: bool) -> End:
    """Write a line behind the end of a file, once.

    :param content: what is to be written, asked with whether the file is empty.
    :param known: the end behind the last committed message. What stands behind it is of others, or, when ``again`` says
        that this message may have been written before, its own: then it is completed, and not written twice.
    :raises OSError: it cannot be written, or only in part: try again.
    """
    with _opened(spot.path, os.O_RDWR | os.O_APPEND, spot.permissions) as descriptor:
        status = os.fstat(descriptor)
        same = known is not None and (known.device, known.inode) == (status.st_dev, status.st_ino)
        begin = known.length if known is not None and same else 0
        own = content(begin == 0) if again else b""
        written = _own_tail(descriptor, begin, status.st_size, own, exact=not same) if again else None
        if written is None:
            _write(descriptor, _behind_line(descriptor, status.st_size) + content(status.st_size == 0))
            end = os.lseek(descriptor, 0, os.SEEK_CUR)
        else:
            _write_over(spot.path, own[:written], begin)
            _write(descriptor, own[written:])
            end = begin + len(own)
        os.fsync(descriptor)
    if not same:
        sync_folder(os.path.dirname(spot.path))
    return End(status.st_dev, status.st_ino, end)


def is_own(spot: Spot, content: Callable[[bool], bytes], known: End | None) -> bool:
    """Whether a message was written to a file before, in whole or in part."""
    try:
        with open(spot.path, "rb") as file:
            status = os.fstat(file.fileno())
            same = known is not None and (known.device, known.inode) == (status.st_dev, status.st_ino)
            begin = known.length if known is not None and same else 0
            return bool(_own_tail(file.fileno(), begin, status.st_size, content(begin == 0), exact=not same))
    except FileNotFoundError:
        return False


def _own_tail(descriptor: int, begin: int, size: int, data: bytes, exact: bool) -> int | None:
    """How many bytes of ``data`` stand behind ``begin``; None where something else does.

    :param exact: nothing may stand behind them.
    """
    if size <= begin:
        return None
    tail = os.pread(descriptor, len(data) + 1, begin)
    if tail == data or (tail.startswith(data) and not exact):
        return len(data)
    return len(tail) if len(tail) < len(data) and data.startswith(tail) else None


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
