"""The upkeep of a store while its node runs: questions in a thread of their own, small steps in the journal's."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Collection, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

import apsw

from junctor.core.retention import Candidate
from junctor.core.upkeep import Backup, Fill, Look, Upkeep
from junctor.store import retention
from junctor.store.backup import write_backup
from junctor.store.store import Store

T = TypeVar("T")


class Between(Protocol):
    """Does something in the journal's thread, between two groups."""

    def __call__(self, step: Callable[[Store], T]) -> Coroutine[Any, Any, T]: ...


class SqliteUpkeep(Upkeep):
    """See :class:`junctor.core.upkeep.Upkeep`.

    :param between: runs a step in the journal's thread.
    :param stopping: set when the store is about to close: a backup is given up then.
    """

    def __init__(self, store: Store, between: Between, stopping: threading.Event) -> None:
        self._store = store
        self._readers = store.readers
        self._between = between
        self._stopping = stopping
        self._line = 0

    async def look(self, after: int, limit: int, targets: Collection[str] | None = None) -> Look:
        return await _aside(partial(retention.look, self._readers, after, limit, targets))

    async def open_from(self, targets: Collection[str]) -> int:
        return await _aside(partial(retention.open_from, self._readers, targets))

    async def failing(self, records: Sequence[Candidate]) -> set[bytes]:
        return await _aside(partial(retention.failing, self._readers, records))

    async def newest(self) -> int:
        return await _aside(partial(retention.newest, self._readers))

    async def fill(self) -> Fill:
        return await _aside(partial(retention.fill, self._readers))

    async def compact(self, size: int) -> None:
        await self._between(lambda store: store.keep(lambda db: retention.compact(db, size)))

    async def shrink(self) -> None:
        await self._between(lambda store: store.journal.checkpoint())

    async def prune(self, before: int) -> bool:
        def step(db: apsw.Connection) -> tuple[bool, int]:
            return retention.prune(db, self._store.directory, before, self._line)

        more, self._line = await self._between(lambda store: store.keep(step))
        return more

    async def backup(self, path: Path) -> Backup:
        left = threading.Event()

        def given_up() -> bool:
            return left.is_set() or self._stopping.is_set()

        try:
            return await _aside(partial(write_backup, self._store.path, path, given_up))
        finally:
            left.set()


async def _aside(ask: Callable[[], T]) -> T:
    """What blocking code answers, asked in a thread that ends with it: the readers of the engine are not kept waiting,
    and a node at rest keeps no thread for this."""
    threads = ThreadPoolExecutor(1, thread_name_prefix="junctor-upkeep")
    try:
        return await asyncio.get_running_loop().run_in_executor(threads, ask)
    finally:
        threads.shutdown(wait=False)
