"""What retention asks of a store: slices of records to judge, on reading connections; small deletions, on the one that
writes.

A slice is one short read. A walk through millions of records is many of them, so that no reader ever holds the log back
for long.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import apsw

from junctor.core.retention import Candidate
from junctor.core.upkeep import Fill, Look
from junctor.errors import StoreDamaged
from junctor.messages import Status
from junctor.store.connection import select
from junctor.store.identity import DAMAGED
from junctor.store.readers import Readers
from junctor.store.spans import KEPT, SHIFT, drop_empty_spans
from junctor.store.words import Glossary

SKIPPED = 1024
"""Numbers that are passed over where a page cannot be read."""

ALERTS = 100_000
"""Alerts that are kept at most."""

_NEIGHBOURS = 1000
_STEP = 500
"""Rows that one small deletion looks at."""

_COLUMNS = """
h.seq, h.target, m.session, h.status, m.time, max(m.time, m.due, h.started + h.duration), h.size,
m.origin IS NOT NULL AND m.origin < x'00000001',
h.attempt > 1 OR EXISTS (SELECT 1 FROM attempt WHERE seq = h.seq),
m.cause > 0 AND EXISTS (SELECT 1 FROM hop AS c WHERE c.seq = m.cause AND c.status < 3)
"""
_LOOK = f"""
SELECT {_COLUMNS} FROM hop AS h NOT INDEXED CROSS JOIN message AS m ON m.seq = h.seq
WHERE h.seq > ? ORDER BY h.seq LIMIT ?
"""
# The first part bounds how far one question reads where few records are of these targets.
_LOOK_AT = f"""
SELECT {_COLUMNS} FROM (SELECT * FROM hop NOT INDEXED WHERE seq > ? ORDER BY seq LIMIT ?) AS h
CROSS JOIN message AS m ON m.seq = h.seq WHERE h.target IN carray(?) AND h.status >= {Status.DONE:d}
"""
_LAST = "SELECT max(seq), count(*) FROM (SELECT seq FROM hop NOT INDEXED WHERE seq > ? ORDER BY seq LIMIT ?)"
_OPEN = "SELECT min(seq) FROM hop WHERE target = ? AND status = ? AND status < 3"
_WENT_WRONG = "(h.status > 3 OR h.attempt > 1 OR EXISTS (SELECT 1 FROM attempt WHERE seq = h.seq))"
_NEAR = "SELECT seq FROM message WHERE session = ?1 AND seq {way} LIMIT ?3"
_FAILING = " OR ".join(
    f"EXISTS (SELECT 1 FROM ({_NEAR.format(way=way)}) AS n CROSS JOIN hop AS h ON h.seq = n.seq WHERE {_WENT_WRONG})"
    for way in (">= ?2 ORDER BY seq", "< ?2 ORDER BY seq DESC")
)
_FAILING = f"SELECT {_FAILING}"


# Reading -----------------------------------------------------------------------------------------------------


def look(readers: Readers, after: int, limit: int, targets: Collection[str] | None = None) -> Look:
    """See :meth:`junctor.core.upkeep.Upkeep.look`."""
    try:
        with readers.connection() as db:
            return _look(db, readers.words, after, limit, targets)
    except StoreDamaged as error:
        # The pages behind the broken one are found from the root of the tree again.
        return Look((), after + SKIPPED, _has_more(readers, after + SKIPPED), str(error))


def _look(db: apsw.Connection, words: Glossary, after: int, limit: int, targets: Collection[str] | None) -> Look:
    last, count = select(db, _LAST, (after, limit))[0]
    if not count:
        return Look((), after, False)
    if targets is None:
        rows = select(db, _LOOK, (after, limit))
    else:
        numbers = array("q", [Glossary.number(db, target) for target in targets])
        rows = select(db, _LOOK_AT, (after, limit, apsw.carray(numbers)))
    return Look([_candidate(db, words, row) for row in rows], last, count == limit)


def _candidate(db: apsw.Connection, words: Glossary, row: tuple[Any, ...]) -> Candidate:
    seq, target, session, status, accepted, ended, size, keyed, failed, needed = row
    return Candidate(
        seq,
        words.text(db, target),
        session,
        Status(status),
        accepted,
        ended,
        size,
        bool(keyed),
        bool(failed),
        bool(needed),
    )


def _has_more(readers: Readers, after: int) -> bool:
    try:
        with readers.connection() as db:
            return (select(db, "SELECT max(seq) FROM hop")[0][0] or 0) > after
    except StoreDamaged:
        return False


def open_from(readers: Readers, targets: Iterable[str]) -> int:
    """See :meth:`junctor.core.upkeep.Upkeep.open_from`."""
    with readers.connection() as db:
        numbers = [Glossary.number(db, target) for target in targets]
        found = [select(db, _OPEN, (number, status))[0][0] for number in numbers for status in (0, 1)]
        return min((seq for seq in found if seq is not None), default=0)


def failing(readers: Readers, records: Sequence[Candidate]) -> set[bytes]:
    """See :meth:`junctor.core.upkeep.Upkeep.failing`."""
    first: dict[bytes, int] = {}
    for record in records:
        first.setdefault(record.session, record.seq)
    try:
        return _failing(readers, first)
    except StoreDamaged:
        # One of them is behind a page that cannot be read: it stays, whatever it was.
        return {session for session, seq in first.items() if _may_fail(readers, session, seq)}


def _failing(readers: Readers, sessions: Mapping[bytes, int]) -> set[bytes]:
    with readers.connection() as db:
        asked = ((session, (session, seq, _NEIGHBOURS)) for session, seq in sessions.items())
        return {session for session, values in asked if select(db, _FAILING, values)[0][0]}


def _may_fail(readers: Readers, session: bytes, seq: int) -> bool:
    try:
        return bool(_failing(readers, {session: seq}))
    except StoreDamaged:
        return True


def newest(readers: Readers) -> int:
    with readers.connection() as db:
        rows = select(db, "SELECT time FROM message ORDER BY seq DESC LIMIT 1")
        return int(rows[0][0]) if rows else 0


def fill(readers: Readers) -> Fill:
    with readers.connection() as db:
        page = int(db.pragma("page_size"))
        free, pages = int(db.pragma("freelist_count")), int(db.pragma("page_count"))
        return Fill(pages * page, free * page, db.pragma("auto_vacuum") != 0)


# Writing -----------------------------------------------------------------------------------------------------


def compact(db: apsw.Connection, size: int) -> None:
    """Give free pages at the end of the file back; used pages from there take the place of free ones."""
    pages = max(1, size // int(db.pragma("page_size")))
    db.execute(f"PRAGMA incremental_vacuum({pages})").fetchall()


def prune(db: apsw.Connection, directory: Path, before: int, after: int) -> tuple[bool, int]:
    """One small step of forgetting what has outlived its records.

    :param after: the log line up to which was looked.
    :return: whether there is more to forget, and the log line up to which was looked now, 0 at the end.
    """
    _drop_copies(directory, before)
    with db:
        if not after:
            _drop_spans(db)
        dropped = _drop_alerts(db, before)
        last = _drop_lines(db, after)
    return dropped > 0 or last > 0, last


def _drop_alerts(db: apsw.Connection, before: int) -> int:
    newest = select(db, "SELECT max(id) FROM alert")[0][0] or 0
    oldest = select(db, "SELECT id, time FROM alert ORDER BY id LIMIT ?", (_STEP,))
    gone = [number for number, when in oldest if when < before or number <= newest - ALERTS]
    db.executemany("DELETE FROM alert WHERE id = ?", [(number,) for number in gone])
    return len(gone)


def _drop_lines(db: apsw.Connection, after: int) -> int:
    """Log lines without a record."""
    rows = select(db, "SELECT id, seq FROM log WHERE id > ? ORDER BY id LIMIT ?", (after, _STEP))
    db.executemany(
        "DELETE FROM log WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM message WHERE seq = ?2)", [row[:2] for row in rows]
    )
    return int(rows[-1][0]) if len(rows) == _STEP else 0


def _drop_spans(db: apsw.Connection) -> None:
    """Entries of blocks whose records are all gone. The latest blocks stay: the writer remembers what it wrote."""
    last = select(db, "SELECT max(seq) FROM message")[0][0] or 0
    drop_empty_spans(db, 0, last - ((KEPT + 1) << SHIFT))


def _drop_copies(directory: Path, before: int) -> None:
    """Copies of damaged logs."""
    for path in (directory / DAMAGED).glob("*.bin"):
        try:
            if path.stat().st_mtime_ns < before:
                path.unlink()
        except OSError:
            continue
