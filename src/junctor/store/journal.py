"""The one writer of a store: a thread with a connection that commits groups, and checkpoints by itself.

What a group becomes is one of four things. It is committed. Or the disk is full: refused is what comes from outside,
kept is the rest, tried again until it fits; but what somebody waits for is refused as well. Or one commit of it cannot
be written by its nature (a key that is no valid text): the commits are applied one by one and that one is refused. Or
the disk failed: then nothing can be said about the group any more, nothing is acknowledged and the journal is dead;
writing on after a failed fsync would acknowledge what the kernel may have dropped.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import apsw

from junctor.core.records import Commit
from junctor.errors import JunctorError, RecordRefused, StoreError, StoreFull, StoreVanished, text_of
from junctor.store.batch import Batch
from junctor.store.connection import set_pragma, store_error
from junctor.store.reserve import Reserve
from junctor.store.runs import RecentRuns
from junctor.store.words import Words

CHECKPOINT_PAGES = 2000
"""The log is copied into the database when it has so many pages (8 MiB). A smaller one stays in the caches of the
machine: measured 5 % faster than 16 MiB; a larger one syncs the database less often."""

_FATAL = (
    apsw.IOError,
    apsw.CorruptError,
    apsw.NotADBError,
    apsw.ReadOnlyError,
    apsw.CantOpenError,
    apsw.BusyError,
    apsw.LockedError,
    apsw.ProtocolError,
    apsw.PermissionsError,
    apsw.InternalError,
    apsw.MisuseError,
    apsw.NoMemError,
    MemoryError,
    StoreVanished,
)

_NOTHING_CHANGED = "Nothing was changed. Free disk space, then try again."

T = TypeVar("T")
Verdict = tuple[Commit, Exception | None]


@dataclass
class Report:
    """What became of the commits given so far, in order; ``dead`` when the journal ends here."""

    verdicts: list[Verdict] = field(default_factory=list)
    dead: StoreError | None = None

    def refuse(self, commit: Commit, error: Exception) -> None:
        """Nothing of it is stored, nor of what needs it."""
        commit.refused = error
        self.verdicts.append((commit, error))


class Journal:
    """Applies groups of commits. Used by one thread only.

    :param applied: called with each batch after its transaction is on the disk, before anybody is told.
    """

    def __init__(
        self, db: apsw.Connection, path: Path, epoch: int, reserve: Reserve, applied: Callable[[Batch], object]
    ) -> None:
        self._db = db
        self._path = path
        self._epoch = epoch
        self._reserve = reserve
        self._applied = applied
        self._words = Words(db)
        self._runs = RecentRuns()
        self._kept: list[Commit] = []
        self._synchronous = 2
        self._wal_pages = 0
        self.synced_pages = 0
        """Pages of the log that are on the disk."""
        self._checkpoint_at = CHECKPOINT_PAGES
        self._full = False
        self._file = _identity(path)
        self.dead: StoreError | None = None
        self.gave_up = False
        db.set_wal_hook(self._note_pages)

    @property
    def waiting(self) -> bool:
        """Whether the disk is full: then :meth:`apply` wants to be called from time to time, also with nothing."""
        return self._full

    def apply(self, commits: Sequence[Commit]) -> Report:
        """Commit a group. Never raises."""
        report = Report(dead=self.dead)
        if self.dead is not None:
            report.verdicts = [(commit, self.dead) for commit in commits]
            return report
        if self._full:
            commits = self._refuse_external(commits, report)
        group = [*self._kept, *commits]
        self._kept = []
        try:
            self._apply(group, report)
        except _FATAL as error:
            self._die(error, group, report)
        return report

    def _apply(self, group: Sequence[Commit], report: Report) -> None:
        try:
            batch, verdicts = self._transact(group)
        except Exception as error:
            if _is_full(error):
                self._meet_full(group, report)
            elif isinstance(error, apsw.CorruptError) and any(map(_only_removes, group)):
                rest = self._refuse_removals(group, error, report)
                if rest:
                    self._apply(rest, report)
            elif isinstance(error, _FATAL):
                raise
            elif len(group) > 1:
                self._apply_singly(group, report)
            else:
                report.refuse(group[0], _unwritable(error, self._path))
        else:
            report.verdicts += verdicts
            self._take_over(batch)

    def _apply_singly(self, group: Sequence[Commit], report: Report) -> None:
        """Find the commit that cannot be written; the others are."""
        for index, commit in enumerate(group):
            self._apply([commit], report)
            if self._kept:  # the disk became full: nothing may overtake what is kept
                self._kept += self._patient(self._refuse_external(group[index + 1 :], report), report)
                return

    def _refuse_removals(self, group: Sequence[Commit], error: Exception, report: Report) -> list[Commit]:
        """Damage is met by retention before anything that is owed: that ends no delivery. What else is in the group."""
        refusal = store_error(error, self._path, unchanged=True)
        report.verdicts += [(commit, refusal) for commit in group if _only_removes(commit)]
        return [commit for commit in group if not _only_removes(commit)]

    def keep(self, step: Callable[[apsw.Connection], T]) -> T:
        """Do a small piece of upkeep, when no group waits. A full disk or damage leaves the journal as it is.

        :raises StoreError: the database refuses; the journal is dead when its disk failed.
        """
        if self.dead is not None:
            raise self.dead
        try:
            self._still_there()
            self._set_synchronous(1)
            return step(self._db)
        except (apsw.Error, StoreVanished) as error:
            self._roll_back()
            if isinstance(error, _FATAL) and not isinstance(error, apsw.CorruptError) and not _is_full(error):
                self._die(error, [], Report())
            raise error if isinstance(error, StoreError) else store_error(error, self._path, unchanged=True) from error

    def _take_over(self, batch: Batch) -> None:
        """What follows a commit. Nothing here may raise: the commit stands."""
        self._words.committed()
        batch.committed()
        for commit, seq, earlier in batch.duplicates:
            commit.duplicates = {**(commit.duplicates or {}), seq: earlier}
        self._applied(batch)
        if self._full and self._reserve.restore():
            self._full = False

    def _transact(self, group: Sequence[Commit]) -> tuple[Batch, list[Verdict]]:
        """One transaction for the group.

        :raises apsw.Error: and nothing of it is stored, unless the error came from the disk.
        """
        self._still_there()
        self._want_synchronous(group)
        batch = Batch(self._db, self._words, self._epoch, self._runs)
        self._db.execute("BEGIN IMMEDIATE")
        try:
            verdicts: list[Verdict] = [(commit, batch.add(commit)) for commit in group]
            batch.write()
            self._db.execute("COMMIT")
        except BaseException:
            self._roll_back()
            raise
        return batch, verdicts

    def _still_there(self) -> None:
        """A database that was removed or replaced would take every commit and lose it with its last closing.

        :raises StoreVanished: the path leads elsewhere now.
        """
        if self._file is not None and _identity(self._path) != self._file:
            raise StoreVanished("the database was moved or removed while the node runs", where=str(self._path))

    def _roll_back(self) -> None:
        self._words.rolled_back()
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")

    def _want_synchronous(self, group: Sequence[Commit]) -> None:
        """FULL, unless every commit of the group is content with the operating system having it."""
        self._set_synchronous(1 if group and all(commit.durability == "written" for commit in group) else 2)

    def _set_synchronous(self, wanted: int) -> None:
        if wanted != self._synchronous:
            set_pragma(self._db, "synchronous", wanted, self._path)
            self._synchronous = wanted

    # A full disk ---------------------------------------------------------------------------------------------

    def _meet_full(self, group: Sequence[Commit], report: Report) -> None:
        """Refuse what comes from outside, then write the rest with the room that the reserve gives, or keep it."""
        self._full = True
        freed = self._reserve.give_up()
        rest = self._refuse_external(group, report)
        if rest and (freed or len(rest) < len(group)):
            self._apply(rest, report)
        else:
            self._kept = self._patient(rest, report)

    def _refuse_external(self, commits: Sequence[Commit], report: Report) -> list[Commit]:
        where = str(self._path.parent)
        for commit in commits:
            if commit.external:
                report.refuse(commit, StoreFull("the disk is full", where=where))
        return [commit for commit in commits if not commit.external]

    def _patient(self, commits: Sequence[Commit], report: Report) -> list[Commit]:
        """Those that can be kept until there is room; the others are refused."""
        where = str(self._path.parent)
        for commit in commits:
            if commit.at_once:
                full = StoreFull("the disk is full, and its reserve is used up", where=where, fix=_NOTHING_CHANGED)
                report.refuse(commit, full)
        return [commit for commit in commits if not commit.at_once]

    # Ends ----------------------------------------------------------------------------------------------------

    def _die(self, error: BaseException, group: Sequence[Commit], report: Report) -> None:
        dead = error if isinstance(error, StoreError) else store_error(error, self._path)
        self.dead = report.dead = dead
        told = {id(commit) for commit, _ in report.verdicts}
        lost = [commit for commit in group if id(commit) not in told]
        report.verdicts += [(commit, self.dead) for commit in lost]

    def give_up(self) -> Report:
        """Refuse what a full disk still keeps back; the node is closing."""
        kept, self._kept = self._kept, []
        self.gave_up = bool(kept)
        full = StoreFull("the disk is still full, the node is closing", where=str(self._path.parent))
        return Report([(commit, full) for commit in kept])

    # Checkpoints ---------------------------------------------------------------------------------------------

    def _note_pages(self, db: apsw.Connection, name: str, pages: int) -> int:
        self._wal_pages = pages
        if self._synchronous == 2:
            self.synced_pages = pages
        return apsw.SQLITE_OK

    @property
    def checkpoint_is_due(self) -> bool:
        return self._wal_pages >= self._checkpoint_at and self.dead is None

    def checkpoint(self) -> Report:
        """Copy the log into the database. To be called after the last group is told: it takes milliseconds.

        A reader can hold a part of it back; then once more a quarter later.
        """
        report = Report()
        pages, copied = self._wal_pages, 0
        try:
            pages, copied = self._db.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        except apsw.FullError:
            pass  # the database cannot grow; the log keeps what is committed
        except _FATAL as error:
            self._die(error, [], report)
        complete = copied >= pages
        self._checkpoint_at = CHECKPOINT_PAGES if complete else pages + CHECKPOINT_PAGES // 4
        self._wal_pages = 0 if complete else pages
        return report


def _identity(path: Path) -> tuple[int, int] | None:
    """Device and inode of a file; None where there is none, as behind a file system of SQLite's own."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _only_removes(commit: Commit) -> bool:
    others = commit.inserts, commit.settles, commit.claims, commit.writes, commit.logs, commit.alerts, commit.notes
    return bool(commit.removes) and not any(others)


def _is_full(error: BaseException) -> bool:
    """A WAL index that cannot grow is a full disk too, though SQLite calls it an I/O error."""
    return isinstance(error, apsw.FullError) or getattr(error, "extendedresult", 0) == apsw.SQLITE_IOERR_SHMSIZE


def _unwritable(error: Exception, path: Path) -> JunctorError:
    if isinstance(error, JunctorError):
        return error
    return RecordRefused(f"the record cannot be stored: {type(error).__name__}: {text_of(error)}", where=str(path))
