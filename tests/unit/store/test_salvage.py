"""A copy of what can be read of a damaged store."""

from __future__ import annotations

import os
import random
import sqlite3
from pathlib import Path

import pytest

from junctor.core.records import Insert, Settle, StateWrite
from junctor.errors import JunctorError, StoreDamaged, StoreLocked
from junctor.messages import Status
from junctor.store.backup import BackupFailed, write_backup
from junctor.store.identity import DATABASE
from junctor.store.restore import restore
from junctor.store.salvage import Salvaged, salvage
from junctor.store.store import Store
from junctor.store.verify import verify

from .conftest import Bare
from .test_rot import Stock, flip, stock

PAGE = 4096


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Stock:
    return stock(tmp_path_factory.mktemp("salvage") / "store", 300, closed=True)


def pages_of(path: Path, table: str) -> list[int]:
    """The leaf pages of a table or index, as Python's own SQLite knows them; a walk over the file where it does not."""
    with sqlite3.connect(path) as db:
        (root,) = db.execute("SELECT rootpage FROM sqlite_schema WHERE name = ?", (table,)).fetchone()
    db.close()
    data = path.read_bytes()
    found, waiting = [], [root]
    while waiting:
        page = waiting.pop()
        start = (page - 1) * PAGE
        if data[start] in (0x0D, 0x0A):
            found.append(page)
            continue
        count = int.from_bytes(data[start + 3 : start + 5], "big")
        waiting.append(int.from_bytes(data[start + 8 : start + 12], "big"))
        for cell in range(count):
            place = start + int.from_bytes(data[start + 12 + 2 * cell : start + 14 + 2 * cell], "big")
            waiting.append(int.from_bytes(data[place : place + 4], "big"))
    return sorted(found)


def spoil(path: Path, page: int) -> None:
    """What a bad sector gives: bytes of something else."""
    data = bytearray(path.read_bytes())
    data[(page - 1) * PAGE : page * PAGE] = random.Random(page).randbytes(PAGE)
    path.write_bytes(data)


def saved(made: Stock, tmp_path: Path) -> Salvaged:
    return salvage(made.directory / DATABASE, tmp_path / "saved.db")


def handed_out(folder: Path) -> set[int]:
    store = Store(folder, reserve=0)
    try:
        return {seq for (seq,) in store._db.execute("SELECT seq FROM hop WHERE status < 3")}
    finally:
        store.close()


def test_of_a_sound_store_nothing_is_lost(closed: Stock, tmp_path: Path) -> None:
    closed.put_back()
    made = saved(closed, tmp_path)
    assert (made.records, made.damaged, made.lost) == (len(closed.all), 0, [])
    assert verify(tmp_path / "saved.db").sound
    back = tmp_path / "back"
    restore(tmp_path / "saved.db", back)
    assert handed_out(back) == set(closed.owed)


@pytest.mark.parametrize("which", [0, 1, -1])
def test_a_page_of_bodies_costs_the_messages_that_were_on_it(closed: Stock, tmp_path: Path, which: int) -> None:
    closed.put_back()
    path = closed.directory / DATABASE
    spoil(path, pages_of(path, "message")[which])
    with pytest.raises(StoreDamaged, match=r"--salvage"):
        write_backup(path, tmp_path / "copy.db")
    made = saved(closed, tmp_path)
    (hole, content) = made.lost
    assert hole.startswith("message: what had numbers ") and content.startswith("the content of ")
    assert 0 < made.damaged < 60 and made.records == len(closed.all)


def test_a_page_of_statuses_costs_the_messages_that_were_on_it(closed: Stock, tmp_path: Path) -> None:
    closed.put_back()
    path = closed.directory / DATABASE
    spoil(path, pages_of(path, "hop")[0])
    made = saved(closed, tmp_path)
    lost = len(closed.all) - made.records
    assert 0 < lost < 200
    assert f"the status of {lost} messages (1, 2, " in made.lost[1] and "they are not in the copy" in made.lost[1]
    assert verify(tmp_path / "saved.db").sound


