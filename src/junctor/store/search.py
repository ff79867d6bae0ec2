"""Search among the records of a store: the smallest index that fits, and never longer than a few seconds.

What only a scan can find is looked for downwards from the newest record, piece by piece. So it is known at any moment
how far the search came, and one that takes too long can say where to go on. Where a service or type is asked for, the
scan skips the blocks that do not have it, see :mod:`junctor.store.spans`.
"""

from __future__ import annotations

import enum
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import apsw
import msgspec

from junctor.core.records import Query
from junctor.errors import SearchTooLong, storable
from junctor.messages import Status
from junctor.store.connection import select
from junctor.store.fields import fields_term
from junctor.store.spans import SHIFT
from junctor.store.words import Glossary

SECONDS = 5.0
"""How long a search may take."""

AGAIN = 0.02
"""Seconds between two interruptions."""

FIRST_PIECE = 1024
"""Numbers in the first piece; the next is four times as long as long as one takes less than ``QUICK`` seconds."""

QUICK = 0.1

FEW = 20_000
"""Records that are sorted for a page of them; where more fit, the scan finds a page sooner."""

HIGHEST = 2**63 - 1

_BODY = "coalesce(m.payload, (SELECT data FROM body WHERE hash = m.body))"
_TOP = "SELECT max(seq) FROM hop WHERE seq < ?"
_BEGINS = "SELECT DISTINCT session FROM message WHERE session BETWEEN ? AND ? LIMIT ?"
_ENDS = (
    "SELECT DISTINCT session FROM message INDEXED BY message_session"
    " WHERE substr(hex(session), -length(?1)) = ?1 LIMIT ?2"
)
_HAS = "EXISTS (SELECT 1 FROM span WHERE word = ? AND block = s.block)"
# The text of the JSON is compared before the JSON is read: most failures are told apart without reading them.
_ERROR_TEXT = (
    "instr(failure, ?) > 0 AND CASE WHEN json_valid(CAST(failure AS TEXT))"
    " THEN instr(json_extract(CAST(failure AS TEXT), '$.text'), ?) > 0 ELSE 0 END"
)
_FAILED = f"(SELECT seq FROM attempt WHERE error = ? UNION SELECT seq FROM attempt WHERE {_ERROR_TEXT})"
_HAS_FAILED = f"EXISTS (SELECT 1 FROM attempt WHERE seq = h.seq AND (error = ? OR {_ERROR_TEXT}))"

# Bounds of the scan for a span of time. Clocks jump, so they are found among all samples of the index, not by a search
# in an ordered list: the last sample below the first one within the span, the first one above the last one within it.
_SAMPLES = "FROM message INDEXED BY message_time WHERE seq & 63 = 0"
FROM = (
    f"SELECT coalesce((SELECT max(seq) {_SAMPLES} AND seq <"
    f" coalesce((SELECT min(seq) {_SAMPLES} AND time >= ?), {HIGHEST})), -1) + 1"
)
TO = (
    f"SELECT coalesce((SELECT min(seq) {_SAMPLES} AND seq >"
    f" coalesce((SELECT max(seq) {_SAMPLES} AND time < ?), -1)), {HIGHEST})"
)


class Bound(enum.Enum):
    """Stands among the values of a statement for one that each piece has for itself."""

    LOW = enum.auto()
    HIGH = enum.auto()
    LIMIT = enum.auto()


class Plan(NamedTuple):
    """A statement for the numbers of records from ``low`` to below ``high``. ``pieces``: that finds them in order of
    their numbers, so that it can be asked piece by piece."""

    sql: str
    values: Sequence[Any]
    low: int
    high: int
    pieces: bool


def search(db: apsw.Connection, query: Query, seconds: float = SECONDS) -> list[int]:
    """The numbers of the records that fit, newest first.

    :raises SearchTooLong: it was stopped; the text says how far it came.
    """
    found: list[int] = []
    reached = Reached()
    try:
        with _interrupted(db, seconds):
            plan = plan_of(db, query)
            if plan is not None:
                _ask(db, plan, query.limit, found, reached)
    except apsw.InterruptError:
        raise _too_long(seconds, reached.seq, len(found)) from None
    return found


