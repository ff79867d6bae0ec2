"""A database that is not the one that the node used last: an older one, a copy, one without its log."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from junctor.core.records import Insert
from junctor.errors import StoreDamaged
from junctor.messages import Status
from junctor.store.identity import read_identity
from junctor.store.store import Store
from junctor.store.verify import verify

from .conftest import Bare


@pytest.fixture
def folder(bare: Bare) -> Iterator[Path]:
    bare.commit(inserts=[Insert(bare.message()) for _ in range(50)])
    yield bare.store.directory


def reopened(folder: Path) -> Store:
    store = Store(folder, reserve=0)
    store.close()
    return store


def copied(folder: Path, to: Path, *names: str) -> Path:
    """Some files of a store, or all, as they are now."""
    if not names:
        shutil.copytree(folder, to)
    else:
        to.mkdir()
        for name in names:
            shutil.copy(folder / name, to / name)
    return to


def test_the_folder_knows_the_last_opening(bare: Bare, folder: Path) -> None:
    bare.store.close()
    reopened(folder)
    bare.store = Store(folder, reserve=0)
    kept = read_identity(folder)
    assert kept is not None and kept.epoch == bare.store.opened.epoch == 3
    assert bare.store.opened.warnings == []


def test_an_older_database_in_place_of_a_newer_is_told_and_numbers_jump(bare: Bare, folder: Path) -> None:
    bare.store.close()
    old = copied(folder, folder.parent / "old")
    last = reopened(folder).first_number
    shutil.copy(old / "junctor.db", folder / "junctor.db")
    bare.store = Store(folder, reserve=0)
    [warning] = bare.store.opened.warnings
    assert "an older database was put in place" in warning and "delivered again" in warning
    assert bare.store.first_number > last + (1 << 31)
    assert bare.store.opened.epoch == 3


def test_a_second_older_database_gets_other_numbers_also_when_the_clock_went_back(
    bare: Bare, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare.store.close()
    old = copied(folder, folder.parent / "old")
    reopened(folder)
    shutil.copy(old / "junctor.db", folder / "junctor.db")
    first = reopened(folder).first_number
    monkeypatch.setattr("time.time", lambda: 1_000_000.0)
    shutil.copy(old / "junctor.db", folder / "junctor.db")
    bare.store = Store(folder, reserve=0)
    assert bare.store.first_number > first


def test_a_copy_of_a_running_store_without_its_log_is_told(bare: Bare, folder: Path) -> None:
    copy = copied(folder, folder.parent / "copy", "junctor.db", "node.json")
    if (copy / "junctor.db").stat().st_size == 0:
        pytest.skip("nothing was in the database itself yet")
    store = reopened(copy)
    assert any("log of the database is missing" in text or "missing beside" in text for text in store.opened.warnings)
    assert store.first_number > 1 << 31


def test_a_whole_copy_of_a_running_store_is_verified_and_told(bare: Bare, folder: Path) -> None:
    copy = copied(folder, folder.parent / "copy")
    store = reopened(copy)
    [warning] = store.opened.warnings
    assert "copy that was made while its node ran" in warning and "verified" in warning
    assert store.first_number > 1 << 31
    assert store.opened.depths["flow/sink"].count == 50


def test_a_copy_with_the_log_of_another_moment_is_refused_or_whole(bare: Bare, folder: Path) -> None:
    """The database of one moment with the log of a later one: SQLite itself cannot tell."""
    bare.store.journal.checkpoint()
    early = copied(folder, folder.parent / "early")
    for _ in range(3):
        bare.commit(inserts=[Insert(bare.message(b'"%s"' % (b"x" * 3000))) for _ in range(200)])
        bare.store.journal.checkpoint()
    bare.commit(inserts=[Insert(bare.message())])
    shutil.copy(folder / "junctor.db-wal", early / "junctor.db-wal")
    try:
        store = reopened(early)
    except StoreDamaged as error:
        assert "does not hold together" in str(error) or "damaged" in str(error)
    else:
        assert store.opened.warnings


def test_a_store_that_was_killed_and_not_copied_says_nothing(bare: Bare, folder: Path) -> None:
    shutil.copytree(folder, folder.parent / "aside")
    bare.store.close()
    for name in ("junctor.db", "junctor.db-wal", "junctor.db-shm"):
        source = folder.parent / "aside" / name
        if source.exists():  # into the same file, as a kill would have left it
            with open(folder / name, "r+b" if (folder / name).exists() else "wb") as file:
                file.truncate()
                file.write(source.read_bytes())
    bare.store = Store(folder, reserve=0)
    assert not bare.store.opened.clean
    assert bare.store.opened.warnings == []


def test_a_store_that_was_closed_may_be_moved(bare: Bare, folder: Path) -> None:
    bare.store.close()
    moved = copied(folder, folder.parent / "moved")
    store = reopened(moved)
    assert store.opened.warnings == [] and store.first_number == 51
    bare.store = Store(folder, reserve=0)


# A copy made file by file ------------------------------------------------------------------------------------


@pytest.mark.parametrize("names", [("junctor.db", "junctor.db-wal"), ("junctor.db-wal", "junctor.db"), ("junctor.db",)])
@pytest.mark.parametrize("seed", range(4))
def test_files_of_different_moments_are_refused_or_told(
    tmp_path: Path, bare: Bare, names: tuple[str, ...], seed: int
) -> None:
    """SQLite itself takes a log of another moment without a word."""
    chance = random.Random(seed)
    copy = tmp_path / "copy"
    copy.mkdir()
    _work(bare, chance, 5)
    for name in names:
        shutil.copy(bare.store.directory / name, copy / name)
        _work(bare, chance, chance.randint(1, 5))
    if chance.random() < 0.8:
        shutil.copy(bare.store.directory / "node.json", copy / "node.json")
    lost = not _has_node(copy)
    try:
        store = reopened(copy)
    except StoreDamaged:
        return
    assert store.opened.warnings or lost, f"seed {seed}"
    assert store.first_number > 1 << 31 or lost, f"seed {seed}"
    assert not verify(copy / "junctor.db").problems, f"seed {seed}"


def _work(bare: Bare, chance: random.Random, rounds: int) -> None:
    for _ in range(rounds):
        payload = b'"%s"' % (b"x" * chance.choice((10, 300, 5000)))
        messages = [bare.message(payload) for _ in range(chance.randint(1, 30))]
        bare.commit(inserts=[Insert(message, Status.DONE) for message in messages])
        if chance.random() < 0.4:
            bare.store.journal.checkpoint()
        if chance.random() < 0.3:
            bare.commit(removes=[message.seq for message in messages[::2]])


def _has_node(copy: Path) -> bool:
    """Whether anything tells that there was a node: its name in the database, or the file beside it."""
    db = apsw.Connection(str(copy / "junctor.db"), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        return (copy / "node.json").exists() or bool(
            db.execute("SELECT value FROM meta WHERE name = 'node'").fetchall()
        )
    except apsw.Error:
        return (copy / "node.json").exists()
    finally:
        db.close(True)
