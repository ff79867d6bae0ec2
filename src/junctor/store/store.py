"""A store that is open for writing: the folder, its lock, the journal and the readers, put together and taken apart."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar

import apsw

from junctor.core.records import Opened
from junctor.store import epoch, queues
from junctor.store.batch import Batch
from junctor.store.connection import open_writer, select, store_error
from junctor.store.identity import (
    DAMAGED,
    DATABASE,
    LOCK,
    RESERVE,
    keep_identity,
    prepare,
    write_durably,
)
from junctor.store.journal import Journal
from junctor.store.lock import StoreLock
from junctor.store.mark import SECONDS, LogMark
from junctor.store.mend import mend
from junctor.store.reader import StoreArchive
from junctor.store.readers import Readers
from junctor.store.reserve import RESERVE_BYTES, Reserve
from junctor.store.restore import install_restored
from junctor.store.schema import migrate
from junctor.store.state import CommittedState
from junctor.store.wal import Rejected, rejected

T = TypeVar("T")


class Store:
    """Opened and used by the writing thread; ``archive``, ``state`` and ``readers`` may be used by any.

    :param vfs: name of a registered SQLite file system, for tests of crashes and power cuts.
    :param mark: seconds between two marks of how long the log is, see :class:`junctor.store.mark.LogMark`.
    :raises StoreLocked: another node has the folder open.
    :raises StoreTooNew: a newer Junctor wrote it.
    :raises StoreError: the folder or database cannot be used.
    """

    def __init__(
        self, directory: Path, vfs: str | None = None, reserve: int = RESERVE_BYTES, mark: float = SECONDS
    ) -> None:
        self.directory = directory
        self.path = directory / DATABASE
        self.mark = LogMark(self.path, mark)
        self._lock = StoreLock(directory / LOCK)
        prepare(directory)
        self._lock.acquire()
        try:
            install_restored(directory)
            alone = vfs is None and _is_alone(self.path)
            self._db = open_writer(self.path, vfs)
            try:
                self._set_up(vfs, Reserve(directory / RESERVE, reserve), alone)
            except BaseException:
                self._db.close(True)
                raise
        except BaseException as error:
            self._lock.release()
            if isinstance(error, apsw.Error | OSError):
                raise store_error(error, self.path, unchanged=True) from error
            raise

    def _set_up(self, vfs: str | None, reserve: Reserve, alone: bool) -> None:
        warnings: list[str] = []
        rejected_tail = self._rejected_tail(alone, warnings)
        migrate(self._db, str(self.path))
        if rejected_tail is not None:
            warnings.append(self._set_aside(rejected_tail, reserve))
        self._begin_log()
        warnings += mend(self._db)
        opening = epoch.begin(self._db, self.path, alone, warnings)
        # The file is second: where it is, the database had its node, and one without has been lost.
        keep_identity(self.directory, opening.identity)
        self.readers = Readers(self.path, vfs)
        self.archive = StoreArchive(self.readers)
        self.state = CommittedState(self.readers)
        reserve.restore()
        self.journal = Journal(self._db, self.path, opening.epoch, reserve, self._applied)
        self.first_number = opening.first
        self.opened = Opened(
            opening.identity.node,
            opening.epoch,
            opening.clean,
            queues.depths(self.readers),
            queues.suspects(self.readers),
            queues.next_due(self.readers),
            warnings,
        )

    def _rejected_tail(self, alone: bool, warnings: list[str]) -> Rejected | None:
        """What SQLite dropped of the log of the last run. To be asked before anything is written over it."""
        select(self._db, "SELECT 1 FROM sqlite_schema LIMIT 1")  # reads the log
        accepted, _ = self._db.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_NOOP)
        tail = rejected(self.path.with_name(f"{self.path.name}-wal"), max(accepted, 0))
        story = self.mark.missing(max(accepted, 0)) if tail is None and not alone else None
        warnings += [story] if story else []
        return tail

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
        self.mark.clear()
        try:
            self._db.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
        except (apsw.BusyError, apsw.LockedError, apsw.FullError):
            pass  # Somebody reads, or the disk is full: then the log goes on.

    def _applied(self, batch: Batch) -> None:
        if batch.written:
            self.state.note(batch.written)

    def keep(self, step: Callable[[apsw.Connection], T]) -> T:
        """Do a small piece of upkeep; see :meth:`junctor.store.journal.Journal.keep`."""
        return self.journal.keep(step)

    def close(self) -> None:
        """Mark as cleanly closed, unless the journal died, and release everything."""
        # SQLite would copy the log into the database when it closes. After a failed sync nobody knows what the kernel
        # still has of the log; the next opening reads it from the disk and verifies it.
        self._db.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
        try:
            if self.journal.dead is None:
                self.mark.clear()
                epoch.end(self._db)
                self._db.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0)
        except apsw.Error as error:
            # Where all is stored and only the mark has no room, the next opening takes over, as after a kill.
            if self.journal.gave_up or not isinstance(error, apsw.FullError):
                raise store_error(error, self.path) from error
        finally:
            self._release()

    def _release(self) -> None:
        """Let go of everything, each part whatever the disk said to the one before.

        :raises StoreError: the disk failed meanwhile.
        """
        try:
            with ExitStack() as parts:
                parts.callback(self._lock.release)
                parts.callback(self._db.close, True)
                parts.callback(self.readers.close)
        except apsw.Error as error:
            raise store_error(error, self.path) from error


def _is_alone(path: Path) -> bool:
    """Whether a database lies there without a log."""
    return path.exists() and path.stat().st_size > 0 and not path.with_name(f"{path.name}-wal").exists()
