"""What a node tells a service manager: a real socket in the manager's place, and a real node."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.node.conftest import PATIENCE, Junctor

ANY_PORT = ("--port", "0")


class Manager:
    """Listens as systemd does, and keeps what it was told."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.heard: list[str] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(f"\0{address[1:]}" if address.startswith("@") else address)

    def until(self, line: str, patience: float = PATIENCE) -> list[str]:
        """The lines of the datagram that has this line; all before it are kept as well."""
        end = time.monotonic() + patience
        while time.monotonic() < end:
            self._socket.settimeout(max(end - time.monotonic(), 0.01))
            with contextlib.suppress(TimeoutError):
                told = self._socket.recv(4096).decode().splitlines()
                self.heard += told
                if line in told:
                    return told
        raise AssertionError(f"{line} was not told; heard: {self.heard}")

    def silent(self, line: str, seconds: float) -> bool:
        """Whether the line is not told for so long; what was told before does not count."""
        with contextlib.suppress(BlockingIOError):
            while True:
                self._socket.setblocking(False)
                self._socket.recv(4096)
        try:
            self.until(line, seconds)
        except AssertionError:
            return True
        return False

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def manager(short_dir: Path) -> Iterator[Manager]:
    made = Manager(str(short_dir / "notify.sock"))
    yield made
    made.close()


def told_to(manager: Manager, **more: str) -> dict[str, str]:
    return {"NOTIFY_SOCKET": manager.address, **more}


def test_ready_comes_when_the_services_run_and_stopping_when_asked(junctor: Junctor, manager: Manager) -> None:
    node = junctor.start("machine.py", *ANY_PORT, env=told_to(manager))
    assert manager.until("READY=1") == ["READY=1", "STATUS=2 services run"]
    assert "WATCHDOG=1" not in manager.heard
    node.signal(signal.SIGTERM)
    assert manager.until("STOPPING=1") == ["STOPPING=1", "STATUS=stopping: SIGTERM", "EXTEND_TIMEOUT_USEC=9500000"]
    node.ends(0)


@pytest.mark.skipif(sys.platform != "linux", reason="abstract sockets are Linux's")
def test_an_abstract_socket_is_spoken_to_as_well(junctor: Junctor) -> None:
    manager = Manager(f"@junctor-test-{os.getpid()}")
    try:
        junctor.start("machine.py", *ANY_PORT, env=told_to(manager))
        manager.until("READY=1")
    finally:
        manager.close()


def test_the_status_line_names_what_does_not_run(junctor: Junctor, manager: Manager) -> None:
    (junctor.folder / "bad.py").write_text(
        "from junctor import Service, action, every\n"
        "class Good(Service):\n    @action\n    def go(self): ...\n"
        "class Bad(Service):\n    def on_start(self):\n        raise ValueError('no\\nluck')\n"
        "    @action\n    def go(self): ...\n"
    )
    junctor.start("bad.py", *ANY_PORT, env=told_to(manager))
    assert manager.until("READY=1")[1] == "STATUS=1 of 2 services run; backoff: bad (ValueError: no luck)"


def test_the_watchdog_is_fed_while_the_loop_turns_and_not_while_it_is_blocked(
    junctor: Junctor, manager: Manager
) -> None:
    node = junctor.start("machine.py", *ANY_PORT, env=told_to(manager, WATCHDOG_USEC="400000"))
    manager.until("READY=1")
    for _ in range(3):
        manager.until("WATCHDOG=1", 5.0)
    junctor.here("send", "alarm", '{"text": "block"}', "--type", "Note")
    node.wait_for("is blocked for")  # the node's own watch of the loop says so
    assert manager.silent("WATCHDOG=1", 1.5)
    node.process.kill()


def test_a_debugger_that_holds_the_loop_is_no_reason_for_a_restart(junctor: Junctor, manager: Manager) -> None:
    (junctor.folder / "debugged.py").write_text(
        "import asyncio, os, pdb, sys\nfrom junctor import Service, handler\n"
        "class Debugged(Service):\n    @handler\n    async def on(self, body: str) -> None:\n"
        "        await asyncio.sleep(0.2)\n"
        "        pdb.Pdb(stdin=os.fdopen(os.pipe()[0]), stdout=sys.stderr).set_trace()\n"
        "        self.log.info('somebody thinks here')\n"
    )
    node = junctor.start("debugged.py", *ANY_PORT, env=told_to(manager, WATCHDOG_USEC="400000"))
    manager.until("READY=1")
    junctor.here("send", "debugged", '"x"')
    node.wait_for("(Pdb)")
    assert not manager.silent("WATCHDOG=1", 5.0)
    node.process.kill()


def test_a_watchdog_that_is_meant_for_another_process_is_not_fed(junctor: Junctor, manager: Manager) -> None:
    env = told_to(manager, WATCHDOG_USEC="200000", WATCHDOG_PID="1")
    node = junctor.start("machine.py", *ANY_PORT, env=env)
    manager.until("READY=1")
    assert manager.silent("WATCHDOG=1", 0.6)
    node.process.kill()


def test_children_do_not_speak_in_the_name_of_the_node(junctor: Junctor, manager: Manager) -> None:
    (junctor.folder / "child.py").write_text(
        "import os\nfrom junctor import Service, action\n"
        "class Child(Service):\n    @action\n    async def seen(self) -> list[str]:\n"
        "        return [name for name in os.environ if name.startswith(('NOTIFY', 'WATCHDOG'))]\n"
    )
    junctor.start("child.py", *ANY_PORT, env=told_to(manager, WATCHDOG_USEC="60000000", WATCHDOG_PID=""))
    assert junctor.json("call", "child", "seen") == []


def test_a_manager_that_is_gone_harms_nothing(junctor: Junctor) -> None:
    node = junctor.start("machine.py", *ANY_PORT, env={"NOTIFY_SOCKET": "/nowhere/at/all", "WATCHDOG_USEC": "100000"})
    node.signal(signal.SIGTERM)
    node.ends(0)


def test_what_keeps_a_node_from_starting_is_in_the_status_line(junctor: Junctor, manager: Manager) -> None:
    node = junctor.launch("missing.py", env=told_to(manager))
    node.ends(78)
    heard = manager._socket.recv(4096).decode()
    assert heard.startswith("STATUS=") and "missing.py" in heard


def test_a_change_is_told_with_its_time_and_its_end(junctor: Junctor, manager: Manager) -> None:
    junctor.start("machine.py", *ANY_PORT, env=told_to(manager))
    manager.until("READY=1")
    code = (junctor.folder / "machine.py").read_text()
    (junctor.folder / "machine.py").write_text(code.replace("Judges readings", "Judges all readings"))
    junctor.here("apply")
    reloading = manager.until("RELOADING=1")
    assert int(reloading[1].removeprefix("MONOTONIC_USEC=")) <= time.monotonic_ns() // 1000
    assert reloading[2] == "STATUS=changing to what the flow says now"
    assert manager.until("READY=1") == ["READY=1", "STATUS=2 services run"]
