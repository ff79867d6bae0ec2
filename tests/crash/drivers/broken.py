"""Stores that are broken on purpose, each in one way: the checker has to notice, else finding nothing means nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from junctor.core.records import Commit, Record
from junctor.errors import StoreFull
from junctor.store import journal, records, schema, store
from junctor.store.journal import Journal, Report
from junctor.store.mark import LogMark
from junctor.transports.sqlite import SqliteTransport

_commit = SqliteTransport.commit
_die = Journal._die
_refuse = Journal._refuse_external
_read = records._read_record


def _early(self: Any, commit: Commit) -> None:
    """Tells senders before anything is written."""
    if commit.external:
        done, commit.done = commit.done, _quiet
        done(commit, None)
    _commit(self, commit)


def _apart(self: Any, commit: Commit) -> None:
    """Commits the effects of a delivery before its acknowledgement, which comes with the next commit."""
    late = self.__dict__.setdefault("_late", [])
    if commit.settles and commit.writes:
        rest = Commit(_quiet, settles=commit.settles)
        commit.settles = ()
        late.append(rest)
        self._loop.call_later(0.002, lambda: _commit(self, late.pop(0)))
    _commit(self, commit)


def _forgetful(self: Any, commit: Commit) -> None:
    """Knows no duplicates."""
    for insert in commit.inserts:
        insert.message = msgspec.structs.replace(insert.message, origin=None)
    _commit(self, commit)


def _quiet(commit: Commit, error: Exception | None) -> None: ...


def _deaf(self: Journal, error: BaseException, group: Sequence[Commit], report: Report) -> None:
    """Takes an error of the disk for a success."""
    report.verdicts += [(commit, None) for commit in group]


def _mute(self: Journal, error: BaseException, group: Sequence[Commit], report: Report) -> None:
    """Tells nobody that the disk has failed."""


def _greedy(self: Journal, commits: Sequence[Commit], report: Report) -> list[Commit]:
    """Accepts what a full disk does not take."""
    mine = Report()
    rest = _refuse(self, commits, mine)
    report.verdicts += [(commit, None if isinstance(error, StoreFull) else error) for commit, error in mine.verdicts]
    return rest


def _blind(*row: Any) -> Record:
    """Does not look at checksums."""
    record = _read(*row)
    record.damaged = False
    return record


def _silent() -> None:
    """Takes what is left of a log for all of it."""
    store.rejected = lambda path, accepted: None  # type: ignore[attr-defined]
    LogMark.missing = lambda self, accepted: None  # type: ignore[method-assign]


def _lossy() -> None:
    """A migration that leaves out a part."""
    some = "".join(f"DELETE FROM {table} WHERE seq % 3 = 0;" for table in ("message", "hop", "reply"))
    steps = (schema.MIGRATIONS[0], schema.MIGRATIONS[1] + some, *schema.MIGRATIONS[2:])
    store.migrate = lambda db, where: schema.migrate(db, where, steps)  # type: ignore[attr-defined]


_WAYS: dict[str, Callable[[], None]] = {
    "early": lambda: setattr(SqliteTransport, "commit", _early),
    "apart": lambda: setattr(SqliteTransport, "commit", _apart),
    "forgetful": lambda: setattr(SqliteTransport, "commit", _forgetful),
    "deaf": lambda: setattr(Journal, "_die", _deaf),
    "mute": lambda: setattr(Journal, "_die", _mute),
    "greedy": lambda: setattr(Journal, "_refuse_external", _greedy),
    "untyped": lambda: setattr(journal, "store_error", lambda error, path: error),
    "blind": lambda: setattr(records, "_read_record", _blind),
    "silent": _silent,
    "lossy": _lossy,
}


def break_(way: str) -> None:
    """Break the store of this process in a way, for good."""
    _WAYS[way]()
