"""What can still be read of a store whose file is damaged, copied row by row into a new one.

A backup copies page by page and refuses where one cannot be read. Here each table is read in the order of its numbers;
where a page is damaged, or the disk does not give it, the reading goes on with the next number that can be found, as
``.recover`` of SQLite's shell does with pages. What is missing is told. The copy is a backup like any other:
``junctor restore`` puts it in place, and the opening parks the records in it that fail their checksums.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import apsw
import msgspec

from junctor.errors import StoreDamaged, StoreError, StoreLocked, StoreTooNew
from junctor.store.backup import mark, published
from junctor.store.connection import open_reader, select, store_error
from junctor.store.entries import remove_damaged
from junctor.store.identity import LOCK, read_identity
from junctor.store.lock import StoreLock
from junctor.store.mend import shown
from junctor.store.names import INDEX, put_right
from junctor.store.schema import MIGRATIONS, migrate
from junctor.store.spans import SHIFT
from junctor.store.verify import verify
from junctor.store.walk import UNREADABLE, Walk, walk_keys

_NUMBERED = ("word", "body", "message", "hop", "reply", "attempt", "log", "alert", "note", "run")
"""Tables whose rows have a number."""

_KEYED = {"meta": "name", "state": "service, key, name", "turn": "run, number"}
"""The others, and what their rows are found by. ``span`` is made anew."""

_WITHOUT_HOP = "SELECT seq FROM message WHERE seq NOT IN (SELECT seq FROM hop)"
_WITHOUT_MESSAGE = "SELECT seq FROM hop WHERE seq NOT IN (SELECT seq FROM message)"
_META = "INSERT OR IGNORE INTO meta VALUES (?, ?)"


class Salvaged(msgspec.Struct, frozen=True):
    """What was saved of a damaged store. ``records`` are in the copy, ``damaged`` of them fail their checksums;
    ``lost`` says in sentences what is not in it. ``seconds`` it took, ``bytes`` it has."""

    path: str
    records: int
    bytes: int
    seconds: float
    damaged: int
    lost: list[str]


def salvage(store: Path, path: Path) -> Salvaged:
    """Copy what can be read of a store into a file that does not exist yet. The store is only read.

    :param store: the file of the database; its node is down.
    :raises StoreLocked: the node runs.
    :raises StoreError: there is no store.
    :raises BackupFailed: the copy cannot be written, or exists already.
    :raises StoreTooNew: a newer Junctor wrote the store.
    :raises StoreDamaged: the pages that say where everything is, the first of the store among them, cannot be read.
    """
    began = time.monotonic()
    lock = _locked(store)
    try:
        with published(store, path) as part:
            lost = _copied(store, part)
            mark(part)
            found = verify(part)
            if found.problems:
                raise StoreDamaged(f"the copy is not sound: {found.problems[0]}", where=str(store))
    finally:
        lock.release()
    seconds = time.monotonic() - began
    return Salvaged(str(path), found.records, path.stat().st_size, seconds, len(found.damaged), lost)


def _locked(store: Path) -> StoreLock:
    if not store.is_file():
        raise StoreError("there is no store in this folder", where=str(store.parent), fix="Name one with --node PATH.")
    lock = StoreLock(store.parent / LOCK)
    try:
        lock.acquire()
    except StoreLocked as error:
        raise StoreLocked(error.what, where=error.where, fix="Stop the node first: junctor stop.") from error
    return lock


def _copied(store: Path, part: Path) -> list[str]:
    """Copy everything; what is lost."""
    source = open_reader(store)
    try:
        version = _version(source, store)
        target = apsw.Connection(str(part), flags=apsw.SQLITE_OPEN_READWRITE)
        try:
            return _copy(source, target, store, version)
        finally:
            target.close(True)
    except UNREADABLE as error:
        raise store_error(error, store, unchanged=True) from error
    finally:
        source.close(True)


def _version(source: apsw.Connection, store: Path) -> int:
    version = int(source.pragma("user_version"))
    select(source, "SELECT count(*) FROM sqlite_schema")  # by what is there all the rest is found
    if version > len(MIGRATIONS):
        raise StoreTooNew(f"the store has version {version}, known are up to {len(MIGRATIONS)}", where=str(store))
    if version < 1:
        raise StoreDamaged(f"the store says that it has version {version}", where=str(store))
    return version


def _copy(source: apsw.Connection, target: apsw.Connection, store: Path, version: int) -> list[str]:
    target.pragma("journal_mode", "memory")  # a file that is not complete needs no way back
    target.pragma("auto_vacuum", 2)
    migrate(target, str(store), MIGRATIONS[:version])
    tables = {name for (name,) in select(target, "SELECT name FROM sqlite_schema WHERE type = 'table'")}
    lost: list[str] = []
    with target:
        for table in (*_NUMBERED, *_KEYED):
            if table in tables:
                lost += _copy_table(source, target, table)
        lost += _mend_names(source, target) + _halves(target)
        _complete_meta(target, store)
    migrate(target, str(store))
    with target:
        lost += [f"state: {entry} is damaged, and left out" for entry in remove_damaged(target)]
        for column in ("type", "source", "target"):
            target.execute(f"INSERT OR IGNORE INTO span SELECT {column}, seq >> {SHIFT} FROM hop")
    return lost


def _copy_table(source: apsw.Connection, target: apsw.Connection, table: str) -> list[str]:
    columns = [name for (name,) in select(target, "SELECT name FROM pragma_table_info(?)", (table,))]
    insert = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"
    lost: list[str] = []
    refused = 0
    for row in _rows(source, table, columns, lost):
        try:
            target.execute(insert, row)
        except apsw.ConstraintError:  # a value of another kind, or one twice: no row that was ever written
            refused += 1
    if refused:
        lost.append(f"{refused} rows of {table} are not what was written, and left out")
    return lost


def _rows(source: apsw.Connection, table: str, columns: list[str], lost: list[str]) -> Iterator[tuple[object, ...]]:
    """The rows of a table that can be read; what cannot is added to ``lost``."""
    if table in _KEYED:
        yield from walk_keys(source, table, columns, _KEYED[table], lost)
        return
    walk = Walk(source, table, columns)
    yield from walk
    lost += [f"{table}: what had {hole} cannot be read" for hole in walk.holes]


def _mend_names(source: apsw.Connection, target: apsw.Connection) -> list[str]:
    """Each name stands in the file twice: what the table has lost, its index may have."""
    try:
        index = set(select(source, INDEX))
    except UNREADABLE:
        return []
    known = dict(select(target, "SELECT id, CAST(text AS BLOB) FROM word"))
    for number, text in sorted(index):
        if number not in known:
            target.execute("INSERT OR IGNORE INTO word VALUES (?, CAST(? AS TEXT))", (number, text))
    differing = [(number, text) for number, text in known.items() if (number, text) not in index]
    return [put_right(target, number, text, index) for number, text in differing]


def _halves(target: apsw.Connection) -> list[str]:
    """A message without its status and target cannot be delivered nor shown: it is left out. A status without its
    message stays: the opening parks what waits."""
    lost = [seq for (seq,) in select(target, _WITHOUT_HOP)]
    bare = [seq for (seq,) in select(target, _WITHOUT_MESSAGE)]
    target.execute(f"DELETE FROM message WHERE seq IN ({_WITHOUT_HOP})")
    told = []
    if lost:
        told.append(f"the status of {shown(lost, 'message')} is lost; they are not in the copy")
    if bare:
        told.append(f"the content of {shown(bare, 'message')} is lost; what waits of them is parked")
    return told


def _complete_meta(target: apsw.Connection, store: Path) -> None:
    """Who the node is, also where the database does not tell any more."""
    identity = read_identity(store.parent)
    if identity is not None:
        values = {"node": identity.node, "epoch": identity.epoch, "clean": 0, "first": identity.first}
        target.executemany(_META, list(values.items()))
