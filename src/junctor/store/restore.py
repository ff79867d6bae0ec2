"""A backup put in place of a store, so that a kill at any moment leaves the one or the other.

The backup is copied beside the store, verified and synced, and only then gets the name :data:`FRESH`. From there on it
is decided: whoever opens the folder next completes the change.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import apsw

from junctor.errors import StoreDamaged, StoreError, StoreLocked
from junctor.store.backup import PART, made_at
from junctor.store.identity import DATABASE, LOCK, prepare, sync_directory
from junctor.store.lock import StoreLock
from junctor.store.schema import migrate
from junctor.store.verify import verify

FRESH = "restored.db"
"""A verified copy of a backup that takes the place of the database."""

_UNTOUCHED = "Take another backup. The store was not touched."

_BESIDE = ("-wal", "-shm", "-journal", "-mark")


@dataclass(frozen=True)
class Restored:
    """What was put in place. ``made`` is when the backup was made, nanoseconds since 1970, 0 for a copy of a store
    that was not made by a backup; ``aside`` is where the store before it is now, None where there was none."""

    records: int
    damaged: int
    made: int
    aside: Path | None


def restore(path: Path, directory: Path) -> Restored:
    """Put a backup in place of the store in a directory, which is made where it is not there.

    :raises StoreLocked: the node runs.
    :raises StoreTooNew: a newer Junctor made the backup.
    :raises StoreDamaged: the backup does not hold together.
    :raises StoreError: it is no backup, or cannot be copied.
    """
    _require_other(path, directory)
    prepare(directory)
    lock = StoreLock(directory / LOCK)
    try:
        lock.acquire()
    except StoreLocked as error:
        raise StoreLocked(error.what, where=error.where, fix="Stop the node first: junctor stop.") from error
    try:
        install_restored(directory)  # what an earlier one was decided to do
        part = directory / (FRESH + PART)
        with _removed_after(part):
            _copy(path, part)
            _bring_up(part, path)
            found = verify(part)
            if found.problems:
                what = f"the backup does not hold together: {found.problems[0]}"
                raise StoreDamaged(what, where=str(path), fix=_UNTOUCHED)
            made = made_at(part)
            os.rename(part, directory / FRESH)
            sync_directory(directory)
        return Restored(found.records, len(found.damaged), made, install_restored(directory))
    finally:
        lock.release()


def install_restored(directory: Path) -> Path | None:
    """Complete a restore that was decided; the lock is held. Where the store before it is now, None for none.

    :raises StoreError: a file cannot be moved.
    """
    fresh = directory / FRESH
    try:
        stamp = fresh.stat().st_mtime_ns
    except FileNotFoundError:
        return None
    # The same name however often this is begun: what was moved before a kill is there already.
    second = time.strftime("%Y%m%d-%H%M%S", time.gmtime(stamp // 1_000_000_000))
    aside = directory / f"before-restore-{second}-{stamp % 1_000_000_000 // 1000:06}"
    try:
        aside.mkdir(mode=0o700, exist_ok=True)
        for name in (DATABASE, *(DATABASE + ending for ending in _BESIDE)):
            with contextlib.suppress(FileNotFoundError):
                os.rename(directory / name, aside / name)
        sync_directory(aside)
        sync_directory(directory)
        os.rename(fresh, directory / DATABASE)
        sync_directory(directory)
        if any(aside.iterdir()):
            return aside
        aside.rmdir()
        return None
    except OSError as error:
        raise StoreError(f"the backup cannot be put in place: {error.strerror}", where=str(directory)) from error


def _require_other(path: Path, directory: Path) -> None:
    if not path.is_file():
        what = "there is no such file" if not path.exists() else "this is no file"
        raise StoreError(what, where=str(path), fix="Name a file that `junctor backup` wrote.")
    if path.resolve().parent == directory.resolve():
        raise StoreError("this file is part of the store itself", where=str(path), fix="Name a backup.")


def _copy(path: Path, part: Path) -> None:
    """A copy on the disk. A database that is not a backup may have a log, without which it is not whole."""
    if path.with_name(f"{path.name}-wal").exists():
        fix = "Start a node with --store on a copy of its folder, or name a file that `junctor backup` wrote."
        raise StoreError("this is a store that was not closed, not a backup", where=str(path), fix=fix)
    try:
        with open(path, "rb") as source, open(part, "wb", opener=_private) as target:
            shutil.copyfileobj(source, target, 1024 * 1024)
            target.flush()
            os.fsync(target.fileno())
    except OSError as error:
        raise StoreError(f"the backup cannot be copied: {error.strerror}", where=str(path)) from error


def _bring_up(part: Path, path: Path) -> None:
    """A backup of an earlier version becomes one of today's."""
    try:
        db = apsw.Connection(str(part), flags=apsw.SQLITE_OPEN_READWRITE)
        try:
            if not db.pragma("user_version"):
                raise _none(path)
            migrate(db, str(path))
            if not db.pragma("auto_vacuum"):  # made without it, a database becomes one that shrinks
                db.pragma("auto_vacuum", 2)
                db.execute("VACUUM")
        finally:
            db.close(True)
    except apsw.NotADBError as error:
        raise _none(path) from error
    except apsw.Error as error:
        raise StoreDamaged(f"the backup cannot be read: {error}", where=str(path), fix=_UNTOUCHED) from error


def _none(path: Path) -> StoreError:
    return StoreError("this is no store", where=str(path), fix="Name a file that `junctor backup` wrote.")


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW, 0o600)


@contextlib.contextmanager
def _removed_after(part: Path) -> Iterator[None]:
    try:
        yield
    finally:
        for name in (part.name, f"{part.name}-wal", f"{part.name}-shm"):
            with contextlib.suppress(OSError):
                part.with_name(name).unlink()
