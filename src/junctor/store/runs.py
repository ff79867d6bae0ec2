"""Runs and their turns as rows: written in the commit of a delivery, verified at each read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any
from zlib import crc32

import apsw

from junctor.core.run import Run, RunQuery, RunStatus, RunWrite, Turn, after
from junctor.errors import StateConflict
from junctor.store.connection import select
from junctor.store.readers import Readers
from junctor.store.records import storable
from junctor.store.statements import insert
from junctor.store.words import Glossary, Words

Row = tuple[Any, ...]
Staged = dict[int, tuple[Run, list[Row]]]

RUN = (
    "seq",
    "service",
    "handler",
    "key",
    "status",
    "turns",
    "started",
    "changed",
    "due",
    "code",
    "asker",
    "session",
    "error",
    "snapshot",
    "checksum",
)
TURN = ("run", "number", "time", "seq", "data", "checksum")
COLUMNS = ", ".join(RUN)
_CALLED = "SELECT seq FROM run WHERE service = ? AND key = ? AND status < 2 AND key IS NOT NULL"
_OPEN = "SELECT service, count(*) FROM run WHERE status < 2 GROUP BY service"
_PUT = """ ON CONFLICT (seq) DO UPDATE SET
    status = excluded.status, turns = excluded.turns, changed = excluded.changed, due = excluded.due,
    error = excluded.error, snapshot = excluded.snapshot, checksum = excluded.checksum
