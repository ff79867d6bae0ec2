"""Reading connections, lent to one thread at a time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw

from junctor.errors import StoreError
from junctor.store.connection import drop, open_reader, store_error
from junctor.store.words import Glossary

IDLE = 4
"""Connections kept open between questions; more are opened when more threads ask at once."""


class Readers:
    """The reading side's way to the database. Every question sees all commits that were told done before it."""

    def __init__(self, path: Path, vfs: str | None = None) -> None:
        self._path = path
        self._vfs = vfs
        self._idle: list[apsw.Connection] = []
        self._lock = threading.Lock()
        self._closed = False
        self.words = Glossary()

    @contextmanager
    def connection(self) -> Iterator[apsw.Connection]:
        """A connection for the length of the block. Fetch all rows of a statement: an open one holds back checkpoints.

        :raises StoreDamaged: a page cannot be read.
        :raises StoreError: the database cannot be read.
        """
        db = self._take()
        try:
            yield db
        except (apsw.Error, UnicodeDecodeError) as error:
            drop(db)
            raise store_error(error, self._path, unchanged=True) from error
        except BaseException:
            drop(db)
            raise
        self._give_back(db)

    def close(self) -> None:
        """Close what is idle now, and the others as they come back."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for db in idle:
            db.close()

    def _take(self) -> apsw.Connection:
        with self._lock:
            if self._closed:
                raise StoreError("the store is closed", where=str(self._path), fix="Ask while the node runs.")
            if self._idle:
                return self._idle.pop()
        return open_reader(self._path, self._vfs)

    def _give_back(self, db: apsw.Connection) -> None:
        with self._lock:
            if not self._closed and len(self._idle) < IDLE:
                self._idle.append(db)
                return
        db.close()
