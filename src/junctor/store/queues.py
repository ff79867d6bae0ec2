"""What the engine reads: the queues, what a crash left behind, what a delivery sent before."""

from __future__ import annotations

from array import array
from typing import Any

import apsw

from junctor.core.records import Depth, Record, Sent, Stored
from junctor.messages import Status
from junctor.store.connection import select
from junctor.store.readers import Readers
from junctor.store.records import SELECT_STORED, damaged_record, read_failure, read_record, read_reply, stored
from junctor.store.words import Glossary

# `status < 3` is said again beside each status, literally: only then SQLite sees that the partial index fits.
_READY = "SELECT seq FROM hop WHERE target = ? AND status = 0 AND status < 3 AND seq > ? ORDER BY seq LIMIT ?"
_READY_LINE = (
    "SELECT seq FROM hop WHERE target = ? AND status = 0 AND key = ? AND key IS NOT NULL AND seq > ?"
    " ORDER BY seq LIMIT ?"
)
_DUE = "SELECT seq FROM hop WHERE status = 2 AND due <= ? AND target = ? ORDER BY due, seq LIMIT ?"
_NEXT_DUE = "SELECT min(due) FROM hop WHERE status = 2 AND due > ?"
_DEPTHS = "SELECT target, count(*), sum(size) FROM hop WHERE status < 3 GROUP BY target"
_SUSPECTS = """
SELECT h.seq FROM hop AS h INDEXED BY hop_queue WHERE h.status < 3
   AND (h.status = 1 OR h.status = 2 AND (h.attempt > 0 OR (SELECT due FROM message WHERE seq = h.seq) = 0))
ORDER BY h.seq
"""
_SENT = """
SELECT m.seq, m.origin, h.status FROM message AS m JOIN hop AS h ON h.seq = m.seq
WHERE m.cause = ? AND m.origin >= x'00000001' ORDER BY m.origin
"""
_SENT_WITH_KEY = """
SELECT m.seq, m.origin, h.status FROM message AS m JOIN hop AS h ON h.seq = m.seq
WHERE m.session = (SELECT session FROM message WHERE seq = ?1) AND m.cause = ?1 AND m.origin < x'00000001'
"""
REPLY = "SELECT seq, type, version, late, checksum, payload FROM reply WHERE seq = ?"
LAST_FAILURE = "SELECT failure FROM attempt WHERE seq = ? ORDER BY id DESC LIMIT 1"


def fetch(readers: Readers, target: str, after: int, limit: int, now: int, key: str | None) -> list[Stored]:
    """See :meth:`junctor.transports.base.Transport.fetch`."""
    with readers.connection() as db:
        number = Glossary.number(db, target)
        if key is not None:
            numbers = select(db, _READY_LINE, (number, key, after, limit))
        else:
            numbers = select(db, _READY, (number, after, limit))
            numbers += select(db, _DUE, (now, number, limit))
        records = read_all(db, readers.words, [seq for (seq,) in numbers], target)
    for record in records:
        # Only a damaged index leads to the message of another service.
        record.damaged = record.damaged or record.message.target != target
    return [stored(record) for record in records]


def read_all(db: apsw.Connection, words: Glossary, seqs: list[int], target: str = "") -> list[Record]:
    """The records with these numbers, in this order. What cannot be read comes back marked, never left out."""
    if not seqs:
        return []
    try:
        rows = select(db, SELECT_STORED + " WHERE h.seq IN carray(?)", (apsw.carray(array("q", seqs)),))
    except (apsw.CorruptError, UnicodeDecodeError):
        return [_read_one(db, words, seq, target) for seq in seqs]
    found = {row[0]: read_record(db, words, row) for row in rows}
    return [found.get(seq) or damaged_record(seq, target) for seq in seqs]


def _read_one(db: apsw.Connection, words: Glossary, seq: int, target: str) -> Record:
    try:
        rows = select(db, SELECT_STORED + " WHERE h.seq = ?", (seq,))
    except (apsw.CorruptError, UnicodeDecodeError):
        return damaged_record(seq, target)
    return read_record(db, words, rows[0]) if rows else damaged_record(seq, target)


def depths(readers: Readers) -> dict[str, Depth]:
    with readers.connection() as db:
        rows = select(db, _DEPTHS)
        return {readers.words.text(db, target): Depth(count, size) for target, count, size in rows}


def suspects(readers: Readers) -> list[Stored]:
    with readers.connection() as db:
        seqs = [seq for (seq,) in select(db, _SUSPECTS)]
        return [stored(record) for record in read_all(db, readers.words, seqs)]


def next_due(readers: Readers, after: int = 0) -> int:
    with readers.connection() as db:
        return int(select(db, _NEXT_DUE, (after,))[0][0] or 0)


def sent_by(readers: Readers, cause: int) -> list[Sent]:
    with readers.connection() as db:
        rows = select(db, _SENT, (cause,)) + select(db, _SENT_WITH_KEY, (cause,))
        return sorted((_sent(db, readers.words, row) for row in rows), key=lambda sent: sent.seq)


def _sent(db: apsw.Connection, words: Glossary, row: tuple[Any, ...]) -> Sent:
    seq, origin, status = row
    replies = select(db, REPLY, (seq,))
    failures = select(db, LAST_FAILURE, (seq,))
    reply = None
    if replies:
        # A damaged reply counts as none: the request is then handled again, which is safe, instead of a wrong answer.
        found, _, damaged = read_reply(db, words, replies[0])
        reply = None if damaged else found
    return Sent(seq, origin, Status(status), reply, read_failure(failures[0][0]) if failures else None)
