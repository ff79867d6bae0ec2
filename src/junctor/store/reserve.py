"""Room kept for bad times: when the disk is full, settlements take the place of a file that is given up for them."""

from __future__ import annotations

import errno
import os
from pathlib import Path

RESERVE_BYTES = 16 * 1024 * 1024


class Reserve:
    """A preallocated file in the data directory.

    :param size: bytes; 0 keeps none.
    """

    def __init__(self, path: Path, size: int = RESERVE_BYTES) -> None:
        self._path = path
        self._size = size

    def give_up(self) -> bool:
        """Free the room. False when there was none to free."""
        try:
            os.unlink(self._path)
        except OSError:
            return False
        return True

    def restore(self) -> bool:
        """Take the room again. False while the disk does not have it."""
        if not self._size:
            return True
        try:
            file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        except OSError:
            return False
        try:
            _allocate(file, self._size)
            return True
        except OSError:
            self.give_up()
            return False
        finally:
            os.close(file)


def _allocate(file: int, size: int) -> None:
    """Take room on the disk, also where the system cannot allocate it: macOS."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file, 0, size)
        return
    if os.fstat(file).st_size >= size:
        return
    block = bytes(1024 * 1024)
    for at in range(0, size, len(block)):
        part = block[: size - at]
        if os.pwrite(file, part, at) < len(part):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
