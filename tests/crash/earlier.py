"""Stores as earlier versions of Junctor left them, made from a store of today."""

from __future__ import annotations

from pathlib import Path

import apsw

from junctor.store.schema import APPLICATION, MIGRATIONS


def made_version_1(database: Path) -> None:
    """Turn the database of a closed store into one of schema version 1, with the same records."""
    today = apsw.Connection(str(database), flags=apsw.SQLITE_OPEN_READONLY)
    earlier = database.with_name("earlier.db")
    past = apsw.Connection(str(earlier))
    try:
        past.pragma("auto_vacuum", 2)
        past.pragma("journal_mode", "wal")
        past.execute(MIGRATIONS[0])
        past.pragma("user_version", 1)
        past.pragma("application_id", APPLICATION)
        for (table,) in past.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall():
            _copy(today, past, table)
    finally:
        today.close()
        past.close()
    for old in database.parent.glob("junctor.db*"):
        old.unlink()
    earlier.rename(database)


def _copy(today: apsw.Connection, past: apsw.Connection, table: str) -> None:
    """The columns that there were then."""
    columns = ",".join(name for _, name, *_ in past.execute(f"PRAGMA table_info({table})"))
    rows = today.execute(f"SELECT {columns} FROM {table}").fetchall()
    with past:
        past.executemany(f"INSERT INTO {table} VALUES ({','.join('?' * (columns.count(',') + 1))})", rows)
