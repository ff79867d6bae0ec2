"""Where the data directory is, who may read it, and how a command finds it."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from junctor.errors import NodeNotFound, StoreError, StoreLocked
from junctor.node import directory


@pytest.fixture
def here(short_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory without a node in the environment."""
    monkeypatch.chdir(short_dir)
    for name in ("JUNCTOR_STORE", "JUNCTOR_NODE", "STATE_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)
    return Path.cwd()


@pytest.fixture
def listening(here: Path) -> Iterator[socket.socket]:
    """A node, as far as a probe can tell, in ./.junctor/cpu."""
    folder = here / ".junctor" / "cpu"
    directory.prepare(folder)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(directory.claim_socket(folder)))
        listener.listen()
        yield listener


def test_the_first_of_option_environment_state_directory_and_folder(here: Path) -> None:
    assert directory.data_directory("cpu", env={}) == here / ".junctor" / "cpu"
    assert directory.data_directory("cpu", env={"STATE_DIRECTORY": "/a:/b"}) == Path("/a")
    both = {"STATE_DIRECTORY": "/a", "JUNCTOR_STORE": "/s"}
    assert directory.data_directory("cpu", env=both) == Path("/s")
    assert directory.data_directory("cpu", "x", env=both) == here / "x"


def test_a_data_directory_is_private_and_out_of_git(here: Path) -> None:
    folder = here / ".junctor" / "cpu"
    directory.prepare(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(folder.parent.stat().st_mode) == 0o700
    assert (folder.parent / ".gitignore").read_text() == "*\n"


def test_a_folder_that_others_could_read_is_closed(here: Path) -> None:
    folder = here / "open"
    folder.mkdir(mode=0o755)
    directory.prepare(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert not (here / ".gitignore").exists()


def test_what_is_made_is_private_whatever_the_umask(here: Path) -> None:
    before = os.umask(0)
    try:
        directory.prepare(here / ".junctor" / "cpu")
    finally:
        os.umask(before)
    assert stat.S_IMODE((here / ".junctor" / ".gitignore").stat().st_mode) == 0o600
    assert stat.S_IMODE((here / ".junctor" / "cpu").stat().st_mode) == 0o700


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o1777, 0o702])
@pytest.mark.parametrize("name", [".junctor", ".junctor/cpu"])
def test_a_folder_that_others_could_write_is_refused(here: Path, name: str, mode: int) -> None:
    (here / ".junctor" / "cpu").mkdir(parents=True)
    (here / name).chmod(mode)
    with pytest.raises(StoreError, match="other users can write") as caught:
        directory.prepare(here / ".junctor" / "cpu")
    assert caught.value.where == str(here / name)
    assert f"chmod 700 {here / name}" in caught.value.fix
    assert stat.S_IMODE((here / name).stat().st_mode) == mode


def test_a_folder_of_another_user_is_refused(
    here: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    folder = here / "theirs"
    folder.mkdir(mode=0o755)
    if os.geteuid() == 0:
        os.chown(folder, 12345, 12345)
    owner = folder.stat().st_uid
    monkeypatch.setattr(os, "geteuid", lambda: 23456)
    with pytest.raises(StoreError, match="belongs to another user"):
        directory.prepare(folder)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    directory.prepare(folder)
    assert "runs as root" in caplog.text
    assert folder.stat().st_uid == owner
    assert stat.S_IMODE(folder.stat().st_mode) == 0o755


def test_a_folder_that_cannot_be_made(here: Path) -> None:
    (here / "file").write_text("")
    with pytest.raises(StoreError, match="--store"):
        directory.prepare(here / "file" / "cpu")


def test_the_only_node_is_found(here: Path) -> None:
    (here / ".junctor" / "cpu").mkdir(parents=True)
    assert directory.find(env={}) == here / ".junctor" / "cpu"


def test_of_several_the_one_that_runs_is_found(here: Path, listening: socket.socket) -> None:
    (here / ".junctor" / "disk").mkdir()
    assert directory.find(env={}) == here / ".junctor" / "cpu"


def test_of_several_none_is_guessed(here: Path) -> None:
    for name in ("cpu", "disk"):
        (here / ".junctor" / name).mkdir(parents=True)
    with pytest.raises(NodeNotFound, match="2 nodes: cpu, disk") as caught:
        directory.find(env={})
    assert "--node" in caught.value.fix
    assert directory.find("disk", env={}) == here / ".junctor" / "disk"
    assert directory.find(env={"JUNCTOR_NODE": "cpu"}) == here / ".junctor" / "cpu"
    assert directory.find(here / ".junctor" / "cpu", env={}) == here / ".junctor" / "cpu"


def test_a_project_folder_names_its_node(here: Path) -> None:
    (here / "project" / ".junctor" / "cpu").mkdir(parents=True)
    assert directory.find("project", env={}) == here / "project" / ".junctor" / "cpu"


def test_a_command_in_the_data_directory_itself_means_this_node(here: Path) -> None:
    (here / "node.json").write_text("{}")
    assert directory.find(env={}) == here


def test_a_wrong_name_is_answered_with_the_nearest(here: Path) -> None:
    (here / ".junctor" / "machine-monitor").mkdir(parents=True)
    with pytest.raises(NodeNotFound, match="machine-monitor"):
        directory.find("machine-moniter", env={})


def test_nothing_anywhere(here: Path) -> None:
    with pytest.raises(NodeNotFound, match="--node"):
        directory.find(env={})


def test_the_environment_of_the_run_command_leads_to_its_node(here: Path) -> None:
    (here / "data").mkdir()
    assert directory.find(env={"JUNCTOR_STORE": str(here / "data")}) == here / "data"


def test_a_dead_socket_is_replaced_and_a_live_one_is_not(here: Path) -> None:
    folder = here / "node"
    directory.prepare(folder)
    path = directory.claim_socket(folder)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        assert directory.is_running(folder)
        with pytest.raises(StoreLocked):
            directory.claim_socket(folder)
    assert not directory.is_running(folder)
    assert directory.claim_socket(folder) == path
    assert not path.exists()


def test_a_long_path_gets_a_private_folder_elsewhere(here: Path) -> None:
    folder = here / ("long" * 25) / "node"
    directory.prepare(folder)
    path = directory.claim_socket(folder)
    assert len(os.fsencode(path)) <= directory.SOCKET_PATH_LIMIT
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / directory.POINTER).stat().st_mode) == 0o600
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        assert directory.socket_of(folder) == path
        assert directory.is_running(folder)
    directory.release_socket(folder)
    assert not path.parent.exists()
    assert directory.socket_of(folder) is None


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"/nowhere/control.sock", b"/etc/passwd"])
def test_a_pointer_that_leads_nowhere(here: Path, content: bytes) -> None:
    (here / directory.POINTER).write_bytes(content)
    assert directory.socket_of(here) is None
    directory.release_socket(here)
    assert not (here / directory.POINTER).exists()