def sessions(db: apsw.Connection, digits: str, limit: int, seconds: float = SECONDS) -> list[int]:
    """Sessions that begin or end with these hexadecimal digits: the first are found by the index, the last in it.

    :raises SearchTooLong: it was stopped.
    """
    low, high = (bytes.fromhex(digits.ljust(32, fill)) for fill in "0f")
    try:
        with _interrupted(db, seconds):
            found = {row[0] for row in select(db, _BEGINS, (low, high, limit))}
            found |= {row[0] for row in select(db, _ENDS, (digits.upper(), limit))}
    except apsw.InterruptError:
        what = f"the search for a session was stopped after {seconds:g} s"
        raise SearchTooLong(what, fix="Give all 32 digits of it.") from None
    return [int.from_bytes(session, "big") for session in sorted(found)][:limit]


class Reached:
    """The number down to which everything was looked at; None where nothing can be said."""

    seq: int | None = None


def _ask(db: apsw.Connection, plan: Plan, limit: int, found: list[int], reached: Reached) -> None:
    if not plan.pieces:
        found += _piece(db, plan, plan.low, plan.high, limit)
        return
    high, size = plan.high, FIRST_PIECE
    while len(found) < limit:
        top = select(db, _TOP, (high,))[0][0]  # over gaps: numbers can jump, and records are removed
        if top is None or top < plan.low:
            return
        low, begun = max(top + 1 - size, plan.low), time.monotonic()
        found += _piece(db, plan, low, top + 1, limit - len(found))
        high = reached.seq = low
        if time.monotonic() - begun < QUICK:
            size *= 4


def _piece(db: apsw.Connection, plan: Plan, low: int, high: int, limit: int) -> list[int]:
    bounds = {Bound.LOW: low, Bound.HIGH: high, Bound.LIMIT: limit}
    bound = [bounds[value] if isinstance(value, Bound) else value for value in plan.values]
    return [seq for (seq,) in select(db, plan.sql, bound)]


