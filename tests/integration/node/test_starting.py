"""Commands that are typed a moment too early, and too late."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from junctor.errors import NodeNotFound
from junctor.node.directory import MayStart, find
from junctor.node.process import starting
from junctor.store.lock import StoreLock, boot_id, holder
from tests.integration.node.conftest import Junctor

ANY_PORT = ("--port", "0")
READING = '{"sensor": "cpu", "value": 1}'


@pytest.mark.parametrize(
    "words",
    [
        ("status",),
        ("send", "alarm", READING, "--type", "Reading"),
        ("call", "alarm", "get_limit"),
        ("services",),
        ("status", "--node", "machine"),
        ("top", "--once", "--interval", "0.1s"),
        ("logs",),
    ],
)
def test_a_first_start_is_waited_for(junctor: Junctor, words: tuple[str, ...]) -> None:
    node = junctor.launch("machine.py", *ANY_PORT)
    answer = junctor.here(*words)
    assert "down" not in answer
    assert node.process.poll() is None


def test_a_call_waits_for_a_service_that_starts(junctor: Junctor) -> None:
    """The node answers before its services run; the call is for the one that is about to."""
    (junctor.folder / "slow.py").write_text(
        "import asyncio\nfrom junctor import Service, action\n"
        "class Slow(Service):\n    async def on_start(self) -> None:\n        await asyncio.sleep(0.7)\n"
        "    @action\n    async def hello(self) -> str:\n        return 'there'\n"
    )
    node = junctor.launch("slow.py", *ANY_PORT)
    assert "there" in junctor.here("call", "slow", "hello")
    assert node.process.poll() is None


@pytest.mark.skipif(not Path("/proc/uptime").exists(), reason="the system does not tell what was just started")
def test_a_start_on_a_busy_machine_is_waited_for(junctor: Junctor, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that was started here and does not listen yet is worth more patience than nothing at all."""
    monkeypatch.setattr(starting, "PATIENCE", 0.0)
    junctor.launch("machine.py", *ANY_PORT)
    assert "starting" in (said := junctor.here("status")) or "running" in said


def test_a_second_start_is_waited_for_by_what_needs_it(junctor: Junctor) -> None:
    junctor.start("machine.py", *ANY_PORT)
    junctor.here("stop")
    junctor.launch("machine.py", *ANY_PORT)
    assert "accepted" in junctor.here("send", "alarm", READING, "--type", "Reading")
    assert "running" in junctor.here("status") or "starting" in junctor.here("status")


def test_nothing_comes_and_it_says_that_it_waited(junctor: Junctor) -> None:
    told = junctor.here("status", code=1)
    assert "no node was found (waited 2 s for one that may be starting)" in told
    assert "Run the command in the node's folder" in told


