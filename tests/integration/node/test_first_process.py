"""A node as the first process of a container, without an init around it: here, of a process namespace."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.node.conftest import Junctor, Running

ALONE = ("unshare", "--pid", "--fork", "--mount-proc", "--kill-child")


def _possible() -> bool:
    if shutil.which("unshare") is None:
        return False
    return subprocess.run([*ALONE, "true"], capture_output=True, timeout=20).returncode == 0


pytestmark = pytest.mark.skipif(not _possible(), reason="this user may not make a process namespace")

ORPHANS = """
import os, subprocess
from junctor import Service, action


class Home(Service):
    @action
    async def leave_orphans(self) -> None:
        subprocess.run(["sh", "-c", "for i in 1 2 3; do sleep 0.05 & done"], check=True)

    @action
    async def zombies(self) -> list[str]:
        found = []
        for number in filter(str.isdigit, os.listdir("/proc")):
            try:
                stat = open(f"/proc/{number}/stat").read()
            except OSError:
                continue
            if stat.rpartition(")")[2].split()[0] == "Z":
                found.append(stat)
        return found

    @action
    async def sleepers(self) -> int:
        found = 0
        for number in filter(str.isdigit, os.listdir("/proc")):
            try:
                found += open(f"/proc/{number}/comm").read().strip() == "sleep"
            except OSError:
                continue
        return found

    @action
    async def crash(self) -> None:
        os.kill(os.getpid(), 9)
"""


class Contained(Running):
    """A node whose signals go to the first process of its namespace."""

    def signal(self, number: signal.Signals) -> None:
        (inner,) = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        os.kill(int(inner), number)


@pytest.fixture
def contained(junctor: Junctor) -> Callable[..., Contained]:
    (junctor.folder / "home.py").write_text(ORPHANS)

    def start(*words: str, wait_for: str = "stop with Ctrl-C") -> Contained:
        out = junctor.folder / "contained"
        with out.open("w") as said:
            command = [*ALONE, sys.executable, "-m", "junctor", "run", *words, "--port", "0"]
            process = subprocess.Popen(
                command, cwd=junctor.folder, env=junctor.env, stdout=said, stderr=said, text=True
            )
        junctor.processes.append(process)
        made = Contained(process, out)
        made.wait_for(wait_for)
        return made

    return start


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_is_a_clean_stop(contained: Callable[..., Contained], number: signal.Signals) -> None:
    node = contained("home.py")
    node.signal(number)
    assert "stopped" in node.ends(0)


def test_orphans_of_its_services_do_not_stay_as_zombies(junctor: Junctor, contained: Callable[..., Contained]) -> None:
    contained("home.py")
    junctor.here("call", "home", "leave_orphans")
    until = time.monotonic() + 10
    while (junctor.json("call", "home", "sleepers") or junctor.json("call", "home", "zombies")) and (
        time.monotonic() < until
    ):
        time.sleep(0.05)
    assert junctor.json("call", "home", "zombies") == []
    assert junctor.json("call", "home", "sleepers") == 0


def test_the_code_of_the_node_is_that_of_the_container(junctor: Junctor, contained: Callable[..., Contained]) -> None:
    (junctor.folder / "bad.py").write_text("import nothing_like_this\n")
    assert "there is no module" in contained("bad.py").ends(78)


def test_a_node_that_was_killed_is_told_by_the_code(junctor: Junctor, contained: Callable[..., Contained]) -> None:
    node = contained("home.py")
    with contextlib.suppress(AssertionError):
        junctor("call", "home", "crash")
    node.ends(128 + 9)


def test_it_can_be_stopped_before_it_runs(junctor: Junctor, contained: Callable[..., Contained]) -> None:
    (junctor.folder / "slow.py").write_text("import time\nprint('importing', flush=True)\ntime.sleep(60)\n")
    node = contained("slow.py", wait_for="importing")
    node.signal(signal.SIGTERM)
    node.ends(128 + 15)