@contextmanager
def _interrupted(db: apsw.Connection, seconds: float) -> Iterator[None]:
    """Interrupt what runs on the connection after some time. From a thread, not by a handler that SQLite calls: each
    call would wait for the interpreter lock of a busy node."""
    over = threading.Event()

    def watch() -> None:
        late = not over.wait(seconds)
        while late:  # again and again: between two statements there is nothing to interrupt
            db.interrupt()
            late = not over.wait(AGAIN)

    watcher = threading.Thread(target=watch, name="junctor-search", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()


def _too_long(seconds: float, reached: int | None, found: int) -> SearchTooLong:
    what = f"the search was stopped after {seconds:g} s"
    narrow = "narrow it with --since, --until, --type, --service or --session"
    if reached is None:
        return SearchTooLong(what, fix=f"{narrow[0].upper()}{narrow[1:]}.")
    told = f"found {found}" if found else "found nothing"
    shown = f"See those with --limit {found}, go" if found else "Go"
    return SearchTooLong(
        f"{what}; it {told} down to message {reached}", fix=f"{shown} on with --before {reached}, or {narrow}."
    )


# The statement ----------------------------------------------------------------------------------------------


class _Terms:
    """Terms joined by AND, with the values of their parameters."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.values: list[Any] = []

    def add(self, text: str, *values: Any) -> None:
        self.texts.append(text)
        self.values += values


def plan_of(db: apsw.Connection, query: Query) -> Plan | None:
    """How to find what is asked for; None when no record can fit."""
    words = [Glossary.number(db, name) for name in (query.service, query.type) if name is not None]
    if query.statuses == () or -1 in words:
        return None
    terms = _terms(query, words)
    source, order, pieces = _source(db, query, words, terms)
    joined = _needs_message(query) and query.session is None
    join = " CROSS JOIN message AS m ON m.seq = h.seq" if joined else ""
    sql = f"SELECT h.seq FROM {source.texts[0]}{join} WHERE {' AND '.join(terms.texts)} ORDER BY {order} DESC LIMIT ?"
    low, high = _bounds(db, query)
    return Plan(sql, [*source.values, *terms.values, Bound.LIMIT], low, high, pieces)


def _terms(query: Query, words: list[int]) -> _Terms:
    terms = _Terms()
    terms.add("h.seq >= ? AND h.seq < ?", Bound.LOW, Bound.HIGH)
    if query.service is not None:
        terms.add("(h.source = ? OR h.target = ?)", words[0], words[0])
    if query.type is not None:
        terms.add("h.type = ?", words[-1])
    if query.statuses is not None:
        terms.add(_status_term(query.statuses))
    if query.since is not None:
        terms.add("m.time >= ?", query.since)
    if query.until is not None:
        terms.add("m.time < ?", query.until)
    if query.session is not None:
        terms.add("m.session = ?", query.session.to_bytes(16, "big"))
    if query.text is not None:
        terms.add(f"instr({_BODY}, ?) > 0", storable(query.text).encode())
    if query.fields:
        text, values = fields_term(_BODY, query.fields)
        terms.add(text, *values)
    return terms


def _source(db: apsw.Connection, query: Query, words: list[int], terms: _Terms) -> tuple[_Terms, str, bool]:
    """Where the records come from: the table or index with the fewest. The order of the numbers there, and whether the
    records come in it."""
    source = _Terms()
    index = _status_index(db, query)
    if query.error is not None and (query.session is not None or index):
        terms.add(_HAS_FAILED, *_error_values(query.error))
    if query.session is not None:
        source.add("message AS m CROSS JOIN hop AS h ON h.seq = m.seq")
        return source, "m.seq", False
    if index:
        source.add(f"hop AS h INDEXED BY {index}")
        return source, "h.seq", False
    if query.error is not None:
        source.add(f"{_FAILED} AS a CROSS JOIN hop AS h ON h.seq = a.seq", *_error_values(query.error))
        return source, "h.seq", False
    if words:
        return _spans(words), "s.block DESC, h.seq", True
    source.add("hop AS h")
    return source, "h.seq", True


def _status_index(db: apsw.Connection, query: Query) -> str:
    """The index that has the statuses, if there is one and they are few: it is not in the order of numbers, so all of
    them are read. SQLite itself would take the order of numbers, and read everything where few fit."""
    if query.statuses is None:
        return ""
    if min(query.statuses) > Status.DONE:
        index, where = "hop_ended", "status > 3"
    elif max(query.statuses) < Status.DONE:
        index, where = "hop_queue", "status < 3"
    else:
        return ""
    few = f"SELECT count(*) FROM (SELECT 1 FROM hop INDEXED BY {index} WHERE {where} LIMIT {FEW})"
    return index if select(db, few)[0][0] < FEW else ""


def _spans(words: list[int]) -> _Terms:
    """The blocks that have all the words, newest first, and their records."""
    source = _Terms()
    conditions = " AND ".join(["s.word = ?", *[_HAS] * (len(words) - 1)])
    source.add(
        f"(SELECT block FROM span AS s WHERE {conditions} AND s.block BETWEEN ? >> {SHIFT} AND ? >> {SHIFT}) AS s"
        f" CROSS JOIN hop AS h ON h.seq BETWEEN s.block << {SHIFT} AND ((s.block + 1) << {SHIFT}) - 1",
        *reversed(words),
        Bound.LOW,
        Bound.HIGH,
    )
    return source


def _error_values(error: str) -> list[Any]:
    """The class as it is; the text as it stands in JSON, and as it reads."""
    text = storable(error)
    return [text, msgspec.json.encode(text)[1:-1], text]


def _needs_message(query: Query) -> bool:
    about = (query.since, query.until, query.session, query.text, query.fields or None)
    return any(value is not None for value in about)


def _bounds(db: apsw.Connection, query: Query) -> tuple[int, int]:
    """The numbers between which all that fits must be."""
    low = 0 if query.since is None else select(db, FROM, (query.since,))[0][0]
    high = HIGHEST if query.until is None else select(db, TO, (query.until,))[0][0]
    return int(low), int(high if query.before is None else min(high, query.before))


def _status_term(statuses: tuple[Status, ...]) -> str:
    # Literals, and the bound of the partial index said again: SQLite proves nothing from an IN or a parameter.
    if len(statuses) == 1:
        term = f"h.status = {statuses[0]:d}"
    else:
        term = f"h.status IN ({','.join(str(int(status)) for status in statuses)})"
    if max(statuses) < Status.DONE:
        return f"{term} AND h.status < 3"
    return f"{term} AND h.status > 3" if min(statuses) > Status.DONE else term
