"""Messages in a folder: the embedded, durable transport over the store. The default.

Two threads work beside the loop. The journal's thread owns the writing connection; it gets all commits of a loop turn
at once, and while it commits one group the next collects. The readers' thread answers the engine's questions. Nothing
here blocks the loop.
"""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from junctor.core.records import Archive
from junctor.core.run import Run, Turn
from junctor.errors import NotRunning
from junctor.store import queues, runs
from junctor.store.journal import Report
from junctor.store.mark import SECONDS
from junctor.store.reserve import RESERVE_BYTES
from junctor.store.room import measure
from junctor.store.store import Store
from junctor.transports.base import Capabilities, Commit, Opened, Room, Sent, Stored, Transport, Upkeep
from junctor.transports.upkeep import SqliteUpkeep

T = TypeVar("T")
Step = Callable[[Store], None]

RETRY_FULL = 0.5
"""Seconds between two attempts to write while the disk is full."""

PATIENCE = 4
"""Turns of the loop that a group waits for what its commits lead to. Some lead to others without an end."""


class SqliteTransport(Transport):
    """See :mod:`junctor.transports.base`.

    :param directory: the data directory; made when it is not there.
    :param vfs: name of a registered SQLite file system, for tests of crashes and power cuts.
    :param reserve: bytes kept free for settlements when the disk is full.
    :param mark: seconds between two marks of how long the log is; 0 writes one with each group of commits, a second
        sync, and then no truncated log goes unnoticed. See :mod:`junctor.store.mark`.
    """

    name = "sqlite"
    # by_reference: a first delivery and one after a crash get the same decoded body.
    capabilities = Capabilities(durable=True, by_reference=False)
    archive: Archive

    def __init__(
        self, directory: Path, *, vfs: str | None = None, reserve: int = RESERVE_BYTES, mark: float = SECONDS
    ) -> None:
        self._mark = mark
        self._directory = Path(directory)
        self._vfs = vfs
        self._reserve = reserve
        self._groups: SimpleQueue[list[Commit] | Step | None] = SimpleQueue()
        self._next: list[Commit] = []
        self._idle = False  # whether no flush is on its way and no group is being written
        self._expecting = False  # whether a commit that leads has come since the flush was asked for
        self._waited = 0
        self._thread: threading.Thread | None = None
        self._closing = False
        self._stopping = threading.Event()

    # Life ----------------------------------------------------------------------------------------------------

    async def open(self, failed: Callable[[Exception], object]) -> Opened:
        self._loop = asyncio.get_running_loop()
        self._failed = failed
        opened: asyncio.Future[Store] = self._loop.create_future()
        ended: asyncio.Future[None] = self._loop.create_future()
        self._ended = ended
        self._thread = threading.Thread(target=self._work, args=(opened,), name="junctor-journal", daemon=True)
        self._thread.start()
        try:
            store = await opened
        except BaseException:
            self._groups.put(None)  # should the thread still be on its way
            self._thread = None
            self.commit = self._refuse  # type: ignore[method-assign]
            raise
        self._store = store
        self._idle = True
        self._asking = ThreadPoolExecutor(2, thread_name_prefix="junctor-reader")
        self.archive = store.archive
        self.state = store.state.read  # type: ignore[method-assign]
        self.number = itertools.count(store.first_number).__next__  # type: ignore[method-assign]
        return store.opened

    async def aclose(self) -> None:
        if self._thread is None:
            return
        if not self._closing:
            self._closing = True
            self._stopping.set()
            self.commit = self._refuse  # type: ignore[method-assign]
            self._groups.put(self._next)
            self._next = []
            self._groups.put(None)
        try:
            await asyncio.shield(self._ended)
        finally:
            self._asking.shutdown(wait=False)

    # Writing -------------------------------------------------------------------------------------------------

    def number(self) -> int:
        raise NotRunning("the transport is not open")

    def commit(self, commit: Commit) -> None:
        self._next.append(commit)
        if commit.leads:
            self._expecting = True
        if self._idle:
            self._idle = False
            self._loop.call_soon(self._flush)

    def _refuse(self, commit: Commit) -> None:
        """Stands in for :meth:`commit` once the transport is closed."""
        self._loop.call_soon(commit.done, commit, NotRunning("the store is closed"))

    def _flush(self) -> None:
        """Once a loop turn, behind everything that is ready, so that one group carries all of it.

        One group at a time: to hand over a second one while the first is written was measured to cost a quarter of the
        throughput, because both threads then fight for the interpreter lock.
        """
        if self._expecting and self._waited < PATIENCE:
            self._expecting = False
            self._waited += 1
            self._loop.call_soon(self._flush)
            return
        self._expecting, self._waited = False, 0
        group, self._next = self._next, []
        if group and not self._closing:
            self._groups.put(group)
        else:
            self._idle = True

    def _tell(self, report: Report) -> None:
        self._tell_end(report.dead)
        for commit, error in report.verdicts:
            try:
                commit.done(commit, error)
            except Exception as raised:  # noqa: BLE001 - the others are to be told all the same
                self._loop.call_exception_handler({"message": "done of a commit raised", "exception": raised})
        # Last: the flush is to run behind everything that these calls have woken.
        self._loop.call_soon(self._flush)

    # Upkeep --------------------------------------------------------------------------------------------------

    def room(self) -> Room:
        return measure(self._directory)

    def upkeep(self) -> Upkeep:
        return SqliteUpkeep(self._store, self.between, self._stopping)

    async def between(self, step: Callable[[Store], T]) -> T:
        """Let the journal's thread do something between two groups: to be short.

        :raises NotRunning: the store is closed.
        """
        if self._closing:
            raise NotRunning("the store is closed")
        done: asyncio.Future[T] = self._loop.create_future()

        def run(store: Store) -> None:
            try:
                result = step(store)
            except BaseException as error:  # noqa: BLE001 - goes to whoever waits
                self._post(partial(_fail, done, error))
            else:
                self._post(partial(_resolve, done, result))

        self._groups.put(run)
        return await done

    def _tell_end(self, dead: Exception | None) -> None:
        if dead is not None:
            failed, self._failed = self._failed, _ignore
            failed(dead)

    # The journal's thread ------------------------------------------------------------------------------------

    def _work(self, opened: asyncio.Future[Store]) -> None:
        try:
            store = Store(self._directory, self._vfs, self._reserve, self._mark)
        except BaseException as error:  # noqa: BLE001 - goes to whoever awaits open()
            self._post(partial(_fail, opened, error))
            return
        self._post(partial(_resolve, opened, store))
        try:
            self._write(store)
            store.close()
        except BaseException as error:  # noqa: BLE001 - goes to whoever awaits aclose()
            self._post(partial(_fail, self._ended, error))
        else:
            self._post(partial(_resolve, self._ended, None))

    def _write(self, store: Store) -> None:
        journal, groups = store.journal, self._groups
        while True:
            try:
                group = groups.get(timeout=RETRY_FULL if journal.waiting else store.mark.patience)
            except Empty:
                store.mark.write()
                group = []
                if not journal.waiting:
                    continue
            if group is None:
                break
            if isinstance(group, list):
                report = journal.apply(group)
                store.mark.note(journal.synced_pages)
                self._post(partial(self._tell, report))
            else:
                group(store)
                self._post(partial(self._tell_end, journal.dead))
            if journal.checkpoint_is_due:
                report = journal.checkpoint()
                if report.dead is not None:
                    self._post(partial(self._tell, report))
        self._post(partial(self._tell, journal.give_up()))

    def _post(self, call: Callable[[], object]) -> None:
        try:
            self._loop.call_soon_threadsafe(call)
        except RuntimeError:  # the loop is gone, and with it whoever waited
            pass

    # Reading -------------------------------------------------------------------------------------------------

    async def fetch(self, target: str, after: int, limit: int, now: int, key: str | None = None) -> list[Stored]:
        ask = partial(queues.fetch, self._store.readers, target, after, limit, now, key)
        return await self._loop.run_in_executor(self._asking, ask)

    async def next_due(self, after: int = 0) -> int:
        return await self._loop.run_in_executor(self._asking, queues.next_due, self._store.readers, after)

    async def sent_by(self, cause: int) -> list[Sent]:
        return await self._loop.run_in_executor(self._asking, queues.sent_by, self._store.readers, cause)

    def state(self, service: str, key: str) -> dict[str, tuple[bytes, int]]:
        raise NotRunning("the transport is not open")

    def run(self, seq: int) -> Run | None:
        return runs.find_run(self._store.readers, seq)

    def run_called(self, service: str, key: str) -> int:
        return runs.run_called(self._store.readers, service, key)

    def turns(self, seq: int, after: int = 0) -> list[Turn]:
        return runs.turns_of(self._store.readers, seq, after)

    def state_keys(self, service: str) -> list[str]:
        return self._store.state.keys(service)


def _resolve(future: asyncio.Future[T], value: T) -> None:
    if not future.done():
        future.set_result(value)


def _fail(future: asyncio.Future[Any], error: BaseException) -> None:
    if not future.done():
        future.set_exception(error)


def _ignore(error: Exception) -> None:
    return None
