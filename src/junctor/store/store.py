"""A store that is open for writing: the folder, its lock, the journal and the readers, put together and taken apart."""

from __future__ import annotations

import time
from pathlib import Path

import apsw

from junctor.core.records import Opened
from junctor.store import queues
from junctor.store.batch import Batch
from junctor.store.connection import open_writer, select, store_error
from junctor.store.identity import (
    DAMAGED,
    DATABASE,
    LOCK,
    RESERVE,
    Identity,
    keep_identity,
    new_identity,
    prepare,
    read_identity,
    write_durably,
)
from junctor.store.journal import Journal
from junctor.store.lock import StoreLock
from junctor.store.reader import StoreArchive
from junctor.store.readers import Readers
from junctor.store.reserve import RESERVE_BYTES, Reserve
from junctor.store.schema import migrate
from junctor.store.state import CommittedState
from junctor.store.wal import Rejected, rejected


class Store:
    """Opened and used by the writing thread; ``archive``, ``state`` and ``readers`` may be used by any.

    :param vfs: name of a registered SQLite file system, for tests of crashes and power cuts.
    :raises StoreLocked: another node has the folder open.
    :raises StoreTooNew: a newer Junctor wrote it.
    :raises StoreError: the folder or database cannot be used.
    """

    def __init__(self, directory: Path, vfs: str | None = None, reserve: int = RESERVE_BYTES) -> None:
        self.directory = directory
        self._path = directory / DATABASE
        self._lock = StoreLock(directory / LOCK)
        prepare(directory)
        self._lock.acquire()
        try:
            self._db = open_writer(self._path, vfs)
            try:
                self._set_up(vfs, Reserve(directory / RESERVE, reserve))
            except BaseException:
                self._db.close(True)
                raise
        except BaseException as error:
            self._lock.release()
            if isinstance(error, apsw.Error):
                raise store_error(error, self._path, unchanged=True) from error
            raise

    def _set_up(self, vfs: str | None, reserve: Reserve) -> None:
        warnings: list[str] = []
        rejected_tail = self._rejected_tail()
        migrate(self._db, str(self._path))
        if rejected_tail is not None:
            warnings.append(self._set_aside(rejected_tail, reserve))
        self._begin_log()
        identity, first = _identify(self._db, self.directory, warnings)
        epoch, clean = _begin(self._db, identity, first)
        # The file is second: where it is, the database had its node, and one without has been lost.
        keep_identity(self.directory, identity)
        self.readers = Readers(self._path, vfs)
        self.archive = StoreArchive(self.readers)
        self.state = CommittedState(self.readers)
        reserve.restore()
        self.journal = Journal(self._db, self._path, epoch, reserve, self._applied)
        self.first_number = first
        self.opened = Opened(
            identity.node,
            epoch,
            clean,
            queues.depths(self.readers),
            queues.suspects(self.readers),
            queues.next_due(self.readers),
            warnings,
        )

    def _rejected_tail(self) -> Rejected | None:
        """What SQLite dropped of the log of the last run. To be asked before anything is written over it."""
        select(self._db, "SELECT 1 FROM sqlite_schema LIMIT 1")  # reads the log
        accepted, _ = self._db.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_NOOP)
        return rejected(self._path.with_name(f"{self._path.name}-wal"), max(accepted, 0))

    def _set_aside(self, tail: Rejected, reserve: Reserve) -> str:
        """Keep a copy of what was rejected; the warning about it."""
        folder = self.directory / DAMAGED
        folder.mkdir(mode=0o700, exist_ok=True)
        copy = folder / f"wal-{time.time_ns()}.bin"
        try:
            write_durably(copy, tail.data)
        except OSError:
            # A full disk must not keep the node from starting: this is what the reserve is for.
            if not reserve.give_up():
                raise
            write_durably(copy, tail.data)
        last = select(self._db, "SELECT max(seq) FROM message")[0][0] or 0
        what = "is damaged" if tail.certain else "was not complete, as after a power cut"
        return (
            f"the end of the log {what}: {tail.frames} pages written after record {last} are not used and kept in"
            f" {copy}; messages accepted at the end of the last run may be missing"
        )

    def _begin_log(self) -> None:
        """Start a log of our own. If it went on behind the accepted part, what SQLite rejected would still stand there
        after the next crash, and look as if something acknowledged came behind something damaged."""
        try:
            self._db.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
        except (apsw.BusyError, apsw.LockedError, apsw.FullError):
            pass  # Somebody reads, or the disk is full: then the log goes on.

    def _applied(self, batch: Batch) -> None:
        if batch.written:
            self.state.note(batch.written)

    def close(self) -> None:
        """Mark as cleanly closed, unless the journal died, and release everything."""
        # SQLite would copy the log into the database when it closes. After a failed sync nobody knows what the kernel
        # still has of the log; the next opening reads it from the disk and verifies it.
        self._db.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
        try:
            if self.journal.dead is None:
                _end(self._db)
                self._db.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0)
        except apsw.Error as error:
            raise store_error(error, self._path) from error
        finally:
            self.readers.close()
            self._db.close(True)
            self._lock.release()


def _identify(db: apsw.Connection, directory: Path, warnings: list[str]) -> tuple[Identity, int]:
    """The node's identity, and the first free record number."""
    identity = read_identity(directory)
    known = _meta(db, "node")
    if known is None:
        first = 1
        if identity is not None:
            # The numbers of the lost database were seen by others as ids: begin where it cannot have been.
            first = int(time.time()) << 20
            warnings.append(f"the database was missing beside {directory}/node.json; the new one counts from {first}")
        return identity or new_identity(), first
    if identity is None or identity.node != known:
        # Without the file, and behind a first run that did not close, the node was killed between the two.
        if identity is not None or _meta(db, "epoch") != 1 or _meta(db, "clean"):
            warnings.append(f"the identity file did not belong to the database; the node goes on as {known}")
        identity = new_identity(str(known))
    highest = select(db, "SELECT max(seq) FROM message")[0][0] or 0
    return identity, max(int(highest) + 1, int(_meta(db, "first") or 1))


def _begin(db: apsw.Connection, identity: Identity, first: int) -> tuple[int, bool]:
    """Count this opening and take the mark of a clean end away. The epoch, and whether the mark was there."""
    epoch = int(_meta(db, "epoch") or 0) + 1
    clean = bool(_meta(db, "clean")) if epoch > 1 else True
    with db:
        for name, value in (("node", identity.node), ("epoch", epoch), ("clean", 0), ("first", first)):
            db.execute("INSERT OR REPLACE INTO meta VALUES (?,?)", (name, value))
    return epoch, clean


def _end(db: apsw.Connection) -> None:
    with db:
        db.execute("UPDATE hop SET status = 0 WHERE status = 1 AND status < 3")
        db.execute("UPDATE meta SET value = 1 WHERE name = 'clean'")
    db.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)


def _meta(db: apsw.Connection, name: str) -> str | int | None:
    rows = select(db, "SELECT value FROM meta WHERE name = ?", (name,))
    return rows[0][0] if rows else None
