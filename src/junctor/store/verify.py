"""A whole store read once, from outside: every page, record, reply, failure and run with its history, all state."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import apsw
import msgspec

from junctor.core.outcome import Failure
from junctor.errors import StoreError, StoreTooNew
from junctor.store import queues
from junctor.store.connection import open_reader, select, store_error
from junctor.store.entries import damaged_entries
from junctor.store.records import read_reply
from junctor.store.runs import is_damaged
from junctor.store.schema import APPLICATION, MIGRATIONS
from junctor.store.words import Glossary

BLOCK = 1000
"""Records read at once."""

_NUMBERS = "SELECT seq FROM hop NOT INDEXED WHERE seq > ? ORDER BY seq LIMIT ?"
_REPLIES = "SELECT seq, type, version, late, checksum, payload FROM reply WHERE seq > ? ORDER BY seq LIMIT ?"
_ATTEMPTS = "SELECT id, seq, failure FROM attempt WHERE id > ? ORDER BY id LIMIT ?"
_RUNS = "SELECT seq FROM run WHERE seq > ? ORDER BY seq LIMIT ?"
_WITHOUT_RUN = "SELECT DISTINCT run FROM turn WHERE run NOT IN (SELECT seq FROM run)"
_WITHOUT_HOP = "SELECT count(*) FROM message AS m WHERE NOT EXISTS (SELECT 1 FROM hop WHERE seq = m.seq)"

_is_failure = msgspec.json.Decoder(Failure).decode


@dataclass
class Verified:
    """What a store holds. ``damaged`` are the numbers of the records of which a part is not what was written.

    ``problems`` say in sentences what is wrong with the file as a whole, ``state`` has the entries of state that fail
    their checksums, in words. Empty lists: it is sound.
    """

    records: int = 0
    damaged: list[int] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    state: list[str] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        return not self.damaged and not self.problems and not self.state


def verify(path: Path) -> Verified:
    """Read everything that is stored in a database and compare it with its checksums. Changes nothing.

    Works beside a running node: what it commits meanwhile may be read or not.

    :param path: the file of the database, with the log beside it if there is one.
    :raises StoreTooNew: a newer Junctor wrote it.
    :raises StoreError: it cannot be opened, or is no store of today's version.
    """
    db = open_reader(path)
    try:
        _require_store(db, path)
        found = Verified()
        _check_pages(db, found)
        _check_all(db, found)
        found.damaged = sorted(set(found.damaged))
        return found
    except apsw.Error as error:
        raise store_error(error, path, unchanged=True) from error
    finally:
        db.close(True)


def _require_store(db: apsw.Connection, path: Path) -> None:
    version = int(db.pragma("user_version"))
    if db.pragma("application_id") != APPLICATION:
        raise StoreError("this is no store", where=str(path), fix="Name the file of a store or of a backup.")
    if version > len(MIGRATIONS):
        raise StoreTooNew(f"the store has version {version}, known are up to {len(MIGRATIONS)}", where=str(path))
    if version < len(MIGRATIONS):
        raise StoreError(
            f"the store has version {version}, today's is {len(MIGRATIONS)}",
            where=str(path),
            fix="Start its node once; that brings it up.",
        )


def _check_pages(db: apsw.Connection, found: Verified) -> None:
    try:
        told = [text for (text,) in select(db, "PRAGMA integrity_check(100)")]
    except (apsw.Error, UnicodeDecodeError) as error:
        told = [f"{type(error).__name__}: {error}"]
    found.problems += [f"SQLite: {text}" for text in told if text != "ok"]


def _check_all(db: apsw.Connection, found: Verified) -> None:
    """Each part for itself: where one cannot be listed any further, the others still are."""
    words = Glossary()
    for what, check in (
        ("records", _check_records),
        ("replies", _check_replies),
        ("failures", _check_failures),
        ("runs", _check_runs),
        ("state", _check_state),
    ):
        try:
            check(db, words, found)
        except (apsw.CorruptError, UnicodeDecodeError) as error:
            found.problems.append(f"the {what} cannot be read to the end: {error}")


def _check_records(db: apsw.Connection, words: Glossary, found: Verified) -> None:
    after = -(2**63)
    while numbers := [seq for (seq,) in select(db, _NUMBERS, (after, BLOCK))]:
        found.damaged += [r.message.seq for r in queues.read_all(db, words, numbers) if r.damaged]
        found.records += len(numbers)
        after = numbers[-1]
    without = select(db, _WITHOUT_HOP)[0][0]
    if without:
        found.problems.append(f"{without} messages have no status")


def _check_replies(db: apsw.Connection, words: Glossary, found: Verified) -> None:
    after = -(2**63)
    while rows := select(db, _REPLIES, (after, BLOCK)):
        found.damaged += [row[0] for row in rows if read_reply(db, words, row)[2]]
        after = rows[-1][0]


def _check_failures(db: apsw.Connection, words: Glossary, found: Verified) -> None:
    after = -(2**63)
    while rows := select(db, _ATTEMPTS, (after, BLOCK)):
        found.damaged += [seq for _, seq, failure in rows if not _decodes(failure)]
        after = rows[-1][0]


def _check_runs(db: apsw.Connection, words: Glossary, found: Verified) -> None:
    after = -(2**63)
    while numbers := [seq for (seq,) in select(db, _RUNS, (after, BLOCK))]:
        found.damaged += [seq for seq in numbers if is_damaged(db, words, seq)]
        after = numbers[-1]
    found.damaged += [seq if isinstance(seq, int) else 0 for (seq,) in select(db, _WITHOUT_RUN)]


def _check_state(db: apsw.Connection, words: Glossary, found: Verified) -> None:
    found.state = damaged_entries(db)


def _decodes(failure: bytes) -> bool:
    try:
        _is_failure(failure)
    except msgspec.MsgspecError:
        return False
    return True
