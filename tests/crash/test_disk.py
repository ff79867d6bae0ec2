"""A disk that fails, or fills up."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import apsw
import pytest

from junctor.core.outcome import StateWrite
from junctor.core.records import Commit, Insert, Settle
from junctor.errors import JunctorError, StoreError, StoreFull
from junctor.messages import Status
from junctor.testing.transports import Bench, SqliteSite
from junctor.transports.sqlite import SqliteTransport
from tests.crash.vfs import AtOperation, Taps, tapped

pytestmark = pytest.mark.crash


def bench_on(folder: Path, vfs: str) -> Bench:
    return Bench(SqliteSite(folder, vfs=vfs, reserve=0))


def fail_with(error: Exception) -> Any:
    def act() -> None:
        raise error

    return act


# The disk fails ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["sync", "write"])
async def test_an_io_error_on_commit_acknowledges_nothing_and_ends_the_journal(tmp_path: Path, kind: str) -> None:
    taps = AtOperation(0, fail_with(apsw.IOError("injected")), writes=kind == "write", syncs=kind == "sync")
    with tapped(taps) as vfs:
        bench = bench_on(tmp_path, vfs)
        await bench.open()
        kept = bench.message()
        await bench.accept(kept)
        taps.at = taps.count + 1
        told = [bench.commit(inserts=[Insert(bench.message())]) for _ in range(3)]
        results = await asyncio.gather(*told, return_exceptions=True)
        assert all(isinstance(result, StoreError) for result in results)
        assert len(bench.failures) == 1
        assert isinstance(bench.failures[0], StoreError)
        with pytest.raises(StoreError):
            await bench.commit(settles=[Settle(kept.seq, Status.DONE)])
        assert len(bench.failures) == 1, "the end is told once"
        await bench.transport.aclose()
    again = await _reopened(tmp_path)
    assert not again.opened.clean
    assert kept.seq in await again.queued()
    await again.transport.aclose()


async def _reopened(folder: Path) -> Bench:
    bench = Bench(SqliteSite(folder, reserve=0))
    await bench.open()
    return bench


async def test_failed_is_told_before_the_commits_that_it_ends(tmp_path: Path) -> None:
    taps = AtOperation(0, fail_with(apsw.IOError("injected")), writes=False)
    order: list[str] = []
    with tapped(taps) as vfs:
        transport = SqliteTransport(tmp_path, vfs=vfs, reserve=0)
        await transport.open(lambda error: order.append("failed"))
        taps.at = taps.count + 1
        told = asyncio.Event()

        def done(commit: Commit, error: Exception | None) -> None:
            order.append("done")
            told.set()

        transport.commit(Commit(done, writes=[StateWrite("k", "n", b"1", 0)], source="f/s"))
        await told.wait()
        await transport.aclose()
    assert order == ["failed", "done"]


# The disk is full --------------------------------------------------------------------------------------------


class FullDisk(Taps):
    """No write fits while ``full``. A checkpoint into the database fits: its pages are there."""

    full = False

    def write(self, path: str, offset: int, data: bytes) -> None:
        if self.full and path.endswith("-wal"):
            raise apsw.FullError("injected")


async def test_a_full_disk_refuses_the_new_and_keeps_the_rest_in_order(tmp_path: Path) -> None:
    disk = FullDisk()
    with tapped(disk) as vfs:
        bench = bench_on(tmp_path, vfs)
        await bench.open()
        accepted = [bench.message() for _ in range(3)]
        await bench.accept(*accepted)
        disk.full = True
        before = bench.commit(settles=[Settle(accepted[0].seq, Status.WAITING, 1, 5)])
        refused = [bench.commit(inserts=[Insert(bench.message())], external=True) for _ in range(3)]
        draft = bench.message()
        after = bench.commit(
            inserts=[Insert(draft)],
            settles=[Settle(accepted[0].seq, Status.DONE, 2)],
            writes=[StateWrite("k", "n", b"1", 0)],
            source="flow/s",
        )
        results = await asyncio.gather(*refused, return_exceptions=True)
        assert all(isinstance(result, StoreFull) for result in results)
        with pytest.raises(StoreFull):
            await bench.commit(inserts=[Insert(bench.message())], external=True)
        assert not before.done()
        assert not after.done()
        assert not bench.failures
        disk.full = False
        await asyncio.gather(before, after)
        assert bench.status(accepted[0]) == Status.DONE
        assert bench.transport.state("flow/s", "k") == {"n": (b"1", 1)}
        await bench.commit(inserts=[Insert(bench.message())], external=True)
        assert len(await bench.queued()) == 4
        await bench.transport.aclose()


async def test_closing_on_a_full_disk_tells_that_the_rest_was_not_stored(tmp_path: Path) -> None:
    disk = FullDisk()
    with tapped(disk) as vfs:
        bench = bench_on(tmp_path, vfs)
        await bench.open()
        message = bench.message()
        await bench.accept(message)
        disk.full = True
        kept = bench.commit(settles=[Settle(message.seq, Status.DONE)])
        with pytest.raises(JunctorError):
            await bench.transport.aclose()
        with pytest.raises(StoreFull):
            await kept
    again = await _reopened(tmp_path)
    assert await again.queued() == [message.seq]
    await again.transport.aclose()


async def test_the_reserve_takes_settlements_when_the_disk_is_full(tmp_path: Path) -> None:
    reserve = tmp_path / "0" / "reserve"

    class SmallDisk(Taps):
        full = False

        def write(self, path: str, offset: int, data: bytes) -> None:
            if self.full and reserve.exists():
                raise apsw.FullError("injected")

    disk = SmallDisk()
    with tapped(disk) as vfs:
        bench = Bench(SqliteSite(tmp_path, vfs=vfs, reserve=65536))
        await bench.open()
        message = bench.message()
        await bench.accept(message)
        assert reserve.stat().st_size == 65536
        disk.full = True
        settled = bench.commit(settles=[Settle(message.seq, Status.DONE)])
        refused = bench.commit(inserts=[Insert(bench.message())], external=True)
        await settled
        with pytest.raises(StoreFull):
            await refused
        disk.full = False
        await bench.commit()
        assert reserve.exists()
        await bench.transport.aclose()
