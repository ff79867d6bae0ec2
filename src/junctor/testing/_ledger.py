"""What a flow under test did, as its transport saw it: the messages that were accepted, and what became of each."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from junctor.core.outcome import Failure
from junctor.core.records import AlertRecord, HopLog
from junctor.errors import StoreError
from junctor.messages import Kind, Message, Status
from junctor.transports.base import Commit, Opened
from junctor.transports.memory import MemoryTransport
from junctor.transports.sqlite import SqliteTransport

HISTORY = 1_000_000
"""Finished messages that a flow under test keeps in memory for its trace."""

QUEUED = frozenset({Kind.SEND, Kind.REQUEST, Kind.EVENT})


class Failed(msgspec.Struct, frozen=True):
    """A message or first hop that failed: for good, or (WAITING) to be tried again."""

    message: Message
    status: Status
    attempts: int
    failure: Failure


class Ledger:
    """``messages`` in the order of acceptance, ``failed`` in the order of failing, ``retried`` with the last failure of
    what is to be tried again. ``pending`` counts the commits that are under way, ``commits`` those that are done."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.failed: list[Failed] = []
        self.retried: dict[int, Failed] = {}
        self.alerts: list[AlertRecord] = []
        self.logs: list[HopLog] = []
        self.pending = 0
        self.commits = 0
        self._waiting: list[asyncio.Future[None]] = []
        self._hops: dict[int, Message] = {}

    def watch(self, commit: Commit) -> None:
        """Take note of a commit as soon as it is done."""
        told = commit.done
        self.pending += 1

        def done(commit: Commit, error: Exception | None) -> None:
            self.pending -= 1
            self.commits += 1
            if error is None:
                self._keep(commit)
            told(commit, error)
            self._tell()

        commit.done = done

    def done(self) -> asyncio.Future[None]:
        """Done when the next commit is."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        return future

    async def written(self) -> None:
        """Return when no commit is under way."""
        while self.pending:
            await self.done()

    def _tell(self) -> None:
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)

    def accept(self, message: Message) -> None:
        self._hops[message.seq] = message
        if message.kind in QUEUED:
            self.messages.append(message)

    def message(self, seq: int) -> Message | None:
        return self._hops.get(seq)

    def _keep(self, commit: Commit) -> None:
        duplicates = commit.duplicates or ()
        for insert in commit.inserts:
            if insert.message.seq not in duplicates:
                self.accept(insert.message)
        for settle in commit.settles:
            message = self._hops.get(settle.seq)
            if settle.status is not Status.WAITING:
                self.retried.pop(settle.seq, None)
            if message is None or settle.failure is None:
                continue
            failed = Failed(message, settle.status, settle.attempt, settle.failure)
            if settle.status is Status.WAITING:
                self.retried[settle.seq] = failed
            elif settle.status in (Status.PARKED, Status.FAILED):
                self.failed.append(failed)
        self.alerts.extend(commit.alerts)
        self.logs.extend(commit.logs)


class WatchedMemory(MemoryTransport):
    """The memory transport, with a ledger and a name that is the same in each run."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__(HISTORY)
        self._ledger = ledger
        put = self.put

        def noted(seq: int, message: Message) -> None:
            ledger.accept(message)
            ledger.commits += 1
            put(seq, message)

        self.put = noted  # type: ignore[method-assign]

    async def open(self, failed: Callable[[Exception], object]) -> Opened:
        opened = await super().open(failed)
        opened.node = "test"
        return opened

    def commit(self, commit: Commit) -> None:
        self._ledger.watch(commit)
        super().commit(commit)


class WatchedSqlite(SqliteTransport):
    """The sqlite transport, with a ledger. ``abandoned``: as if the process had been killed, nothing is taken or told
    any more."""

    def __init__(self, directory: Path, ledger: Ledger, **options: Any) -> None:
        super().__init__(directory, **options)
        self.directory = Path(directory)
        self._ledger = ledger
        self._abandoned = False

    def commit(self, commit: Commit) -> None:
        if self._abandoned:
            return
        self._ledger.watch(commit)
        # A test has no power cut: what the operating system has is safe from a kill.
        commit.durability = "written"
        super().commit(commit)

    def abandon(self) -> None:
        """Take nothing more.

        :raises StoreError: a commit is under way; wait for it, so that the folder can be copied.
        """
        if self._ledger.pending:
            raise StoreError("a commit is under way", where="crash")
        self._abandoned = True
