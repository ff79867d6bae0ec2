"""Entries of state under a checksum: none is read that was not written, and one that cannot be found is told."""

from __future__ import annotations

from pathlib import Path

import apsw
import pytest

from junctor.core.outcome import StateWrite
from junctor.errors import StoreDamaged
from junctor.store.backup import write_backup
from junctor.store.connection import open_writer, select
from junctor.store.identity import DATABASE
from junctor.store.restore import restore
from junctor.store.salvage import salvage
from junctor.store.schema import MIGRATIONS, migrate
from junctor.store.store import Store
from junctor.store.verify import verify
from tests.unit.store.conftest import Bare

COUNTER = "flow/counter"
FLIPPED = {
    "value": "value = x'32' WHERE key = 'b'",
    "version": "version = 7 WHERE key = 'b'",
    "key": "key = 'B' WHERE key = 'b'",
    "name": "name = 'cound' WHERE key = 'b'",
    "service": "service = service + 8 WHERE key = 'b'",
    "no text": "key = CAST(x'ff' AS TEXT) WHERE key = 'b'",
}


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """A closed store with the entry "count" under two keys."""
    bare = Bare(tmp_path / "store")
    for key in ("a", "b"):
        bare.commit(source=COUNTER, writes=[StateWrite(key, "count", b"1", 0)])
    bare.store.close()
    return tmp_path / "store" / DATABASE


def spoil(path: Path, change: str) -> None:
    db = apsw.Connection(str(path))
    db.execute(f"UPDATE state SET {change}")
    db.close()


@pytest.mark.parametrize("what", FLIPPED)
def test_each_part_of_an_entry_is_verified_at_the_opening(kept: Path, what: str) -> None:
    spoil(kept, FLIPPED[what])
    store = Store(kept.parent, reserve=0)
    (warning,) = store.opened.warnings
    assert warning.startswith("state is damaged: 'coun")
    assert store.state.read(COUNTER, "a") == {"count": (b"1", 1)}
    store.close()


@pytest.mark.parametrize("what", ["value", "version", "name"])
def test_a_damaged_entry_is_not_read(kept: Path, what: str) -> None:
    spoil(kept, FLIPPED[what])
    store = Store(kept.parent, reserve=0)
    with pytest.raises(StoreDamaged, match=r"^flow/counter, key 'b': .*'coun.' fails its checksum.*--salvage"):
        store.state.read(COUNTER, "b")
    store.close()


def test_what_was_changed_later_is_sound(bare: Bare) -> None:
    for version in range(3):
        bare.commit(source=COUNTER, writes=[StateWrite("a", "count", b"%d" % version, version)])
    bare.commit(source=COUNTER, writes=[StateWrite("ä", "näme", b"1", 0)])
    assert verify(bare.store.path).state == []


def test_a_page_that_lost_entries_is_told(kept: Path) -> None:
    """One entry fewer than there are: nothing else says that the second was ever there."""
    db = apsw.Connection(str(kept), flags=apsw.SQLITE_OPEN_READONLY)
    (page,) = (page for (page,) in db.execute("SELECT pageno FROM dbstat WHERE name = 'state'"))
    db.close()
    data = bytearray(kept.read_bytes())
    count = (page - 1) * 4096 + 4
    assert data[count] == 2
    data[count] = 1
    kept.write_bytes(data)
    store = Store(kept.parent, reserve=0)
    (warning,) = store.opened.warnings
    assert "entries may be missing" in warning
    store.close()


def test_the_others_are_saved(kept: Path, tmp_path: Path) -> None:
    spoil(kept, FLIPPED["key"])
    named = "'count' of flow/counter, key 'B'"
    assert verify(kept).state == [named]
    assert not verify(kept).sound
    write_backup(kept, tmp_path / "backup.db")  # of one entry, it is no less a copy
    assert salvage(kept, tmp_path / "saved.db").lost == [f"state: {named} is damaged, and left out"]
    assert verify(tmp_path / "saved.db").sound
    restore(tmp_path / "saved.db", tmp_path / "again")
    store = Store(tmp_path / "again", reserve=0)
    assert store.state.read(COUNTER, "a") == {"count": (b"1", 1)}
    assert store.state.read(COUNTER, "b") == {}
    store.close()


def test_state_of_an_earlier_version_is_sound(tmp_path: Path) -> None:
    db = open_writer(tmp_path / DATABASE)
    migrate(db, "here", MIGRATIONS[:3])
    db.execute("INSERT INTO word VALUES (1, ?)", (COUNTER,))
    db.execute("INSERT INTO state VALUES (1, 'ä', 'count', 1, x'31')")
    migrate(db, "here")
    assert select(db, "SELECT checksum != 0 FROM state") == [(1,)]
    db.close()
    assert verify(tmp_path / DATABASE).sound