@pytest.mark.parametrize("name", ["machine.py", "no/such/folder", "machin"])
def test_what_cannot_be_is_not_waited_for(junctor: Junctor, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (junctor.folder / ".junctor" / "machine").mkdir(parents=True)
    monkeypatch.setattr(starting, "_LOOK", None)  # who waits fails
    assert f'there is no node "{name}"' in junctor.here("status", "--node", name, code=1)


def test_a_folder_of_something_else_is_not_waited_for(junctor: Junctor, monkeypatch: pytest.MonkeyPatch) -> None:
    (junctor.folder / "src").mkdir()
    (junctor.folder / "src" / "a.py").touch()
    monkeypatch.setattr(starting, "_LOOK", None)  # who waits fails
    assert "does not run" in junctor.here("services", "--node", "src", code=1)
    assert "no store in this folder" in junctor.here("status", "--node", "src", code=1)


def test_a_store_of_a_node_that_is_down_is_read_at_once(junctor: Junctor, monkeypatch: pytest.MonkeyPatch) -> None:
    node = junctor.start("machine.py", *ANY_PORT)
    node.process.kill()
    node.process.wait()
    monkeypatch.setattr(starting, "_LOOK", None)  # who waits fails
    assert "down" in junctor.here("status")
    assert junctor.here("stop") == "the node does not run\n"
    assert "no node" not in junctor.here("health", code=2)


def test_a_store_that_is_locked_without_a_listener_is_waited_for_then_read(junctor: Junctor) -> None:
    junctor.start("machine.py", *ANY_PORT)
    junctor.here("stop")
    folder = junctor.folder / ".junctor" / "machine"
    lock = StoreLock(folder / "lock")
    lock.acquire()
    try:
        subprocess_says = subprocess.run(
            [sys.executable, "-m", "junctor", "status"],
            cwd=junctor.folder, env=junctor.env, capture_output=True, text=True, timeout=20, check=True,
        )  # fmt: skip
        assert f"takes no questions (process {os.getpid()} starts or ends it)" in subprocess_says.stderr
        assert "down" in subprocess_says.stdout
    finally:
        lock.release()


def test_health_and_completion_do_not_wait(junctor: Junctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starting, "_LOOK", None)  # who waits fails
    assert "no node was found" in junctor.here("health", code=2)
    done = junctor("", COMP_WORDS="junctor pause ", COMP_CWORD="2", _JUNCTOR_COMPLETE="bash_complete", code=0)
    assert not done.strip()


def test_who_holds_a_lock(tmp_path: Path) -> None:
    file = tmp_path / "lock"
    assert holder(file) == 0
    lock = StoreLock(file)
    lock.acquire()
    assert holder(file) == os.getpid()
    lock.release()
    assert holder(file) == 0
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    for text in (f"pid {child.pid} boot {boot_id()}", f"pid {os.getpid()} boot other", "pid -1 boot x", "pid x", "\0"):
        file.write_text(text)
        assert holder(file) == 0


def test_which_questions_are_worth_asking_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for given in (None, "later", "./later", str(tmp_path / "later")):
        with pytest.raises(MayStart):
            find(given, {})
    with pytest.raises(NodeNotFound) as told:
        find("far/later", {})
    assert not isinstance(told.value, MayStart)


# A loop that is blocked -------------------------------------------------------------------------------------


def test_a_blocked_loop_is_told_by_status_and_stop(junctor: Junctor) -> None:
    node = junctor.start("machine.py", *ANY_PORT)
    junctor.here("send", "alarm", '{"text": "block"}', "--type", "Note")
    time.sleep(0.3)
    status = subprocess.Popen(
        [sys.executable, "-m", "junctor", "status"],
        cwd=junctor.folder, env=junctor.env, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert status.stderr is not None
        line = status.stderr.readline()
        assert "does not answer: its event loop is blocked, since when is not known" in line
    finally:
        status.kill()
        status.communicate()
    told = junctor.here("stop", "--timeout", "2.5", code=1)
    assert "the node does not answer: its event loop is blocked" in told
    node.process.kill()


def test_stop_says_what_it_waits_for(junctor: Junctor) -> None:
    (junctor.folder / "slow.py").write_text(
        "import asyncio\nfrom pathlib import Path\nfrom junctor import Service, handler\n"
        "class Slow(Service):\n    @handler\n    async def on_text(self, text: str) -> None:\n"
        "        while not Path('enough').exists():\n            await asyncio.sleep(0.02)\n"
    )
    junctor.start("slow.py", *ANY_PORT)
    junctor.here("send", "slow", '"x"')
    with subprocess.Popen(
        [sys.executable, "-m", "junctor", "stop"],
        cwd=junctor.folder, env=junctor.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as stop:  # fmt: skip
        assert stop.stdout is not None and stop.stderr is not None
        assert "waiting for on_text of slow" in stop.stderr.readline()
        (junctor.folder / "enough").touch()
        assert stop.stdout.read() == "stopped\n"


@pytest.mark.skipif(not Path("/proc/uptime").exists(), reason="the system does not tell what was just started")
def test_a_second_start_is_waited_for_by_what_reads(junctor: Junctor) -> None:
    junctor.start("machine.py", *ANY_PORT)
    junctor.here("stop")
    junctor.launch("machine.py", *ANY_PORT)
    assert junctor.json("status")["state"] in ("starting", "running")
