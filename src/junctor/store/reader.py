"""The archive of a store: what operators ask. Works beside a running node, and on its folder when it is down."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import apsw

from junctor.core.outcome import LogLine, Reply
from junctor.core.records import AlertRecord, Archive, AttemptRecord, Depth, HopLog, Note, ParkedGroup, Query, Record
from junctor.core.run import Run, RunQuery, Turn
from junctor.errors import NodeNotFound, StoreError, StoreTooNew
from junctor.store import queues
from junctor.store.connection import select
from junctor.store.identity import DATABASE
from junctor.store.readers import Readers
from junctor.store.records import read_failure, read_reply
from junctor.store.runs import count_open, find_run, list_runs, turns_of
from junctor.store.schema import MIGRATIONS
from junctor.store.search import search, sessions
from junctor.store.state import CommittedState, Entries
from junctor.store.words import Glossary

_PARKED = """
SELECT h.target, h.type, a.error, a.fingerprint, count(*),
       min(CASE h.started WHEN 0 THEN m.time ELSE h.started END),
       max(CASE h.started WHEN 0 THEN m.time ELSE h.started END), max(h.seq)
FROM hop AS h CROSS JOIN message AS m ON m.seq = h.seq
JOIN attempt AS a ON a.id = (SELECT max(id) FROM attempt WHERE seq = h.seq)
WHERE h.status = 4 AND h.status > 3 GROUP BY 1, 2, 3, 4 ORDER BY 5 DESC, 8 DESC
"""
_ATTEMPTS = "SELECT seq, attempt, started, duration, settlement, failure FROM attempt WHERE seq = ? ORDER BY id"
_LOGS = "SELECT seq, service, time, level, logger, text FROM log WHERE session = ? ORDER BY time, seq, id LIMIT ?"
# Words of blocks are services and types; an address is told by its stroke.
_ADDRESSES = """
SELECT CAST(text AS BLOB) FROM word AS w WHERE instr(text, '/') > 0 AND EXISTS (SELECT 1 FROM span WHERE word = w.id)
ORDER BY text
"""
_NOTES = "SELECT seq, time, who, text FROM note WHERE seq = ? ORDER BY id"
_ALERTS = "SELECT time, kind, service, text, command, seq FROM alert ORDER BY id DESC LIMIT ?"


class StoreArchive(Archive):
    """Answers from reading connections; see :class:`junctor.core.records.Archive`."""

    def __init__(self, readers: Readers) -> None:
        self._readers = readers

    def record(self, seq: int) -> Record | None:
        with self._readers.connection() as db:
            found = select(db, "SELECT seq FROM hop WHERE seq = ?", (seq,))
            return self._complete(db, [seq])[0] if found else None

    def search(self, query: Query) -> list[Record]:
        with self._readers.connection() as db:
            return self._complete(db, search(db, query))

    def session(self, session: int, after: int = 0, limit: int | None = None) -> list[Record]:
        with self._readers.connection() as db:
            sql = "SELECT seq FROM message WHERE session = ? AND seq > ? ORDER BY seq LIMIT ?"
            rows = select(db, sql, (session.to_bytes(16, "big"), after, -1 if limit is None else limit))
            return self._complete(db, [seq for (seq,) in rows])

    def sessions(self, digits: str, limit: int = 4) -> list[int]:
        with self._readers.connection() as db:
            return sessions(db, digits, limit)

    def addresses(self) -> list[str]:
        with self._readers.connection() as db:
            return [text.decode(errors="replace") for (text,) in select(db, _ADDRESSES)]

    def attempts(self, seqs: Iterable[int]) -> list[AttemptRecord]:
        with self._readers.connection() as db:
            rows = [row for seq in seqs for row in select(db, _ATTEMPTS, (seq,))]
            return [_attempt(*row) for row in rows]

    def logs(self, session: int, limit: int | None = None) -> list[HopLog]:
        with self._readers.connection() as db:
            rows = select(db, _LOGS, (session.to_bytes(16, "big"), -1 if limit is None else limit))
            words = self._readers.words
            return [HopLog(session, row[0], words.text(db, row[1]), LogLine(*row[2:])) for row in rows]

    def parked(self) -> list[ParkedGroup]:
        with self._readers.connection() as db:
            return [self._group(db, row) for row in select(db, _PARKED)]

    def runs(self, query: RunQuery) -> list[Run]:
        return list_runs(self._readers, query)

    def run(self, seq: int) -> Run | None:
        return find_run(self._readers, seq)

    def open_runs(self) -> dict[str, int]:
        return count_open(self._readers)

    def turns(self, seq: int, after: int = 0) -> list[Turn]:
        return turns_of(self._readers, seq, after)

    def notes(self, seqs: Iterable[int]) -> list[Note]:
        with self._readers.connection() as db:
            return [Note(*row) for seq in seqs for row in select(db, _NOTES, (seq,))]

    def alerts(self, limit: int = 50) -> list[AlertRecord]:
        with self._readers.connection() as db:
            return [AlertRecord(*row) for row in select(db, _ALERTS, (limit,))]

    def depths(self) -> dict[str, Depth]:
        return queues.depths(self._readers)

    def state(self, service: str, key: str) -> Entries:
        """The stored state of a service under a key: name to (JSON, version)."""
        return CommittedState(self._readers).read(service, key)

    def close(self) -> None:
        """Release the connections. Idempotent."""
        self._readers.close()

    def _complete(self, db: apsw.Connection, seqs: list[int]) -> list[Record]:
        records = queues.read_all(db, self._readers.words, seqs)
        for record in records:
            _add_result(db, self._readers.words, record)
        return records

    def _group(self, db: apsw.Connection, row: tuple[Any, ...]) -> ParkedGroup:
        target, kind, error, fingerprint, count, first, last, latest = row
        text = read_failure(select(db, queues.LAST_FAILURE, (latest,))[0][0]).text
        words = self._readers.words
        return ParkedGroup(
            words.text(db, target), words.text(db, kind), error, text, fingerprint, count, first, last, latest
        )


def open_archive(directory: Path) -> StoreArchive:
    """The archive of a node that may be down. Close it after use.

    :raises NodeNotFound: there is no store in the folder, or its node died before the first one was complete.
    :raises StoreTooNew: a newer Junctor wrote it.
    :raises StoreError: the store cannot be read, or an older Junctor wrote it and no node was started with it since.
    """
    path = directory / DATABASE
    if not path.exists():
        raise NodeNotFound("there is no store in this folder", where=str(directory))
    readers = Readers(path)
    # A rollback journal exists only while a store is made; to read past it, SQLite would have to write.
    version = 0 if path.with_name(f"{path.name}-journal").exists() else _version(readers)
    if version == 0:
        readers.close()
        raise NodeNotFound("the store in this folder was never completed", where=str(directory), fix="Start the node.")
    if version > len(MIGRATIONS):
        readers.close()
        raise StoreTooNew(f"the store has version {version}, known are up to {len(MIGRATIONS)}", where=str(path))
    if version < len(MIGRATIONS):
        readers.close()
        what = f"the store has version {version} of an older Junctor, today's is {len(MIGRATIONS)}"
        raise StoreError(what, where=str(path), fix="Start its node: that brings the store up to date.")
    return StoreArchive(readers)


def _version(readers: Readers) -> int:
    with readers.connection() as db:
        return int(db.pragma("user_version"))


def _attempt(seq: int, attempt: int, started: int, duration: int, settlement: str, failure: bytes) -> AttemptRecord:
    return AttemptRecord(seq, attempt, started, duration, settlement, read_failure(failure))


def _add_result(db: apsw.Connection, words: Glossary, record: Record) -> None:
    seq = record.message.seq
    for row in select(db, queues.REPLY, (seq,)):
        reply, record.late, damaged = read_reply(db, words, row)
        record.reply = Reply("damaged", b"null") if damaged else reply
        record.damaged = record.damaged or damaged
    for (failure,) in select(db, queues.LAST_FAILURE, (seq,)):
        record.failure = read_failure(failure)
