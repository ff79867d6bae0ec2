"""The data directory: who may open it, whose it is, what is kept private."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from junctor.errors import StoreError, StoreLocked
from junctor.store.identity import keep_identity, new_identity, read_identity, write_durably
from junctor.store.lock import StoreLock
from junctor.store.reserve import Reserve
from junctor.store.store import Store


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def open_and_close(folder: Path) -> Store:
    store = Store(folder, reserve=0)
    store.close()
    return store


# The lock ----------------------------------------------------------------------------------------------------


def test_a_second_lock_is_refused_at_once_and_names_the_holder(tmp_path: Path) -> None:
    first, second = StoreLock(tmp_path / "lock"), StoreLock(tmp_path / "lock")
    first.acquire()
    with pytest.raises(StoreLocked, match=f"pid {os.getpid()} "):
        second.acquire()
    first.release()
    first.release()
    second.acquire()
    second.release()


def test_the_lock_of_a_dead_process_is_free(tmp_path: Path) -> None:
    program = f"""
        import os, signal
        from pathlib import Path
        from junctor.store.store import Store
        Store(Path({str(tmp_path)!r}), reserve=0)
        os.kill(os.getpid(), signal.SIGKILL)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], check=False)
    assert done.returncode == -9
    assert "pid" in (tmp_path / "lock").read_text()
    store = Store(tmp_path, reserve=0)
    assert not store.opened.clean
    store.close()


def test_a_full_disk_keeps_nobody_from_the_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    first, second = StoreLock(tmp_path / "lock"), StoreLock(tmp_path / "lock")
    first.acquire()
    with pytest.raises(StoreLocked):
        second.acquire()
    first.release()


def test_what_a_link_in_the_folder_leads_to_stays_as_it_is(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("precious")
    for name in ("lock", "reserve", "node.json.new"):
        (tmp_path / name).symlink_to(precious)
    with pytest.raises(StoreError, match="lock file"):
        StoreLock(tmp_path / "lock").acquire()
    assert not Reserve(tmp_path / "reserve").restore()
    with pytest.raises(StoreError):
        write_durably(tmp_path / "node.json", b"{}")
    assert precious.read_text() == "precious"


def test_a_refused_opening_leaves_the_first_one_working(tmp_path: Path) -> None:
    store = Store(tmp_path, reserve=0)
    with pytest.raises(StoreLocked):
        Store(tmp_path, reserve=0)
    store.close()
    open_and_close(tmp_path)


# Identity ----------------------------------------------------------------------------------------------------


def test_the_folder_is_its_owners_only(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    open_and_close(folder)
    assert mode(folder) == 0o700
    assert mode(folder / "node.json") == 0o600
    assert mode(folder / "lock") == 0o600
    store = Store(folder, reserve=4096)
    assert {mode(path) for path in folder.iterdir()} == {0o600}
    store.close()


def test_an_identity_is_twelve_digits_and_stays(tmp_path: Path) -> None:
    made = new_identity()
    keep_identity(tmp_path, made)
    assert len(made.node) == 12
    assert int(made.node, 16) >= 0
    assert read_identity(tmp_path) == made
    assert open_and_close(tmp_path).opened.node == made.node


def test_a_lost_identity_file_is_made_again_from_the_database(tmp_path: Path) -> None:
    node = open_and_close(tmp_path).opened.node
    (tmp_path / "node.json").unlink()
    again = open_and_close(tmp_path)
    assert again.opened.node == node
    assert "identity" in again.opened.warnings[0]
    assert open_and_close(tmp_path).opened.warnings == []


def test_a_lost_database_does_not_give_old_ids_to_new_messages(tmp_path: Path) -> None:
    node = open_and_close(tmp_path).opened.node
    (tmp_path / "junctor.db").unlink()
    again = open_and_close(tmp_path)
    assert again.opened.node == node
    assert again.first_number > 2**40
    assert "missing" in again.opened.warnings[0]
    assert open_and_close(tmp_path).first_number > 2**40


def test_a_broken_identity_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "node.json").write_text("{")
    with pytest.raises(StoreError, match="identity"):
        Store(tmp_path, reserve=0)


def test_a_durable_write_replaces_whole(tmp_path: Path) -> None:
    write_durably(tmp_path / "f", b"one")
    write_durably(tmp_path / "f", b"two")
    assert [path.name for path in tmp_path.iterdir()] == ["f"]
    assert (tmp_path / "f").read_bytes() == b"two"
    with pytest.raises(StoreError, match="cannot be written"):
        write_durably(tmp_path / "none" / "f", b"x")


# Folders that cannot be used ---------------------------------------------------------------------------------


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("a file")
    with pytest.raises(StoreError, match="folder cannot be made"):
        Store(tmp_path / "store", reserve=0)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else, and chmod does not bind root")
@pytest.mark.parametrize("filled", [False, True])
def test_a_folder_without_write_access_is_refused(short_dir: Path, filled: bool) -> None:
    folder = short_dir / "store"
    open_and_close(folder) if filled else folder.mkdir()
    short_dir.chmod(0o755)
    for path in (folder, *folder.iterdir()):
        path.chmod(0o755)
    program = f"""
        import os
        from pathlib import Path
        from junctor.errors import StoreError
        from junctor.store.store import Store
        os.setuid(65534)
        try:
            Store(Path({str(folder)!r}), reserve=0)
        except StoreError as error:
            os._exit(0 if "not writable" in str(error) and "--store" in str(error) else 3)
        os._exit(4)
    """
    assert subprocess.run([sys.executable, "-c", textwrap.dedent(program)], check=False).returncode == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else, and chmod does not bind root")
def test_a_store_that_was_closed_is_read_without_write_access(short_dir: Path) -> None:
    folder = short_dir / "store with space"
    open_and_close(folder)
    short_dir.chmod(0o755)
    for path in (folder, *folder.iterdir()):
        path.chmod(0o555)
    program = f"""
        import os
        from pathlib import Path
        from junctor.core.records import Query
        from junctor.store.reader import open_archive
        os.setuid(65534)
        archive = open_archive(Path({str(folder)!r}))
        os._exit(0 if archive.search(Query()) == [] and archive.parked() == [] else 4)
    """
    assert subprocess.run([sys.executable, "-c", textwrap.dedent(program)], check=False).returncode == 0


def test_the_reserve_takes_room_where_the_system_cannot_allocate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "posix_fallocate", raising=False)
    size = 1024 * 1024 + 5
    assert Reserve(tmp_path / "reserve", size).restore()
    assert (tmp_path / "reserve").stat().st_blocks * 512 >= size
    assert Reserve(tmp_path / "reserve", size).restore()
    assert (tmp_path / "reserve").stat().st_size == size