def test_names_come_from_their_index_where_the_table_is_lost(closed: Stock, tmp_path: Path) -> None:
    closed.put_back()
    path = closed.directory / DATABASE
    spoil(path, pages_of(path, "word")[0])
    made = saved(closed, tmp_path)
    assert (made.records, made.damaged) == (len(closed.all), 0)


def test_the_node_is_known_where_the_database_does_not_tell(closed: Stock, tmp_path: Path) -> None:
    closed.put_back()
    path = closed.directory / DATABASE
    spoil(path, pages_of(path, "meta")[0])
    made = saved(closed, tmp_path)
    assert (made.records, made.damaged) == (len(closed.all), 0)
    assert "meta" in made.lost[0]
    restore(tmp_path / "saved.db", tmp_path / "back")
    store = Store(tmp_path / "back", reserve=0)
    store.close()
    assert store.opened.node == next(iter(closed.all.values())).node
    assert any("restored from a backup" in text for text in store.opened.warnings)


def test_the_first_page_is_needed(closed: Stock, tmp_path: Path) -> None:
    closed.put_back()
    spoil(closed.directory / DATABASE, 1)
    with pytest.raises(StoreDamaged):
        saved(closed, tmp_path)
    assert not list(tmp_path.glob("saved*"))


@pytest.mark.parametrize("seed", range(25))
def test_what_is_saved_is_what_was_written(closed: Stock, tmp_path: Path, seed: int) -> None:
    """Flipped bits and spoiled pages anywhere: each record of the copy is the one that was written, or marked."""
    closed.put_back()
    path = closed.directory / DATABASE
    rng = random.Random(seed)
    for _ in range(rng.randrange(1, 4)):
        flip(path, rng)
        spoil(path, rng.randrange(2, path.stat().st_size // PAGE + 1))
    try:
        made = saved(closed, tmp_path)
    except JunctorError:
        assert not list(tmp_path.glob("saved*")), f"seed {seed}: nothing is left behind"
        return
    found = verify(tmp_path / "saved.db")
    assert not found.problems, f"seed {seed}"
    assert len(found.damaged) == made.damaged
    restore(tmp_path / "saved.db", tmp_path / "back")
    store = Store(tmp_path / "back", reserve=0)
    try:
        for seq, message in closed.all.items():
            record = store.archive.record(seq)
            assert record is None or record.damaged or record.message == message, f"seed {seed}: {seq}"
        missing = [seq for seq in closed.all if store.archive.record(seq) is None]
        assert made.lost or not missing, f"seed {seed}: {missing} are missing and nothing is said"
    finally:
        store.close()


def test_state_and_runs_are_copied_up_to_damage_and_behind_it(tmp_path: Path) -> None:
    bare = Bare(tmp_path / "store")
    for number in range(300):
        message = bare.message()
        write = StateWrite(f"key {number:03}", "value", b"x" * 100, 0)
        done = [Settle(message.seq, Status.DONE)]
        bare.commit(source="flow/sink", inserts=[Insert(message)], writes=[write], settles=done)
    bare.store.close()
    path = tmp_path / "store" / DATABASE
    pages = pages_of(path, "state")
    spoil(path, pages[len(pages) // 2])
    made = salvage(path, tmp_path / "saved.db")
    (told,) = made.lost
    assert told.startswith("state: rows behind the first ")
    with sqlite3.connect(tmp_path / "saved.db") as db:
        keys = [key for (key,) in db.execute("SELECT key FROM state ORDER BY key")]
    db.close()
    assert 200 < len(keys) < 300 and (keys[0], keys[-1]) == ("key 000", "key 299")


def test_it_is_for_a_node_that_is_down_and_overwrites_nothing(tmp_path: Path) -> None:
    bare = Bare(tmp_path / "store")
    with pytest.raises(StoreLocked):
        salvage(bare.store.path, tmp_path / "saved.db")
    bare.store.close()
    (tmp_path / "saved.db").touch()
    with pytest.raises(BackupFailed):
        salvage(bare.store.path, tmp_path / "saved.db")
    os.remove(tmp_path / "saved.db")
    assert salvage(bare.store.path, tmp_path / "saved.db").lost == []
