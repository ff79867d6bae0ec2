"""Connections to the database: one that writes, others that only read. Each pragma is read back after it is set."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import apsw

from junctor.errors import StoreDamaged, StoreError

OLDEST_SQLITE = 3_051_003
"""Older ones corrupt a WAL when two connections checkpoint or write at the same moment."""

BUSY_MS = 10_000
WAL_LIMIT = 64 * 1024 * 1024

# journal_mode is set before synchronous means anything; auto_vacuum counts only before the first table.
_WRITER = (
    ("busy_timeout", BUSY_MS),
    ("auto_vacuum", 2),
    ("journal_mode", "wal"),
    ("synchronous", 2),
    ("wal_autocheckpoint", 0),
    ("journal_size_limit", WAL_LIMIT),
    ("cache_size", -8192),
    ("mmap_size", 0),
    ("trusted_schema", 0),
    ("cell_size_check", 1),
    ("temp_store", 2),
    # On macOS fsync() stops at the cache of the disk; these ask for F_FULLFSYNC. Elsewhere they mean nothing.
    ("fullfsync", 1),
    ("checkpoint_fullfsync", 1),
)
_READER = (
    ("busy_timeout", BUSY_MS),
    ("query_only", 1),
    ("cache_size", -2048),
    ("mmap_size", 0),
    ("trusted_schema", 0),
    ("cell_size_check", 1),
    ("temp_store", 2),
)


def open_writer(path: Path, vfs: str | None = None) -> apsw.Connection:
    """The connection that writes; there is never a second one.

    :raises StoreDamaged: the file is no database, or its header is broken.
    :raises StoreError: it cannot be opened, or a pragma does not hold.
    """
    if apsw.SQLITE_VERSION_NUMBER < OLDEST_SQLITE:
        raise StoreError(
            f"SQLite {apsw.sqlite_lib_version()} can lose data in WAL mode", fix="Install apsw 3.51.3 or newer."
        )
    _make_private(path)
    return _open(path, apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE, vfs, _WRITER)


def open_reader(path: Path, vfs: str | None = None) -> apsw.Connection:
    """A connection that cannot write.

    :raises StoreError: there is no database, or it cannot be read.
    """
    try:
        return _open(path, apsw.SQLITE_OPEN_READONLY, vfs, _READER)
    except StoreError as error:
        log = path.with_name(f"{path.name}-wal")
        if not isinstance(error.__cause__, _NO_INDEX) or not path.exists() or (log.exists() and log.stat().st_size):
            raise
    # A folder without write access: SQLite cannot make the index of the log, and without a log needs none.
    return _open(
        path, apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI, vfs, _READER, f"{path.absolute().as_uri()}?immutable=1"
    )


_NO_INDEX = (apsw.ReadOnlyError, apsw.CantOpenError)


def _open(
    path: Path, flags: int, vfs: str | None, pragmas: tuple[tuple[str, str | int], ...], name: str = ""
) -> apsw.Connection:
    if path.exists() and not path.is_file():  # SQLite would wait for the other end of a pipe
        raise StoreError("this is no file", where=str(path), fix="Move it away; a node makes its store by itself.")
    db: apsw.Connection | None = None
    try:
        db = apsw.Connection(name or str(path), flags=flags, vfs=vfs, statementcachesize=128)
        for pragma, value in pragmas:
            set_pragma(db, pragma, value, path)
    except apsw.Error as error:
        if db is not None:
            drop(db)
        raise store_error(error, path, unchanged=True) from error
    return db


def _make_private(path: Path) -> None:
    """An empty file that only its owner may read; SQLite gives the log the same mode."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise StoreError(f"the database cannot be opened: {error.strerror}", where=str(path)) from error


def set_pragma(db: apsw.Connection, name: str, value: str | int, path: Path) -> None:
    """Set a pragma and make sure it holds: SQLite ignores what it does not know and what comes too late.

    One that holds already is left alone: setting some of them again writes to the file.

    :raises StoreError: it has another value afterwards.
    """
    if db.pragma(name) == value:
        return
    db.pragma(name, value)
    found = db.pragma(name)
    if found != value and name != "auto_vacuum":  # fixed with the first table: a store made without it goes on without
        raise StoreError(f"pragma {name} is {found!r} after it was set to {value!r}", where=str(path))


def select(db: apsw.Connection, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """All rows of a statement. All, because a statement left open holds back checkpoints."""
    found: list[tuple[Any, ...]] = db.execute(sql, values).fetchall()
    return found


def drop(db: apsw.Connection) -> None:
    """Close a connection that has failed already: what its disk says to that is no news."""
    with suppress(apsw.Error):
        db.close(True)


def store_error(error: BaseException, path: Path, unchanged: bool = False) -> StoreError:
    """Our error for one of SQLite; ``unchanged``: nothing was written."""
    if isinstance(error, apsw.CorruptError | apsw.NotADBError | UnicodeDecodeError):
        fix = "Restore the folder from a copy. Nothing was changed." if unchanged else None
        return StoreDamaged(f"the database is damaged: {error}", where=str(path), fix=fix)
    return StoreError(f"the database refuses: {type(error).__name__}: {error}", where=str(path))
