"""The checksum of an entry of state, and what an opening reads about all of them.

A handler that reads another value than it wrote goes on from it, and nobody is told. So an entry has a checksum over
everything that it is: the service, key and name it is found by, its version and its value. It is verified when it is
read. What is found by something damaged is not found: a handler would read nothing, as if nothing had been written.
No reading notices that, so each opening reads all entries.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from zlib import crc32

import apsw

from junctor.store.connection import select
from junctor.store.words import Glossary

ENTRY = ("service", "key", "name", "version", "value", "checksum")

BYTES = "service, CAST(key AS BLOB), CAST(name AS BLOB), version, value, checksum"
"""The columns of :data:`ENTRY`, text as bytes: damaged text may be none, and the statement would fail with it."""

_ALL = f"SELECT {BYTES} FROM state"
_REMOVE = "DELETE FROM state WHERE service = ? AND key = CAST(? AS TEXT) AND name = CAST(? AS TEXT)"

SHOWN = 10
"""Entries that are named in a warning."""


def entry_checksum(service: int, key: bytes, name: bytes, version: int, value: bytes) -> int:
    """CRC-32 of an entry. Key and name are UTF-8."""
    return crc32(value, crc32(b"%d\n%d\n%d\n%b%b" % (service, version, len(key), key, name)))


def entry_row(service: int, key: str, name: str, version: int, value: bytes) -> tuple[int, str, str, int, bytes, int]:
    """An entry as a row of :data:`ENTRY`."""
    return service, key, name, version, value, entry_checksum(service, key.encode(), name.encode(), version, value)


def is_sound(row: tuple[Any, ...]) -> bool:
    """Whether service, key, name, version and value are those that the checksum, the last of them, was made of."""
    service, key, name, version, value, check = row
    if not (isinstance(service, int) and isinstance(version, int)):
        return False
    texts = isinstance(key, bytes) and isinstance(name, bytes) and isinstance(value, bytes)
    return texts and entry_checksum(service, key, name, version, value) == check


def register(db: apsw.Connection) -> None:
    """Make the checksum known to the scripts that bring a store up, as ``entry_checksum`` of a row of :data:`ENTRY`."""

    def computed(*entry: Any) -> int:
        return entry_row(*entry)[-1]

    db.create_scalar_function("entry_checksum", computed, 5, deterministic=True)


def mend_entries(db: apsw.Connection) -> list[str]:
    """Read all entries, and whether the pages they are on are whole. Changes nothing: what is damaged is refused when
    it is read. Two seconds for a million small entries.

    :returns: warnings.
    """
    fix = "stop the node, `junctor backup FILE --salvage` copies the others"
    damaged = damaged_entries(db)
    if damaged:
        return [f"state is damaged: {shown(damaged)}; nothing reads it; {fix}"]
    told = [text for (text,) in select(db, "PRAGMA quick_check('state')") if text != "ok"]
    return [f"the table of state is damaged, entries may be missing: {told[0]}; {fix}"] if told else []


def damaged_entries(db: apsw.Connection) -> list[str]:
    """The damaged entries, each in words."""
    words = Glossary()
    return [_named(db, words, row) for row in _damaged(db)]


def remove_damaged(db: apsw.Connection) -> list[str]:
    """Delete the damaged entries; each in words. For the writing connection, in a transaction."""
    words, rows = Glossary(), list(_damaged(db))
    db.executemany(_REMOVE, [row[:3] for row in rows])
    return [_named(db, words, row) for row in rows]


def shown(entries: list[str]) -> str:
    return ", ".join(entries[:SHOWN]) + (", ..." if len(entries) > SHOWN else "")


def _damaged(db: apsw.Connection) -> Iterator[tuple[Any, ...]]:
    return (row for row in db.execute(_ALL) if not is_sound(row))


def _named(db: apsw.Connection, words: Glossary, row: tuple[Any, ...]) -> str:
    service, key, name, *_ = row
    return f"{_text(name)!r} of {words.text(db, service)}" + (f", key {_text(key)!r}" if key else "")


def _text(data: object) -> str:
    return data.decode(errors="replace") if isinstance(data, bytes) else repr(data)
