"""A group of commits as the statements of one transaction.

Commits of one group may concern the same record (inserted by one, settled by the next). The group is folded first: the
last word about each record counts, then each table is written once, with many rows a statement. One statement is one
hand-over of the interpreter lock to the loop and back, so their number decides the speed, not their length.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from functools import cache
from itertools import chain, compress

import apsw

from junctor.core.outcome import StateWrite
from junctor.core.records import AlertRecord, Commit, HopLog, Insert, Settle
from junctor.errors import StateConflict, StoreError
from junctor.messages import Message, Status
from junctor.store.connection import select
from junctor.store.records import (
    HOP_COLUMNS,
    MESSAGE_COLUMNS,
    Row,
    attempt_row,
    log_row,
    record_rows,
    reply_row,
    storable,
)
from junctor.store.words import Words

StateKey = tuple[int, str, str]

ROWS = 64
"""Rows in one statement where there are as many. Measured against 1, 16, 32 and 128: one row a statement costs a third
of the throughput beside a busy loop, 64 is best by a few percent."""


@cache
def _insert(table: str, columns: int, rows: int, tail: str = "") -> str:
    values = ",".join(["(" + ",".join("?" * columns) + ")"] * rows)
    return f"INSERT INTO {table} VALUES {values}{tail}"


FIRST_COUNTER = b"\0\0\0\1"
"""Origins below it belong to idempotency keys, see the indexes of ``message``."""

_FIND_ORIGIN = "SELECT seq FROM message WHERE cause = ? AND origin = ? AND origin >= x'00000001'"
_FIND_KEY = "SELECT seq FROM message WHERE origin = ? AND origin < x'00000001'"
_FIND_STATE = "SELECT version FROM state WHERE service = ? AND key = ? AND name = ?"
_CLAIM = f"UPDATE hop SET status = {Status.CLAIMED:d} WHERE seq IN carray(?)"
_UPDATE = "UPDATE hop SET status = ?2, attempt = ?3, due = ?4, started = ?5, duration = ?6 WHERE seq = ?1"
_UPDATE_MANY = (
    "UPDATE hop SET status = v.column2, attempt = v.column3, due = v.column4, started = v.column5,"
    " duration = v.column6 FROM (VALUES " + ",".join(["(?,?,?,?,?,?)"] * ROWS) + ") AS v WHERE hop.seq = v.column1"
)


class Batch:
    """Filled with commits, then written inside a transaction. ``state`` is what becomes of entries: None is deleted."""

    def __init__(self, db: apsw.Connection, words: Words, epoch: int) -> None:
        self._db = db
        self._words = words
        self._epoch = epoch
        self._plain: list[Insert] = []
        self._with_origin: list[tuple[Commit, Insert]] = []
        self._moves: dict[int, Row] = {}
        self._claims: set[int] = set()
        self._replies: dict[int, Row] = {}
        self._attempts: list[Row] = []
        self._logs: list[HopLog] = []
        self._alerts: list[AlertRecord] = []
        self.state: dict[StateKey, tuple[int, bytes] | None] = {}
        self.written: list[tuple[str, StateWrite]] = []
        self.duplicates: list[tuple[Commit, int, int]] = []

    # Folding -------------------------------------------------------------------------------------------------

    def add(self, commit: Commit) -> StateConflict | None:
        """Take a commit in, or leave it out as a whole and say why: its state was changed since it was read."""
        if commit.writes:
            conflict = self._write_state(commit)
            if conflict is not None:
                return conflict
        for insert in commit.inserts:
            if insert.message.origin is None:
                self._plain.append(insert)
            else:
                self._with_origin.append((commit, insert))
        for settle in commit.settles:
            self._settle(settle)
        for seq in commit.claims:
            self._claim(seq)
        self._logs += commit.logs
        self._alerts += commit.alerts
        return None

    def _settle(self, settle: Settle) -> None:
        seq = settle.seq
        self._claims.discard(seq)
        self._moves[seq] = (seq, int(settle.status), settle.attempt, settle.due, settle.started, settle.duration)
        if settle.reply is not None:
            self._replies[seq] = reply_row(seq, settle.reply, settle.late, self._words)
        if settle.failure is not None:
            self._attempts.append(attempt_row(settle, settle.failure))

    def _claim(self, seq: int) -> None:
        move = self._moves.get(seq)
        if move is None:
            self._claims.add(seq)
        else:
            self._moves[seq] = (seq, int(Status.CLAIMED), *move[2:])

    def _write_state(self, commit: Commit) -> StateConflict | None:
        service = self._words.number(commit.source)
        fresh: dict[StateKey, tuple[int, bytes] | None] = {}
        for write in commit.writes:
            entry = (service, write.key, write.name)
            version = self._version(entry, fresh)
            if version != write.expected:
                return StateConflict(
                    f"{write.name!r} has version {version}, the delivery read version {write.expected}",
                    where=commit.source,
                )
            fresh[entry] = None if write.value is None else (version + 1, write.value)
        self.state.update(fresh)
        self.written += [(commit.source, write) for write in commit.writes]
        return None

    def _version(self, entry: StateKey, fresh: dict[StateKey, tuple[int, bytes] | None]) -> int:
        for known in (fresh, self.state):
            if entry in known:
                value = known[entry]
                return 0 if value is None else value[0]
        rows = select(self._db, _FIND_STATE, entry)
        return int(rows[0][0]) if rows else 0

    # Writing -------------------------------------------------------------------------------------------------

    def write(self) -> None:
        """Run the statements. The caller holds the transaction."""
        hops: list[Row] = []
        if self._plain:
            hops += self._insert_plain()
        if self._with_origin:
            hops += self._insert_unless_known()
        if hops:
            self._many("hop", HOP_COLUMNS, hops)
        self._update_hops()
        if self._replies or self._attempts or self.state:
            self._write_results()
        if self._logs or self._alerts:
            self._write_notes()
        if self._words.fresh:
            self._many("word", 2, self._words.fresh)

    def _insert_plain(self) -> list[Row]:
        """Insert the messages without an origin; the rows of their hops."""
        messages, hops = self._rows(self._plain)
        self._many("message", MESSAGE_COLUMNS, messages)
        return hops

    def _insert_unless_known(self) -> list[Row]:
        """Insert the messages with an origin; the rows of the hops of those whose origin is new."""
        messages, hops = self._rows([insert for _, insert in self._with_origin])
        before = self._db.total_changes()
        self._many("message", MESSAGE_COLUMNS, messages, " ON CONFLICT DO NOTHING")
        if self._db.total_changes() - before == len(messages):
            return hops
        new = [self._is_new(commit, insert.message) for commit, insert in self._with_origin]
        return list(compress(hops, new))

    def _rows(self, inserts: Sequence[Insert]) -> tuple[list[Row], list[Row]]:
        words, epoch = self._words, self._epoch
        messages: list[Row] = []
        hops: list[Row] = []
        for insert in inserts:
            message, hop = record_rows(insert, words, epoch)
            messages.append(message)
            hops.append(hop)
            if message[-1] is None:
                body = (message[-2], insert.message.payload)
                self._db.execute("INSERT INTO body VALUES (?,?) ON CONFLICT DO NOTHING", body)
        return messages, hops

    def _is_new(self, commit: Commit, message: Message) -> bool:
        """Whether this very message holds its origin now; else notes which earlier one does."""
        origin = message.origin or b""
        if origin < FIRST_COUNTER:
            found = select(self._db, _FIND_KEY, (origin,))
        else:
            found = select(self._db, _FIND_ORIGIN, (message.cause, origin))
        if not found:
            raise StoreError(f"record {message.seq} exists already with another content")
        earlier = int(found[0][0])
        if earlier != message.seq:
            self.duplicates.append((commit, message.seq, earlier))
        return earlier == message.seq

    def _update_hops(self) -> None:
        moves = list(self._moves.values())
        whole = len(moves) - len(moves) % ROWS
        for start in range(0, whole, ROWS):
            self._db.execute(_UPDATE_MANY, tuple(chain.from_iterable(moves[start : start + ROWS])))
        if len(moves) > whole:
            self._db.executemany(_UPDATE, moves[whole:])
        if self._claims:
            self._db.execute(_CLAIM, (apsw.carray(array("q", sorted(self._claims))),))

    def _write_results(self) -> None:
        execute = self._db.executemany
        if self._replies:
            execute("INSERT OR REPLACE INTO reply VALUES (?,?,?,?,?,?)", list(self._replies.values()))
        if self._attempts:
            execute("INSERT INTO attempt VALUES (NULL,?,?,?,?,?,?,?,?)", self._attempts)
        written = [(*entry, *value) for entry, value in self.state.items() if value is not None]
        deleted = [entry for entry, value in self.state.items() if value is None]
        if written:
            execute("INSERT OR REPLACE INTO state VALUES (?,?,?,?,?)", written)
        if deleted:
            execute("DELETE FROM state WHERE service = ? AND key = ? AND name = ?", deleted)

    def _write_notes(self) -> None:
        if self._logs:
            rows = [log_row(log, self._words) for log in self._logs]
            self._db.executemany("INSERT INTO log VALUES (NULL,?,?,?,?,?,?,?)", rows)
        if self._alerts:
            rows = [(a.time, a.kind, a.service, storable(a.text), storable(a.command), a.seq) for a in self._alerts]
            self._db.executemany("INSERT INTO alert VALUES (NULL,?,?,?,?,?,?)", rows)

    def _many(self, table: str, columns: int, rows: Sequence[Row], tail: str = "") -> None:
        whole = len(rows) - len(rows) % ROWS
        for start in range(0, whole, ROWS):
            block = tuple(chain.from_iterable(rows[start : start + ROWS]))
            self._db.execute(_insert(table, columns, ROWS, tail), block)
        if len(rows) > whole:
            self._db.executemany(_insert(table, columns, 1, tail), rows[whole:])
