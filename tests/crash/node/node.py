"""A node in a process group of its own that is killed, stopped and started again on one store."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from junctor import connect
from junctor.errors import NodeNotFound, NotRunning
from junctor.node.control.wire import ConnectionLost, NoAnswer

FLOW = Path(__file__).parent / "drivers" / "flow.py"
PATIENCE = 60.0
RUNS = "stop with Ctrl-C"
AS_ASKED = "ValueError: not yet"
"""What handlers raise because their message says so; the log shows where."""


def until(condition: Callable[[], Any], what: str | Callable[[], str], patience: float = PATIENCE) -> Any:
    """Wait for a condition; what it gave.

    :raises AssertionError: it did not come true; ``what`` says what was waited for.
    """
    end = time.monotonic() + patience
    while not (found := condition()):
        assert time.monotonic() < end, what if isinstance(what, str) else what()
        time.sleep(0.005)
    return found


class Node:
    """One store, and the process that has it open, if one runs.

    :param folder: a short one: the control socket lies in it.
    """

    def __init__(self, folder: Path, port: int = 0, program: Path = FLOW, **env: str) -> None:
        self.folder = folder
        self.store = folder / "store"
        self.port = port
        self.starts = 0
        self.program = program
        self._env = {k: v for k, v in os.environ.items() if not k.startswith("JUNCTOR_") and k != "PORT"} | env
        self._env["PYTHONFAULTHANDLER"] = "1"
        self.process: subprocess.Popen[bytes] | None = None

    # The process ---------------------------------------------------------------------------------------------

    def launch(self, *options: str, **env: str) -> subprocess.Popen[bytes]:
        """Start; does not wait. ``options`` as behind ``junctor run``."""
        assert self.process is None
        self.starts += 1
        command = [sys.executable, "-m", "junctor", "run", self.program, "--store", self.store, "--port", self.port]
        with self.out.open("wb") as out:
            self.process = subprocess.Popen(
                [*map(str, command), "--log-level", "warning", *options],
                cwd=self.folder,
                env=self._env | env,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return self.process

    def start(self, *options: str, **env: str) -> None:
        """Start and wait until it runs."""
        self.launch(*options, **env)
        self.wait_until_it_runs()

    def wait_until_it_runs(self) -> None:
        until(lambda: RUNS in self.said or self.ended, lambda: f"the node does not start:\n{self.said}")
        assert not self.ended, f"the node ended at its start:\n{self.said}"

    @property
    def out(self) -> Path:
        return self.folder / f"out-{self.starts}"

    @property
    def said(self) -> str:
        return self.out.read_text(errors="replace")

    @property
    def ended(self) -> bool:
        return self.process is None or self.process.poll() is not None

    def signal(self, number: int) -> None:
        assert self.process is not None
        os.killpg(self.process.pid, number)

    def kill(self) -> None:
        """kill -9 of everything that belongs to it."""
        assert self.process is not None
        assert not self.ended, f"ended by itself with {self.process.returncode}:\n{self.said}"
        self.signal(signal.SIGKILL)
        self.process.wait()
        self.process = None

    def signal_to_end_and_kill(self, seconds: float) -> None:
        """SIGTERM, and kill -9 after so many seconds, unless it has ended by then."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        time.sleep(seconds)
        if self.process.poll() is None:
            self.signal(signal.SIGKILL)
        code = self.process.wait()
        assert code in (0, -signal.SIGKILL, -signal.SIGTERM), f"exit code {code}:\n{self.said}"
        self.process = None

    def wait_for_the_end(self, patience: float = PATIENCE) -> int:
        """The exit code."""
        assert self.process is not None
        try:
            code = self.process.wait(patience)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the node does not end:\n{self.said}") from None
        self.process = None
        return code

    def stop(self, *also: str) -> float:
        """SIGTERM; asserts that it ends cleanly. The seconds it took.

        :param also: what handlers may have raised besides, because of what the test did to the process.
        """
        begin = time.monotonic()
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        code = self.wait_for_the_end()
        assert code == 0, f"exit code {code}:\n{self.said}"
        traced = [line for line in self.said.splitlines() if "Traceback" in line]
        wrong = [line for line in traced if not any(text in line for text in (AS_ASKED, *also))]
        assert not wrong, self.said
        return time.monotonic() - begin

    def close(self) -> None:
        """End whatever still runs."""
        if self.process is not None:
            if self.process.poll() is None:
                self.signal(signal.SIGCONT)
                self.signal(signal.SIGKILL)
            self.process.wait()
            self.process = None

    def stacks(self) -> str:
        """End it, and what it said then: where all of its threads stood."""
        if not self.ended:
            self.signal(signal.SIGABRT)
            assert self.process is not None
            self.process.wait()
        return self.said

    def workers(self) -> list[int]:
        """The processes in which it runs isolated services."""
        assert self.process is not None
        pid = self.process.pid
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    # What it says --------------------------------------------------------------------------------------------

    def queued(self) -> dict[str, int]:
        """How much each service is owed."""
        with connect(self.store) as client:
            status = client.ask("status", patience=10.0)
        return {each["service"]: each["queued"] for each in status["services"] if each.get("queued")}

    def drain(self, patience: float = 120.0) -> None:
        """Wait until nothing is queued. The beat never rests, so it is looked for a moment without."""
        left: dict[str, int] = {}

        def empty() -> bool:
            nonlocal left
            try:
                left = self.queued()
            except (NodeNotFound, ConnectionLost, NoAnswer, NotRunning):
                assert not self.ended, f"the node ended:\n{self.said}"
                return False
            return not left

        until(empty, lambda: f"still queued: {left}\n{self.stacks()}", patience)
