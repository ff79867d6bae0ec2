"""Durable send to processed without an engine: one apsw connection in one thread, group commit, one consumer.

How the work is grouped: while the writer commits, the loop collects; when a commit lands, one wake-up of the loop
resolves the producers and feeds the consumer, so the next group carries the next inserts *and* the updates of the last.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from array import array
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import apsw

from benchmarks.bodies import PAYLOAD_BYTES
from benchmarks.load import Load, closed_loop, run

WAITING, DONE = 0, 3
SCHEMA = """
CREATE TABLE message (seq INTEGER PRIMARY KEY, session BLOB, cause INTEGER, source TEXT, target TEXT, type TEXT,
                      time INTEGER, status INTEGER, payload BLOB);
CREATE INDEX queue ON message (target, seq) WHERE status < 3;
"""
INSERT = "INSERT INTO message VALUES (?,?,?,?,?,?,?,?,?)"
UPDATE = f"UPDATE message SET status = {DONE} WHERE seq IN carray(?)"
PRAGMAS = (("journal_mode", "wal"), ("synchronous", 2))

Row = tuple[int, bytes, int, str, str, str, int, int, bytes]


def open_store(folder: Path) -> apsw.Connection:
    """A new store with the pragmas read back: a yardstick without fsync would be a false one."""
    db = apsw.Connection(str(folder / "bare.db"))
    for name, value in PRAGMAS:
        db.pragma(name, value)
        if (found := db.pragma(name)) != value:
            raise RuntimeError(f"pragma {name}: wanted {value}, found {found}")
    db.execute(SCHEMA)
    return db


@dataclass(slots=True)
class Group:
    """What one commit carries."""

    rows: list[Row] = field(default_factory=list)
    accepted: list[asyncio.Future[None]] = field(default_factory=list)
    processed: list[int] = field(default_factory=list)


class Journal:
    """The loop's half of group commit, and the thread with its connection."""

    def __init__(self, folder: Path) -> None:
        self._loop = asyncio.get_running_loop()
        self._seq = 0
        self._session = os.urandom(16)
        self._next = Group()
        self._flushing = self._committing = False
        self._groups: SimpleQueue[Group | None] = SimpleQueue()
        self._inbox: deque[Row] = deque()
        self._sleeping: asyncio.Future[None] | None = None
        self._drained: asyncio.Future[None] | None = None
        self.processed = 0
        self._thread = threading.Thread(target=self._write, args=(folder,), name="bare-writer")
        self._thread.start()

    def send(self, payload: bytes) -> asyncio.Future[None]:
        """Resolves when the message is on the disk."""
        self._seq += 1
        group = self._next
        group.rows.append(
            (self._seq, self._session, 0, "bench/producer", "bench/sink", "Sample", time.time_ns(), WAITING, payload)
        )
        accepted: asyncio.Future[None] = self._loop.create_future()
        group.accepted.append(accepted)
        self._flush_soon()
        return accepted

    async def consume(self, handler: Callable[[bytes], Awaitable[None]]) -> None:
        inbox = self._inbox
        while True:
            while inbox:
                row = inbox.popleft()
                await handler(row[8])
                self._next.processed.append(row[0])
            if self._next.processed:
                self._flush_soon()
            self._sleeping = self._loop.create_future()
            await self._sleeping

    async def drained(self) -> None:
        """Wait until the update of every message sent is committed."""
        if self.processed < self._seq:
            self._drained = self._loop.create_future()
            await self._drained

    async def close(self) -> None:
        self._groups.put(None)
        await asyncio.to_thread(self._thread.join)

    def _flush_soon(self) -> None:
        """Once a loop turn, behind everything that is ready, so that one group carries all of it."""
        if not self._flushing and not self._committing:
            self._flushing = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._flushing, self._committing = False, True
        group, self._next = self._next, Group()
        self._groups.put(group)

    def _write(self, folder: Path) -> None:
        db = open_store(folder)
        while (group := self._groups.get()) is not None:
            db.execute("BEGIN IMMEDIATE")
            if group.rows:
                db.executemany(INSERT, group.rows)
            if group.processed:
                db.execute(UPDATE, (apsw.carray(array("q", group.processed)),))
            db.execute("COMMIT")
            self._loop.call_soon_threadsafe(self._committed, group)
        db.close()

    def _committed(self, group: Group) -> None:
        self._committing = False
        for accepted in group.accepted:
            accepted.set_result(None)
        self._inbox.extend(group.rows)
        self.processed += len(group.processed)
        if self._inbox and self._sleeping is not None:
            self._sleeping.set_result(None)
            self._sleeping = None
        if self._next.rows or self._next.processed:
            self._flush_soon()
        if self._drained is not None and self.processed == self._seq:
            self._drained.set_result(None)
            self._drained = None


async def on_sample(payload: bytes) -> None:
    return None


async def _measure(folder: Path, load: Load) -> dict[str, float]:
    journal = Journal(folder)
    consumer = asyncio.create_task(journal.consume(on_sample))
    payload = os.urandom(PAYLOAD_BYTES)

    async def burst(load: Load) -> float:
        before, begin = journal.processed, time.perf_counter()
        await closed_loop(partial(journal.send, payload), load)
        await journal.drained()
        return (journal.processed - before) / (time.perf_counter() - begin)

    try:
        await burst(load.warm_up)
        return {"rate": await burst(load)}
    finally:
        consumer.cancel()
        await journal.close()
        _check_all_processed(folder, journal.processed)


def _check_all_processed(folder: Path, expected: int) -> None:
    """The figure counts committed updates; the file has the last word on how many there are."""
    db = apsw.Connection(str(folder / "bare.db"), flags=apsw.SQLITE_OPEN_READONLY)
    found = db.execute(f"SELECT count(*) FROM message WHERE status = {DONE}").fetchone()[0]
    if found != expected:
        raise RuntimeError(f"{expected} messages counted as processed, {found} in the file")


def group_commit(params: Mapping[str, Any]) -> dict[str, float]:
    return run(_measure(Path(params["folder"]), Load(**params["load"])))
