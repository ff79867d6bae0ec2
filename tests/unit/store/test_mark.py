"""A log that was cut off between two transactions, or lost: told as far as the mark reaches."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from junctor.core.records import AlertRecord, Commit, Insert
from junctor.store.identity import DATABASE
from junctor.store.mark import LogMark
from junctor.store.store import Store
from junctor.transports.sqlite import SqliteTransport
from tests.unit.store.conftest import Bare

LOG, MARK = f"{DATABASE}-wal", f"{DATABASE}-mark"
FRAME = 24 + 4096


@pytest.fixture
def killed(tmp_path: Path) -> Callable[[Callable[[Bare], object]], Path]:
    """Makes the folder of a store as a kill leaves it: what was done to it stands in its log."""

    def make(work: Callable[[Bare], object]) -> Path:
        bare = Bare(tmp_path)
        bare.store.journal.checkpoint()  # what opening it wrote is in the database, and the log begins anew
        work(bare)
        kept = {name: (tmp_path / name).read_bytes() for name in (DATABASE, LOG, MARK)}
        bare.store.close()
        for name, data in kept.items():
            (tmp_path / name).write_bytes(data)
        return tmp_path

    return make


def committed(bare: Bare, count: int) -> None:
    for _ in range(count):
        bare.commit(inserts=[Insert(bare.message())])
    bare.store.mark.note(bare.store.journal.synced_pages)
    bare.store.mark.write()


def ends(log: Path) -> list[int]:
    """The sizes of the log at the end of each transaction."""
    data = log.read_bytes()
    starts = range(32, len(data), FRAME)
    return [start + FRAME for start in starts if struct.unpack(">I", data[start + 4 : start + 8])[0]]


def warnings(directory: Path) -> list[str]:
    store = Store(directory, reserve=0)
    store.close()
    return store.opened.warnings


def test_a_whole_log_is_silent(killed: Callable[[Callable[[Bare], object]], Path]) -> None:
    folder = killed(lambda bare: committed(bare, 5))
    assert warnings(folder) == []
    assert warnings(folder) == [], "and so is the one after a clean end"


@pytest.mark.parametrize("cut", range(5))
def test_a_log_cut_between_two_transactions_is_told(
    killed: Callable[[Callable[[Bare], object]], Path], cut: int
) -> None:
    folder = killed(lambda bare: committed(bare, 5))
    sizes = [0, *ends(folder / LOG)][:-1]
    with (folder / LOG).open("r+b") as log:
        log.truncate(sizes[cut])
    [warning] = warnings(folder)
    assert "the log of the last run" in warning
    assert "may be missing, or be handled again" in warning


def test_what_comes_after_the_mark_can_be_lost_unnoticed(killed: Callable[[Callable[[Bare], object]], Path]) -> None:
    def work(bare: Bare) -> None:
        committed(bare, 2)
        bare.commit(inserts=[Insert(bare.message())])

    folder = killed(work)
    with (folder / LOG).open("r+b") as log:
        log.truncate(ends(folder / LOG)[-2])
    assert warnings(folder) == []


def test_a_log_that_began_anew_is_another_one(killed: Callable[[Callable[[Bare], object]], Path]) -> None:
    def work(bare: Bare) -> None:
        committed(bare, 5)
        bare.store.journal.checkpoint()
        bare.commit(inserts=[Insert(bare.message())])

    assert warnings(killed(work)) == []


@pytest.mark.parametrize("data", [b"", b"torn", bytes(44), b"x" * 100])
def test_a_mark_that_says_nothing_is_none(killed: Callable[[Callable[[Bare], object]], Path], data: bytes) -> None:
    folder = killed(lambda bare: committed(bare, 5))
    (folder / MARK).write_bytes(data)
    (folder / LOG).write_bytes(b"")
    assert warnings(folder) == []


def test_a_mark_that_cannot_be_written_is_done_without(tmp_path: Path) -> None:
    (tmp_path / MARK).mkdir()
    bare = Bare(tmp_path)
    committed(bare, 2)
    bare.store.close()


def test_marks_are_written_from_time_to_time(tmp_path: Path) -> None:
    (tmp_path / LOG).write_bytes(bytes(40))
    (tmp_path / DATABASE).touch()
    mark = LogMark(tmp_path / DATABASE, 3600)
    assert mark.patience is None
    mark.note(1)
    first = (tmp_path / MARK).read_bytes()
    mark.note(2)
    assert mark.patience == 3600, "the next one is due when nothing else comes"
    assert (tmp_path / MARK).read_bytes() == first
    mark.write()
    assert mark.patience is None
    assert (tmp_path / MARK).read_bytes() != first


def test_the_transport_marks_what_it_commits(tmp_path: Path) -> None:
    asyncio.run(_commit_and_look(tmp_path))


async def _commit_and_look(directory: Path) -> None:
    transport = SqliteTransport(directory, reserve=0, mark=0)
    await transport.open(lambda error: None)
    told: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    transport.commit(Commit(lambda commit, error: told.set_result(None), alerts=[AlertRecord(1, "k", "s", "t")]))
    await told
    found = LogMark(directory / DATABASE)._read()
    assert found is not None
    assert found[1] > 0
    await transport.aclose()
    found = LogMark(directory / DATABASE)._read()
    assert found is not None
    assert found[1] == 0
