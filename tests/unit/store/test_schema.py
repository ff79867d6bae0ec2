"""Migrations: from nothing, from an older version, never from a newer one or from somebody else's file."""

from __future__ import annotations

from pathlib import Path

import apsw
import pytest

from junctor.errors import StoreDamaged, StoreError, StoreTooNew
from junctor.store.connection import open_reader, open_writer, select, set_pragma
from junctor.store.hops import IS_SOUND
from junctor.store.schema import APPLICATION, MIGRATIONS, migrate
from junctor.store.spans import SHIFT
from junctor.store.store import Store

NEXT = (*MIGRATIONS, "ALTER TABLE hop ADD COLUMN extra INTEGER; CREATE INDEX hop_extra ON hop (extra);")


def tables(db: apsw.Connection) -> set[str]:
    return {name for (name,) in select(db, "SELECT name FROM sqlite_schema WHERE type = 'table'")}


def test_a_new_store_gets_todays_version(tmp_path: Path) -> None:
    db = open_writer(tmp_path / "x.db")
    assert migrate(db, "here") == 0
    assert db.pragma("user_version") == len(MIGRATIONS)
    assert db.pragma("application_id") == APPLICATION
    assert {"message", "hop", "reply", "attempt", "state", "log", "alert", "meta", "body", "word"} <= tables(db)
    assert migrate(db, "here") == len(MIGRATIONS), "a second time changes nothing"
    db.close()


def test_an_older_store_is_brought_up_with_its_content(tmp_path: Path) -> None:
    db = open_writer(tmp_path / "x.db")
    migrate(db, "here")
    db.execute("INSERT INTO alert VALUES (1, 2, 'k', 's', 't', 'c', 3)")
    assert migrate(db, "here", NEXT) == len(MIGRATIONS)
    assert db.pragma("user_version") == len(NEXT)
    assert select(db, "SELECT kind FROM alert") == [("k",)]
    assert ("extra",) in select(db, "SELECT name FROM pragma_table_info('hop')")
    db.close()


def test_records_of_the_first_version_are_found_and_sound_in_the_second(tmp_path: Path) -> None:
    db = open_writer(tmp_path / "x.db")
    migrate(db, "here", MIGRATIONS[:1])
    for seq, status, due in ((1, 3, 0), (5000, 2, 1_900_000_000_000_000_000), (1 << 50, 4, 0)):
        db.execute("INSERT INTO hop VALUES (?, 1, 2, 3, NULL, 9, ?, 7, ?, 0, 0, NULL)", (seq, status, due))
    migrate(db, "here", MIGRATIONS[:2])
    assert select(db, f"SELECT count(*) FROM hop WHERE {IS_SOUND}") == [(3,)]
    expected = {(word, seq >> SHIFT) for word in (1, 2, 3) for seq in (1, 5000, 1 << 50)}
    assert set(select(db, "SELECT word, block FROM span")) == expected
    assert [
        row[3] for row in select(db, "EXPLAIN QUERY PLAN SELECT seq FROM hop INDEXED BY hop_ended WHERE status > 3")
    ]
    db.close()


def test_a_step_that_fails_leaves_the_version_before_it(tmp_path: Path) -> None:
    db = open_writer(tmp_path / "x.db")
    migrate(db, "here")
    broken = (*NEXT, "CREATE TABLE half (a); INSERT INTO nowhere VALUES (1)")
    with pytest.raises(apsw.SQLError):
        migrate(db, "here", broken)
    assert db.pragma("user_version") == len(NEXT)
    assert "half" not in tables(db)
    db.close()


def test_a_newer_store_is_refused_and_not_touched(tmp_path: Path) -> None:
    Store(tmp_path, reserve=0).close()
    path = tmp_path / "junctor.db"
    db = apsw.Connection(str(path))
    db.pragma("user_version", len(MIGRATIONS) + 1)
    db.close()
    before = path.read_bytes()
    with pytest.raises(StoreTooNew, match=f"version {len(MIGRATIONS) + 1}.*{len(MIGRATIONS)}"):
        Store(tmp_path, reserve=0)
    assert path.read_bytes() == before


def test_a_version_that_never_was_is_damage(tmp_path: Path) -> None:
    Store(tmp_path, reserve=0).close()
    db = apsw.Connection(str(tmp_path / "junctor.db"))
    db.pragma("user_version", -(2**31) + 2)
    db.close()
    with pytest.raises(StoreDamaged, match="has version -"):
        Store(tmp_path, reserve=0)


def test_a_database_of_another_program_is_refused(tmp_path: Path) -> None:
    db = apsw.Connection(str(tmp_path / "junctor.db"))
    db.execute("CREATE TABLE bookmarks (url)")
    db.close()
    with pytest.raises(StoreError, match="another program"):
        Store(tmp_path, reserve=0)


def test_what_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "junctor.db").write_bytes(b"this is a text, and a rather long one, " * 200)
    with pytest.raises(StoreDamaged, match="damaged"):
        Store(tmp_path, reserve=0)
    assert (tmp_path / "junctor.db").read_bytes().startswith(b"this is a text")


def test_every_pragma_holds(tmp_path: Path) -> None:
    db = open_writer(tmp_path / "x.db")
    migrate(db, "here")
    assert (db.pragma("journal_mode"), db.pragma("synchronous"), db.pragma("mmap_size")) == ("wal", 2, 0)
    assert db.pragma("auto_vacuum") == 2
    assert db.pragma("wal_autocheckpoint") == 0
    with pytest.raises(StoreError, match="pragma user_versoin"):
        set_pragma(db, "user_versoin", 1, tmp_path)
    db.close()


def test_a_reader_cannot_write(tmp_path: Path) -> None:
    Store(tmp_path, reserve=0).close()
    db = open_reader(tmp_path / "junctor.db")
    with pytest.raises(apsw.ReadOnlyError):
        db.execute("DELETE FROM meta")
    db.close()


def test_a_reader_makes_no_database(tmp_path: Path) -> None:
    with pytest.raises(StoreError):
        open_reader(tmp_path / "x.db")
    assert not list(tmp_path.iterdir())
