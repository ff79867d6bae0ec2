"""Messages in the memory of the process: the same semantics as a store, without a disk and gone with the process.

Frozen bodies travel by reference. What is finished is kept for the trace up to ``history`` records, oldest out first.
"""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable

from junctor.core.outcome import Reply, StateWrite
from junctor.core.run import WOKEN, Run, TimerEnd, Turn
from junctor.errors import StateConflict
from junctor.messages import ANSWERS, HANDLER, Message, Status
from junctor.transports.base import (
    AttemptRecord,
    Capabilities,
    Commit,
    Insert,
    Opened,
    Record,
    Sent,
    Settle,
    Stored,
    Transport,
)
from junctor.transports.recall import MemoryArchive

FINAL = Status.DONE
"""Statuses from here on are final."""

_KEPT = (Status.PARKED, Status.BEGUN)
"""What is not finished though no queue owes it."""

# Members of an enum are looked up through its metaclass; on the way of every message a global is five times cheaper.
_DONE = Status.DONE


class MemoryTransport(Transport):
    """See :mod:`junctor.transports.base`. ``history`` bounds the finished records that are kept."""

    name = "memory"
    archive: MemoryArchive
    # durable: there is no disk; the process is the store.
    capabilities = Capabilities(durable=False, by_reference=True, immediate=True)

    def __init__(self, history: int = 2_000) -> None:
        self._count = itertools.count(1)
        # Replaces the method below: a frame less for every message.
        self.number = self._count.__next__  # type: ignore[method-assign]
        # A message that was handed over at once needs no record until it is settled. Finished records are kept in two
        # halves, so that forgetting costs nothing per message. Attached: seqs with an origin, attempts or logs.
        self._half = max(1, history // 2)
        self._claimed: dict[int, Message] = {}
        # Replaces the method below: a frame less for every message.
        self.put = self._claimed.__setitem__  # type: ignore[method-assign, assignment]
        self._open: dict[int, Record] = {}
        self._recent: dict[int, Record] = {}
        self._older: dict[int, Record] = {}
        self._attached: set[int] = set()
        self._origins: dict[bytes, int] = {}
        self._timers: dict[TimerEnd, int] = {}
        self._state: dict[tuple[str, str], dict[str, tuple[bytes, int]]] = {}
        self.archive = MemoryArchive(self.find, self._parts)
        self._runs = self.archive.held
        self._node = uuid.uuid4().hex[:12]

    async def open(self, failed: Callable[[Exception], object]) -> Opened:
        return Opened(self._node, 1, True, {}, [])

    async def aclose(self) -> None:
        for seq in list(self._claimed):
            self.find(seq)
        for record in self._open.values():
            if record.status == Status.CLAIMED:
                record.status = Status.READY

    def number(self) -> int:
        return next(self._count)

    def commit(self, commit: Commit) -> None:
        if commit.needs is not None and commit.needs.refused is not None:
            self._refuse(commit, commit.needs.refused)
            return
        if commit.writes or commit.runs:
            try:
                staged = self._runs.stage(commit.runs)
                self._check(commit)
            except StateConflict as conflict:
                self._refuse(commit, conflict)
                return
            self._runs.take(staged)
            self._attached.update(write.seq for write in commit.runs)
        for insert in commit.inserts:
            self._insert(commit, insert)
        for settle in commit.settles:
            self._settle(settle)
        if commit.claims or commit.writes or commit.logs or commit.alerts or commit.notes or commit.removes:
            self._rest(commit)
        if commit.timers:
            commit.taken = [seq for timer in commit.timers for seq in self._take_back(timer)]
        commit.done(commit, None)

    def _refuse(self, commit: Commit, error: Exception) -> None:
        commit.refused = error
        commit.done(commit, error)

    def _insert(self, commit: Commit, insert: Insert) -> None:
        message = insert.message
        if message.origin is not None and self._known(commit, message.origin, message.seq):
            return
        record = Record(message, insert.status, 0, message.due, insert.started, insert.duration)
        if insert.status >= FINAL:
            self._finish(record)
        else:
            self._open[message.seq] = record
        if message.due and message.headers.get(HANDLER) == WOKEN:
            self._timers[_timer(message)] = message.seq

    def _take_back(self, timer: TimerEnd) -> list[int]:
        record = self._open.get(self._timers.get(timer, 0))
        if record is None or record.status != Status.WAITING or record.due != timer.due:
            return []
        record.status, record.due = _DONE, 0
        self._finish(record)
        return [record.message.seq]

    def _known(self, commit: Commit, origin: bytes, seq: int) -> bool:
        earlier = self._origins.setdefault(origin, seq)
        if earlier == seq:
            self._attached.add(seq)
            return False
        commit.duplicates = {**(commit.duplicates or {}), seq: earlier}
        return True

    def _settle(self, settle: Settle) -> None:
        record = self.find(settle.seq)
        if record is None:
            return
        record.status = settle.status
        record.attempt = settle.attempt
        record.due = settle.due
        record.started = settle.started
        record.duration = settle.duration
        record.reply = settle.reply
        if settle.failure is not None:
            record.failure = settle.failure
            self._attached.add(settle.seq)
            self.archive.note_attempt(
                AttemptRecord(
                    settle.seq, settle.attempt, settle.started, settle.duration, settle.status.name, settle.failure
                )
            )
        if settle.late:
            record.late = True
        if settle.status >= FINAL and settle.status not in _KEPT:
            self._finish(record)

    def put(self, seq: int, message: Message) -> None:
        self._claimed[seq] = message

    def finish(self, seq: int, started: int, duration: int, reply: Reply | None) -> None:
        message = self._claimed.pop(seq, None)
        if message is None:
            message = self._open.pop(seq).message
            self._rung(message)
        recent = self._recent
        recent[seq] = Record(message, _DONE, 1, 0, started, duration, reply)
        if len(recent) > self._half:
            self._forget()

    def _finish(self, record: Record) -> None:
        seq = record.message.seq
        self._open.pop(seq, None)
        self._rung(record.message)
        self._recent[seq] = record
        self._older.pop(seq, None)  # what ended before and is sent again now is kept once
        if len(self._recent) > self._half:
            self._forget()

    def _rung(self, message: Message) -> None:
        """It ends: a timer is known no more."""
        if message.due and message.headers.get(HANDLER) == WOKEN:
            self._timers.pop(_timer(message), None)

    def _forget(self) -> None:
        """Let the older half of the finished records go at once: nothing is done a message."""
        for seq in self._attached.intersection(self._older):
            self._origins.pop(self._older[seq].message.origin or b"", None)
            self.archive.forget(seq)
            self._attached.discard(seq)
        self._older, self._recent = self._recent, {}

    def _remove(self, seq: int) -> None:
        record = self._recent.pop(seq, None) or self._older.pop(seq, None)
        if record is not None and seq in self._attached:
            self._origins.pop(record.message.origin or b"", None)
            self.archive.forget(seq)
            self._attached.discard(seq)

    def find(self, seq: int) -> Record | None:
        """The record of a number, while it is kept."""
        message = self._claimed.pop(seq, None)
        if message is not None:
            self._open[seq] = Record(message, Status.CLAIMED)
        return self._open.get(seq) or self._recent.get(seq) or self._older.get(seq)

    def _parts(self) -> tuple[dict[int, Message], dict[int, Record], dict[int, Record], dict[int, Record]]:
        return self._claimed, self._open, self._recent, self._older

    def _check(self, commit: Commit) -> None:
        for write in commit.writes:
            _, version = self._state.get((commit.source, write.key), {}).get(write.name, (b"", 0))
            if version != write.expected:
                raise StateConflict(
                    f"{write.name!r} has version {version}, the delivery read version {write.expected}",
                    where=commit.source,
                )

    def _rest(self, commit: Commit) -> None:
        for write in commit.writes:
            self._write(commit.source, write)
        for seq in commit.claims:
            record = self.find(seq)
            if record is not None and record.status < FINAL:
                record.status = Status.CLAIMED
            else:
                commit.gone = [*commit.gone, seq]
        self._attached.update(log.seq for log in commit.logs)
        self._attached.update(note.seq for note in commit.notes)
        self.archive.note(commit.logs, commit.alerts, commit.notes)
        for seq in commit.removes:
            self._remove(seq)

    def _write(self, service: str, write: StateWrite) -> None:
        # Replaced, not changed: a reader in another thread keeps the consistent view that it has.
        values = dict(self._state.get((service, write.key), {}))
        if write.value is None:
            values.pop(write.name, None)
        else:
            values[write.name] = (write.value, write.expected + 1)
        self._state[(service, write.key)] = values

    async def fetch(self, target: str, after: int, limit: int, now: int, key: str | None = None) -> list[Stored]:
        ready: list[Stored] = []
        due: list[Stored] = []
        for seq, record in self._open.items():
            message = record.message
            if record.status >= FINAL or message.target != target:
                continue
            stored = Stored(message, record.status, record.attempt, record.due)
            if record.status == Status.READY and seq > after and key in (None, message.key):
                ready.append(stored)
            elif record.status == Status.WAITING and record.due <= now and key is None:
                due.append(stored)
        due.sort(key=lambda stored: (stored.due, stored.message.seq))
        return ready[:limit] + due[:limit]

    async def next_due(self, after: int = 0) -> int:
        waiting = (record.due for record in self._open.values() if record.status == Status.WAITING)
        return min((due for due in waiting if due > after), default=0)

    async def sent_by(self, cause: int) -> list[Sent]:
        return [
            Sent(record.message.seq, record.message.origin, record.status, record.reply, record.failure)
            for record in self.archive.all()
            if record.message.cause == cause and record.message.origin is not None
        ]

    def state(self, service: str, key: str) -> dict[str, tuple[bytes, int]]:
        return self._state.get((service, key), {})

    def run(self, seq: int) -> Run | None:
        return self._runs.find(seq)

    def run_called(self, service: str, key: str) -> int:
        return self._runs.called(service, key)

    def turns(self, seq: int, after: int = 0) -> list[Turn]:
        return self._runs.turns(seq, after)

    def state_keys(self, service: str) -> list[str]:
        return [key for owner, key in list(self._state) if owner == service and self._state[(owner, key)]]


def _timer(message: Message) -> TimerEnd:
    return TimerEnd(message.target, int(message.key or 0), int(message.headers.get(ANSWERS, 0)), message.due)
