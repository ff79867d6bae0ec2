"""One node a store: a lock that the kernel releases when its holder is gone, however it went."""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path

from junctor import forks
from junctor.errors import StoreError, StoreLocked


class StoreLock:
    """An exclusive ``flock`` on a file of the data directory. The text in the file only tells people who holds it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None

    def acquire(self) -> None:
        """Take the lock or refuse at once.

        :raises StoreLocked: another node holds it; the text names its process.
        :raises StoreError: the file cannot be opened.
        """
        try:
            file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
        except OSError as error:
            raise StoreError(f"the lock file cannot be opened: {error.strerror}", where=str(self._path)) from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(file, 200, 0).decode(errors="replace").strip()
            os.close(file)
            raise StoreLocked(
                f"the store is in use by {holder or 'another process'}", where=str(self._path.parent)
            ) from error
        self._file = file
        forks.close_in_children(file)
        with contextlib.suppress(OSError):  # a full disk has no room for the text; the lock holds without it
            os.ftruncate(file, 0)
            os.pwrite(file, f"pid {os.getpid()} boot {boot_id()}\n".encode(), 0)

    def release(self) -> None:
        """Give the lock back. Idempotent. The file stays: once removed, two nodes could lock two files of one name."""
        file, self._file = self._file, None
        if file is not None:
            with contextlib.suppress(OSError):
                os.ftruncate(file, 0)
            forks.forget(file)
            os.close(file)


def holder(path: Path) -> int:
    """The process that wrote itself into the file of a lock and lives, 0 where there is none. The lock itself is not
    tried: it would be held for that moment, and a node that starts just then would be refused."""
    try:
        words = path.read_text(encoding="utf-8", errors="replace").split()
        pid = int(words[1])
        if words[0] != "pid" or pid <= 0 or words[2:] != ["boot", boot_id()]:
            return 0
        os.kill(pid, 0)
    except PermissionError as error:  # of another user, and alive; or a file that may not be read
        return pid if error.filename is None else 0
    except (OSError, ValueError, IndexError, OverflowError):
        return 0
    return pid


def boot_id() -> str:
    """Which start of the machine this is; a pid means nothing after the next one."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return "unknown"
