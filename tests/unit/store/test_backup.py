"""A copy of the store in one file, and back."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

import apsw
import pytest

from junctor.core.outcome import Failure
from junctor.core.records import Insert, Settle
from junctor.errors import StoreDamaged, StoreError, StoreLocked, StoreTooNew
from junctor.messages import Status
from junctor.store.backup import BackupFailed, write_backup
from junctor.store.restore import FRESH, install_restored, restore
from junctor.store.store import Store
from junctor.store.verify import verify

from .conftest import Bare


def fill(bare: Bare, count: int = 20) -> None:
    messages = [bare.message(b'"%d"' % n) for n in range(count)]
    bare.commit(inserts=[Insert(message) for message in messages])
    bare.commit(settles=[Settle(message.seq, Status.DONE) for message in messages[::2]])
    failure = Failure("ValueError", "no", "trace")
    bare.commit(settles=[Settle(messages[1].seq, Status.PARKED, failure=failure)])


def counts(folder: Path) -> tuple[int, int, int]:
    """Messages, owed ones and parked ones."""
    db = apsw.Connection(str(folder / "junctor.db"), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        row = db.execute(
            "SELECT (SELECT count(*) FROM message), (SELECT count(*) FROM hop WHERE status < 3),"
            " (SELECT count(*) FROM hop WHERE status = 4)"
        ).fetchone()
        assert row is not None
        return row  # type: ignore[return-value]
    finally:
        db.close()


def opened(folder: Path) -> Store:
    return Store(folder, reserve=0)


def test_a_backup_of_an_open_store_has_everything_and_is_verified(bare: Bare, tmp_path: Path) -> None:
    fill(bare)
    made = write_backup(bare.store.path, tmp_path / "copy.db")
    assert (made.records, made.damaged) == (20, 0)
    assert verify(tmp_path / "copy.db").sound
    assert stat.S_IMODE(os.stat(made.path).st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["copy.db"]


def test_a_backup_is_one_moment_and_the_store_goes_on(bare: Bare, tmp_path: Path) -> None:
    fill(bare)

    def while_it_copies() -> bool:
        bare.commit(inserts=[Insert(bare.message())])
        return False

    from junctor.store import backup

    before, backup._STEPS = backup._STEPS, 20
    try:
        made = write_backup(bare.store.path, tmp_path / "copy.db", while_it_copies)
    finally:
        backup._STEPS = before
    assert made.records == 20
    assert bare.rows("SELECT count(*) FROM message")[0][0] > 20


def test_a_backup_that_is_given_up_leaves_nothing(bare: Bare, tmp_path: Path) -> None:
    fill(bare, 2000)
    with pytest.raises(BackupFailed, match="stopped meanwhile"):
        write_backup(bare.store.path, tmp_path / "copy.db", lambda: True)
    assert not list(tmp_path.glob("copy*"))


def test_nothing_is_overwritten(bare: Bare, tmp_path: Path) -> None:
    taken, link = tmp_path / "taken.db", tmp_path / "link.db"
    taken.write_text("mine")
    link.symlink_to(tmp_path / "elsewhere")
    for path in (taken, link):
        with pytest.raises(BackupFailed, match="there is a file already"):
            write_backup(bare.store.path, path)
    assert taken.read_text() == "mine" and not (tmp_path / "elsewhere").exists()


def test_a_backup_into_the_store_itself_or_nowhere_is_refused(bare: Bare, tmp_path: Path) -> None:
    for name in ("junctor.db", "copy.db"):
        with pytest.raises(BackupFailed, match="the folder of the store itself"):
            write_backup(bare.store.path, bare.store.directory / name)
    with pytest.raises(BackupFailed, match="is not there.*Make it"):
        write_backup(bare.store.path, tmp_path / "none" / "copy.db")


def test_a_link_in_place_of_the_half_done_file_is_not_followed(bare: Bare, tmp_path: Path) -> None:
    (tmp_path / "copy.db.part").symlink_to(tmp_path / "victim")
    with pytest.raises(BackupFailed, match="cannot be written"):
        write_backup(bare.store.path, tmp_path / "copy.db")
    assert not (tmp_path / "victim").exists()


def test_what_a_killed_backup_left_is_written_over(bare: Bare, tmp_path: Path) -> None:
    (tmp_path / "copy.db.part").write_bytes(b"half" * 1000)
    assert write_backup(bare.store.path, tmp_path / "copy.db").records == 0
    assert verify(tmp_path / "copy.db").sound


def test_a_damaged_page_is_told_and_no_backup_is_left(bare: Bare, tmp_path: Path) -> None:
    fill(bare, 5000)
    bare.store.close()
    _break_page(bare.store.path)
    with pytest.raises(StoreDamaged, match="no backup was made|not sound"):
        write_backup(bare.store.path, tmp_path / "copy.db")
    assert not list(tmp_path.glob("copy*"))
    bare.store = opened(tmp_path / "again")


def _break_page(path: Path) -> None:
    """Write over a page in the middle of the table of messages."""
    db = apsw.Connection(str(path))
    rows = db.execute("SELECT pageno FROM dbstat WHERE name = 'message' AND pagetype = 'leaf'").fetchall()
    db.close()
    with open(path, "r+b") as file:
        file.seek((rows[len(rows) // 2][0] - 1) * 4096)
        file.write(b"\xff" * 4096)


# Restoring ---------------------------------------------------------------------------------------------------


def test_a_restored_store_has_what_the_backup_had_and_says_so(bare: Bare, tmp_path: Path) -> None:
    fill(bare)
    write_backup(bare.store.path, tmp_path / "copy.db")
    later = bare.message()
    bare.commit(inserts=[Insert(later)])
    bare.store.close()
    done = restore(tmp_path / "copy.db", bare.store.directory)
    assert done.records == 20 and done.made > 0
    assert done.aside is not None and counts(done.aside)[0] == 21
    node = bare.store.opened.node
    bare.store = opened(bare.store.directory)
    assert counts(bare.store.directory) == (20, 9, 1)
    [warning] = bare.store.opened.warnings
    assert "was restored from a backup of" in warning
    assert "delivered again" in warning and f"go on from {bare.store.first_number}" in warning
    assert bare.store.first_number > later.seq + (1 << 20)
    assert bare.store.opened.node == node and bare.store.opened.epoch == 2


def test_it_is_told_once(bare: Bare, tmp_path: Path) -> None:
    write_backup(bare.store.path, tmp_path / "copy.db")
    bare.store.close()
    restore(tmp_path / "copy.db", bare.store.directory)
    opened(bare.store.directory).close()
    bare.store = opened(bare.store.directory)
    assert bare.store.opened.warnings == []


def test_a_backup_is_restored_where_there_was_no_store(bare: Bare, tmp_path: Path) -> None:
    fill(bare)
    write_backup(bare.store.path, tmp_path / "copy.db")
    done = restore(tmp_path / "copy.db", tmp_path / "new" / "place")
    assert done.aside is None
    store = opened(tmp_path / "new" / "place")
    assert store.opened.node == bare.store.opened.node
    assert len(store.opened.warnings) == 1
    store.close()


def test_two_restores_in_a_row_lose_neither_store(bare: Bare, tmp_path: Path) -> None:
    fill(bare)
    write_backup(bare.store.path, tmp_path / "copy.db")
    bare.store.close()
    asides = [restore(tmp_path / "copy.db", bare.store.directory).aside for _ in range(2)]
    assert len({str(path) for path in asides}) == 2
    assert all(path is not None and counts(path)[0] == 20 for path in asides)
    bare.store = opened(bare.store.directory)


def test_a_running_node_is_not_restored(bare: Bare, tmp_path: Path) -> None:
    write_backup(bare.store.path, tmp_path / "copy.db")
    with pytest.raises(StoreLocked):
        restore(tmp_path / "copy.db", bare.store.directory)


def test_what_is_no_backup_changes_nothing(bare: Bare, tmp_path: Path) -> None:
    fill(bare)
    write_backup(bare.store.path, tmp_path / "copy.db")
    bare.store.close()
    folder = bare.store.directory
    (tmp_path / "text.db").write_text("not a database" * 1000)
    (tmp_path / "empty.db").touch()
    other = apsw.Connection(str(tmp_path / "other.db"))
    other.execute("CREATE TABLE x (y)")
    other.close()
    newer = _copy(tmp_path, "newer.db")
    _change(newer, "PRAGMA user_version = 99")
    broken = _copy(tmp_path, "broken.db")
    _break_page(broken)
    for name, kind, text in (
        ("text.db", StoreError, "this is no store"),
        ("empty.db", StoreError, "this is no store"),
        ("other.db", StoreError, "this is no store"),
        ("newer.db", StoreTooNew, "version 99"),
        ("broken.db", StoreDamaged, "hold together|cannot be read"),
        ("missing.db", StoreError, "no such file"),
    ):
        with pytest.raises(kind, match=text):
            restore(tmp_path / name, folder)
        assert counts(folder)[0] == 20
        assert not list(folder.glob("restored*")) and not list(folder.glob("before*"))
    with pytest.raises(StoreError, match="part of the store itself"):
        restore(folder / "junctor.db", folder)
    bare.store = opened(folder)
    assert bare.store.opened.warnings == []


def _copy(folder: Path, name: str) -> Path:
    return Path(shutil.copy(folder / "copy.db", folder / name))


def _change(path: Path, sql: str) -> None:
    db = apsw.Connection(str(path))
    db.execute(sql)
    db.close()


class Killed(Exception):
    pass


@pytest.mark.parametrize("step", range(12))
def test_a_restore_that_is_cut_off_is_completed_or_has_not_begun(
    bare: Bare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    fill(bare)
    write_backup(bare.store.path, tmp_path / "copy.db")
    bare.commit(inserts=[Insert(bare.message())])
    folder = bare.store.directory
    shutil.copytree(folder, tmp_path / "killed")  # as a kill would leave it: with a log
    left, begun = step, False

    def dying(before: Path, after: Path) -> None:
        nonlocal left
        if left == 0:
            raise Killed
        left -= 1
        real(before, after)

    real = os.rename
    monkeypatch.setattr(os, "rename", dying)
    try:
        restore(tmp_path / "copy.db", tmp_path / "killed")
    except Killed:
        begun = (tmp_path / "killed" / FRESH).exists()
    monkeypatch.undo()
    store = opened(tmp_path / "killed")
    found = counts(tmp_path / "killed")[0]
    store.close()
    if step == 0:
        assert not begun and found == 21
    else:
        assert found == 20
        [aside] = (tmp_path / "killed").glob("before-restore-*")
        assert counts(aside)[0] == 21
    assert install_restored(tmp_path / "killed") is None
