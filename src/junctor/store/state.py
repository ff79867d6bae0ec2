"""Committed state of services: read through a cache that commits keep current."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from junctor.core.outcome import StateWrite
from junctor.errors import StoreDamaged
from junctor.store.connection import select
from junctor.store.entries import BYTES, is_sound
from junctor.store.readers import Readers
from junctor.store.words import Glossary

_ENTRIES = f"SELECT {BYTES} FROM state WHERE service = ? AND key = ?"

CACHED_KEYS = 4096
CACHED_BYTES = 256 * 1024
"""State of a key above this size is read from the database each time."""

Entries = dict[str, tuple[bytes, int]]


class CommittedState:
    """State by service and key. Safe in several threads.

    The writer calls :meth:`note` after its commit, under the same lock that a reader holds from its question to the
    database until the answer is in the cache. So an answer from before a commit never stays after it.
    """

    def __init__(self, readers: Readers) -> None:
        self._readers = readers
        self._lock = threading.Lock()
        self._cache: dict[tuple[str, str], Entries] = {}

    def read(self, service: str, key: str) -> Entries:
        """Name to (JSON, version). The answer is never changed afterwards, and must not be.

        :raises StoreDamaged: an entry fails its checksum.
        """
        found = self._cache.get((service, key))
        if found is not None:
            return found
        with self._lock:
            entries = self._load(service, key)
            if sum(len(value) for value, _ in entries.values()) <= CACHED_BYTES:
                if len(self._cache) >= CACHED_KEYS:
                    del self._cache[next(iter(self._cache))]
                self._cache[(service, key)] = entries
            return entries

    def keys(self, service: str) -> list[str]:
        with self._readers.connection() as db:
            number = Glossary.number(db, service)
            rows = select(db, "SELECT DISTINCT key FROM state WHERE service = ? ORDER BY key", (number,))
            return [key for (key,) in rows]

    def note(self, written: Iterable[tuple[str, StateWrite]]) -> None:
        """Take over what was committed."""
        with self._lock:
            for service, write in written:
                known = self._cache.get((service, write.key))
                if known is not None:
                    self._cache[(service, write.key)] = _changed(known, write)

    def _load(self, service: str, key: str) -> Entries:
        with self._readers.connection() as db:
            number = Glossary.number(db, service)
            rows = select(db, _ENTRIES, (number, key))
        damaged = [row[2] for row in rows if not is_sound(row)]
        if damaged:
            raise _refused(service, key, damaged[0])
        return {name.decode(): (value, version) for _, _, name, version, value, _ in rows}


def _refused(service: str, key: str, name: object) -> StoreDamaged:
    shown = name.decode(errors="replace") if isinstance(name, bytes) else name
    return StoreDamaged(
        f"the state {shown!r} fails its checksum",
        where=f"{service}, key {key!r}" if key else service,
        fix="Restore a backup, or stop the node and let the rest be saved: junctor backup FILE --salvage.",
    )


def _changed(entries: Entries, write: StateWrite) -> Entries:
    # A new dictionary: a reader keeps the consistent view that it has.
    changed = dict(entries)
    if write.value is None:
        changed.pop(write.name, None)
    else:
        changed[write.name] = (write.value, write.expected + 1)
    return changed
