"""Messages in the memory of the process: the same semantics as a store, without a disk and gone with the process.

Frozen bodies travel by reference. What is finished is kept for the trace up to ``history`` records, oldest out first.
"""

from __future__ import annotations

import itertools
import uuid
from collections import deque
from collections.abc import Callable

from junctor.core.outcome import StateWrite
from junctor.errors import StateConflict
from junctor.messages import Status
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


class MemoryTransport(Transport):
    """See :mod:`junctor.transports.base`. ``history`` bounds the finished records that are kept."""

    name = "memory"
    # durable: there is no disk; the process is the store.
    capabilities = Capabilities(durable=False, by_reference=True)

    def __init__(self, history: int = 10_000) -> None:
        self._count = itertools.count(1)
        self.number = self._count.__next__  # type: ignore[method-assign] - saves a frame for every message
        self._history = history
        self._finished: deque[int] = deque()
        self._origins: dict[bytes, int] = {}
        self._state: dict[tuple[str, str], dict[str, tuple[bytes, int]]] = {}
        self.records: dict[int, Record] = {}
        self.archive = MemoryArchive(self.records)
        self._node = uuid.uuid4().hex[:12]

    async def open(self, failed: Callable[[Exception], object]) -> Opened:
        return Opened(self._node, 1, True, {}, [])

    async def aclose(self) -> None:
        for record in self.records.values():
            if record.status == Status.CLAIMED:
                record.status = Status.READY

    def number(self) -> int:
        return next(self._count)

    def commit(self, commit: Commit) -> None:
        if commit.writes:
            try:
                self._check(commit)
            except StateConflict as conflict:
                commit.done(commit, conflict)
                return
        for insert in commit.inserts:
            self._insert(commit, insert)
        for settle in commit.settles:
            self._settle(settle)
        if commit.claims or commit.writes or commit.logs or commit.alerts:
            self._rest(commit)
        commit.done(commit, None)

    def _insert(self, commit: Commit, insert: Insert) -> None:
        message = insert.message
        if message.origin is not None and self._known(commit, message.origin, message.seq):
            return
        record = Record(message, insert.status, 0, message.due, insert.started, insert.duration)
        self.records[message.seq] = record
        if insert.status >= FINAL:
            self._finish(message.seq)

    def _known(self, commit: Commit, origin: bytes, seq: int) -> bool:
        earlier = self._origins.setdefault(origin, seq)
        if earlier == seq:
            return False
        commit.duplicates = {**(commit.duplicates or {}), seq: earlier}
        return True

    def _settle(self, settle: Settle) -> None:
        record = self.records.get(settle.seq)
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
            self.archive.note_attempt(
                AttemptRecord(
                    settle.seq, settle.attempt, settle.started, settle.duration, settle.status.name, settle.failure
                )
            )
        if settle.late:
            record.late = True
        if settle.status >= FINAL and settle.status != Status.PARKED:
            self._finish(settle.seq)

    def _finish(self, seq: int) -> None:
        finished = self._finished
        finished.append(seq)
        if len(finished) > self._history:
            gone = self.records.pop(finished.popleft(), None)
            if gone is not None and gone.message.origin is not None:
                self._origins.pop(gone.message.origin, None)
            if gone is not None:
                self.archive.forget(gone.message)

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
            self.records[seq].status = Status.CLAIMED
        self.archive.note(commit.logs, commit.alerts)

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
        for seq, record in self.records.items():
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

    async def next_due(self) -> int:
        return min((record.due for record in self.records.values() if record.status == Status.WAITING), default=0)

    async def sent_by(self, cause: int) -> list[Sent]:
        return [
            Sent(seq, record.message.origin, record.status, record.reply, record.failure)
            for seq, record in self.records.items()
            if record.message.cause == cause and record.message.origin is not None
        ]

    def state(self, service: str, key: str) -> dict[str, tuple[bytes, int]]:
        return self._state.get((service, key), {})

    def state_keys(self, service: str) -> list[str]:
        return [key for owner, key in list(self._state) if owner == service and self._state[(owner, key)]]

