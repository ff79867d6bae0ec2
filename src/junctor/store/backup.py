"""A consistent copy of a store in one file, written while its node goes on, and read back before it counts.

The copy is SQLite's ``VACUUM INTO`` on a reading connection: one snapshot, without the holes of what was removed. The
writer is not held up; but its log cannot be emptied before the copy is complete, and grows by what comes meanwhile.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw

from junctor.core.upkeep import Backup
from junctor.errors import StoreDamaged, StoreError
from junctor.store.connection import open_reader, select
from junctor.store.epoch import BACKUP
from junctor.store.identity import sync_directory
from junctor.store.verify import verify

PART = ".part"
"""Behind the name of a backup that is not complete."""

_BESIDE = ("-journal", "-wal", "-shm")

SALVAGE = "Stop the node; `junctor backup FILE --salvage` copies what can be read. An earlier backup may have the rest."

_STEPS = 10_000
"""Steps of SQLite's machine between two looks whether to go on: some milliseconds."""


class BackupFailed(StoreError):
    """No backup was made; nothing is where its file should be."""

    code = "backup-failed"
    default_fix = "Name another file, on a disk with room for a copy of the store."


def write_backup(store: Path, path: Path, given_up: Callable[[], bool] = lambda: False) -> Backup:
    """Copy a store into a file that does not exist yet.

    :param store: the file of the database; its node may run.
    :param given_up: asked again and again; True ends it.
    :raises BackupFailed: it cannot be written, or exists already.
    :raises StoreDamaged: a page of the store cannot be read, or the copy is not sound.
    """
    began = time.monotonic()
    with published(store, path) as part:
        _copy(store, part, given_up)
        found = verify(part)
        if found.problems:
            raise StoreDamaged(f"the copy is not sound: {found.problems[0]}", where=str(store), fix=SALVAGE)
    return Backup(str(path), found.records, path.stat().st_size, time.monotonic() - began, len(found.damaged))


@contextmanager
def published(store: Path, path: Path) -> Iterator[Path]:
    """A file to write inside. It gets the name ``path`` at the end, and is gone where anything is raised.

    :raises BackupFailed: it cannot be written, or ``path`` exists already or is beside the store.
    """
    _require_free(store, path)
    part = path.with_name(path.name + PART)
    with _held(part) as file:
        try:
            yield part
            os.fsync(file)
            _publish(part, path)
        except BaseException:
            for ending in ("", *_BESIDE):
                with contextlib.suppress(OSError):
                    part.with_name(part.name + ending).unlink()
            raise


def _require_free(store: Path, path: Path) -> None:
    folder = path.parent
    if not folder.is_dir():
        raise BackupFailed("the folder of the backup is not there", where=str(folder), fix="Make it, or name another.")
    if folder.resolve() == store.parent.resolve():
        fix = "Name a file elsewhere, best on another disk."
        raise BackupFailed("this is the folder of the store itself", where=str(path), fix=fix)
    if os.path.lexists(path):
        raise BackupFailed("there is a file already", where=str(path), fix="Name a new file; none is overwritten.")


@contextmanager
def _held(part: Path) -> Iterator[int]:
    """The file that is being written, locked. What a killed backup left is written over."""
    try:
        file = os.open(part, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise BackupFailed(f"it cannot be written: {error.strerror}", where=str(part)) from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.fchmod(file, 0o600)
        os.ftruncate(file, 0)
        for ending in _BESIDE:
            part.with_name(part.name + ending).unlink(missing_ok=True)
        yield file
    except BlockingIOError as error:
        raise BackupFailed("another backup is writing it", where=str(part), fix="Wait for its end.") from error
    except OSError as error:
        raise BackupFailed(f"it cannot be written: {error.strerror}", where=str(part)) from error
    finally:
        os.close(file)


def _copy(store: Path, part: Path, given_up: Callable[[], bool]) -> None:
    db = open_reader(store)
    try:
        db.pragma("query_only", 0)  # it counts for the copy as well; the connection itself is opened for reading
        db.set_progress_handler(given_up, _STEPS)
        db.execute("VACUUM INTO ?", (str(part),))
    except apsw.Error as error:
        raise _failure(error, store, part) from error
    finally:
        db.close(True)
    mark(part)


def mark(part: Path) -> None:
    """Say in the copy that it is one.

    :raises StoreError: it cannot be written.
    """
    try:
        db = apsw.Connection(str(part), flags=apsw.SQLITE_OPEN_READWRITE)
        try:
            db.pragma("journal_mode", "memory")  # a file that is not complete needs no way back
            with db:
                db.execute("INSERT OR REPLACE INTO meta VALUES (?,?)", (BACKUP, time.time_ns()))
        finally:
            db.close(True)
    except apsw.Error as error:
        raise _failure(error, part, part) from error


def _failure(error: apsw.Error, store: Path, part: Path) -> StoreError:
    if isinstance(error, apsw.CorruptError | apsw.NotADBError):
        return StoreDamaged(f"the store is damaged, no backup was made: {error}", where=str(store), fix=SALVAGE)
    if isinstance(error, apsw.FullError):
        return BackupFailed("the disk is full", where=str(part))
    if isinstance(error, apsw.InterruptError):
        return BackupFailed("the node stopped meanwhile", where=str(part), fix="Ask for it again.")
    return BackupFailed(f"it cannot be written: {error}", where=str(part))


def _publish(part: Path, path: Path) -> None:
    """Give it its name, over nothing that may have appeared there. Not every disk has links: a USB stick has none."""
    try:
        os.link(part, path)
        part.unlink()
    except FileExistsError:
        raise BackupFailed("there is a file already", where=str(path), fix="Name a new file.") from None
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS) or os.path.lexists(path):
            raise
        os.rename(part, path)
    sync_directory(path.parent)


def made_at(path: Path) -> int:
    """When a backup was made, nanoseconds since 1970; 0: it is none, but a store.

    :raises StoreError: it cannot be read.
    """
    db = open_reader(path)
    try:
        rows = select(db, "SELECT value FROM meta WHERE name = ?", (BACKUP,))
        return int(rows[0][0]) if rows else 0
    finally:
        db.close(True)