"""
_TURNS = "SELECT number, time, seq, data, checksum FROM turn WHERE run = ? AND number > ? ORDER BY number"
_RUN = f"SELECT {COLUMNS} FROM run WHERE seq = ?"

RECENT = 4096

UNREADABLE = (apsw.CorruptError, UnicodeDecodeError)
"""What SQLite says about a row that is damaged."""


def _facts(row: Row) -> bytes:
    return repr(row).encode()


def _turn_checksum(run: int, number: int, time: int, seq: int, data: bytes) -> int:
    return crc32(data, crc32(f"{run}\n{number}\n{time}\n{seq}".encode()))


class RecentRuns:
    """Open runs as the store has them, those that were written last: the next turn need not read its run. For the one
    connection that writes."""

    def __init__(self) -> None:
        self._runs: dict[int, Run] = {}
        self.get = self._runs.get

    def note(self, runs: Iterable[Run]) -> None:
        """What was committed just now."""
        for run in runs:
            self._runs.pop(run.seq, None)
            if run.is_open:
                self._runs[run.seq] = run
        while len(self._runs) > RECENT:
            del self._runs[next(iter(self._runs))]

    def forget(self, seq: int) -> None:
        self._runs.pop(seq, None)


class RunRows:
    """What the commits of a group do to runs: checked against the store and against each other, then written once."""

    def __init__(self, db: apsw.Connection, words: Words, known: RecentRuns) -> None:
        self._db = db
        self._words = words
        self._known = known
        self._glossary = Glossary()
        self._runs: dict[int, Run] = {}
        self._turns: list[Row] = []

    def stage(self, writes: Iterable[RunWrite]) -> Staged | StateConflict:
        """What the writes of one commit come to, for :meth:`take`; or why none of them may be."""
        staged: Staged = {}
        for write in writes:
            known, turns = staged.get(write.seq) or (self._runs.get(write.seq) or self._stored(write.seq), [])
            conflict = self._conflict(write, known, staged)
            if conflict is not None:
                return StateConflict(conflict, where=write.service)
            run = after(write, known)
            if write.data is not None:
                turn = (write.seq, run.turns, write.time, write.delivered, write.data)
                turns.append((*turn, _turn_checksum(*turn)))
            staged[write.seq] = run, turns
        return staged

    def take(self, staged: Staged) -> None:
        for run, turns in staged.values():
            self._runs[run.seq] = run
            self._turns += turns

    def _conflict(self, write: RunWrite, known: Run | None, staged: Staged) -> str | None:
        turns = known.turns if known is not None else 0
        if turns != write.expected:
            return f"run {write.seq} has {turns} turns, the delivery read {write.expected}"
        key = write.key if known is None else known.key
        opens = write.status < RunStatus.DONE and (known is None or not known.is_open)
        if opens and key is not None:
            holder = self._holder(write.service, key, staged)
            if holder:
                return f"run {holder} is called {key!r} already"
        return None

    def _holder(self, service: str, key: str, staged: Staged) -> int:
        """The open run of a service with a key, as far as the group has come."""
        fresh = {**self._runs, **{seq: run for seq, (run, _) in staged.items()}}
        for run in fresh.values():
            if run.key == key and run.service == service and run.is_open:
                return run.seq
        rows = select(self._db, _CALLED, (self._words.number(service), key))
        return next((seq for (seq,) in rows if seq not in fresh), 0)

    def _stored(self, seq: int) -> Run | None:
        return self._known.get(seq) or _find(self._db, self._glossary, seq)

    def forget(self, seqs: Iterable[int]) -> None:
        """They were removed."""
        for seq in seqs:
            self._runs.pop(seq, None)
            self._known.forget(seq)

    def committed(self) -> None:
        self._known.note(self._runs.values())

    def write(self) -> None:
        """Run the statements. The caller holds the transaction. What ended goes first: its key may be taken again."""
        runs = sorted(self._runs.values(), key=lambda run: run.status < RunStatus.DONE)
        if runs:
            insert(self._db, "run", RUN, [value for run in runs for value in self._row(run)], _PUT)
        if self._turns:
            insert(self._db, "turn", TURN, list(chain.from_iterable(self._turns)))

    def _row(self, run: Run) -> Row:
        row = (
            run.seq, self._words.number(run.service), run.handler, run.key, int(run.status), run.turns, run.started,
            run.changed, run.due, run.code, run.asker, run.session.to_bytes(16, "big"), storable(run.error),
            run.snapshot,
        )  # fmt: skip
        # What was damaged when it was read stays that: a new checksum would make it sound.
        return (*row, crc32(_facts(row)) ^ run.damaged)


def _find(db: apsw.Connection, words: Glossary, seq: int) -> Run | None:
    """A run by its number; one that cannot be read comes back marked, never as none."""
    try:
        rows = select(db, _RUN, (seq,))
    except UNREADABLE:
        return _unreadable(seq)
    return _read(db, words, rows[0]) if rows else None


def _unreadable(seq: int) -> Run:
    return Run(seq, "?", "", None, RunStatus.SUSPENDED, 0, 0, 0, error="it cannot be read", damaged=True)


def _read(db: apsw.Connection, words: Glossary, row: Row) -> Run:
    *facts, check = row
    seq, service, handler, key, status, turns, started, changed, due, code, asker, session, error, snapshot = facts
    damaged = crc32(_facts(tuple(facts))) != check
    if damaged and not isinstance(session, bytes):
        return _unreadable(seq)
    known = RunStatus(status) if status in RunStatus._value2member_map_ else RunStatus.SUSPENDED
    return Run(
        seq, words.text(db, service), handler, key, known, turns, started, changed, due, snapshot, code, asker,
        int.from_bytes(session, "big"), error, damaged,
    )  # fmt: skip


def find_run(readers: Readers, seq: int) -> Run | None:
    with readers.connection() as db:
        return _find(db, readers.words, seq)


def run_called(readers: Readers, service: str, key: str) -> int:
    with readers.connection() as db:
        rows = select(db, _CALLED, (Glossary.number(db, service), key))
        return int(rows[0][0]) if rows else 0


def count_open(readers: Readers) -> dict[str, int]:
    """By service, out of the index of open runs."""
    with readers.connection() as db:
        return {readers.words.text(db, service): count for service, count in select(db, _OPEN)}


def turns_of(readers: Readers, seq: int, after: int = 0) -> list[Turn]:
    with readers.connection() as db:
        return _turns(db, seq, after)


def _turns(db: apsw.Connection, seq: int, after: int = 0) -> list[Turn]:
    return [_turn(seq, row) for row in select(db, _TURNS, (seq, after))]


def _turn(run: int, row: Row) -> Turn:
    number, time, delivered, data, check = row
    if not isinstance(data, bytes):
        return Turn(number, time, delivered, b"", True)
    return Turn(number, time, delivered, data, _turn_checksum(run, number, time, delivered, data) != check)


def is_damaged(db: apsw.Connection, words: Glossary, seq: int) -> bool:
    """Whether a part of a run or of its history is not what was written, or is missing."""
    try:
        run, turns = _find(db, words, seq), _turns(db, seq)
    except UNREADABLE:
        return True
    if run is None or run.damaged or any(turn.damaged for turn in turns):
        return True
    return [turn.number for turn in turns] != list(range(1, run.turns + 1))


def list_runs(readers: Readers, query: RunQuery) -> list[Run]:
    with readers.connection() as db:
        terms, values = _terms(db, query)
        where = f" WHERE {' AND '.join(terms)}" if terms else ""
        order, values = f"{where} ORDER BY seq DESC LIMIT ?", [*values, query.limit]
        try:
            return [_read(db, readers.words, row) for row in select(db, f"SELECT {COLUMNS} FROM run{order}", values)]
        except UNREADABLE:
            found = (_find(db, readers.words, seq) for (seq,) in select(db, f"SELECT seq FROM run{order}", values))
            return [run for run in found if run is not None]


def _terms(db: apsw.Connection, query: RunQuery) -> tuple[list[str], list[Any]]:
    parts = list(_parts(db, query))
    return [term for term, _ in parts], [value for _, given in parts for value in given]


def _parts(db: apsw.Connection, query: RunQuery) -> Iterator[tuple[str, tuple[Any, ...]]]:
    if query.service is not None:
        yield "service = ?", (Glossary.number(db, query.service),)
    if query.key is not None:
        yield "key = ?", (query.key,)
    if query.statuses is not None:
        # As literals, and their bound said again, so that SQLite may use the index of open runs.
        yield f"status IN ({','.join(str(int(status)) for status in query.statuses)})", ()
        if query.statuses and max(query.statuses) < RunStatus.DONE:
            yield "status < 2", ()
    if query.before is not None:
        yield "seq < ?", (query.before,)
