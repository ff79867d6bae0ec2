"""A server as a child of the test: started, waited for until it answers, stopped by a signal."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

START = 20.0
STOP = 20.0


class Server:
    """A program that listens at ``port`` of 127.0.0.1. The port stays over restarts; ``log`` is a file."""

    def __init__(self, command: list[str], port: int, log: Path, user: str | None = None) -> None:
        self.port = port
        self._command = [*_first(user), *command]
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns when connections are taken; nothing happens where it runs."""
        if self.running:
            return
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, cwd="/"
            )
        until = time.monotonic() + START
        while not self._answers():
            if not self.running or time.monotonic() > until:
                self.stop(signal.SIGKILL)
                raise RuntimeError(f"{self._command} did not start:\n{self.log()}")
            time.sleep(0.005)

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def _answers(self) -> bool:
        with socket.socket() as probe:
            probe.settimeout(0.5)
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self, sign: signal.Signals = signal.SIGTERM) -> None:
        """Ends it and waits; SIGKILL is a crash."""
        if self._process is not None:
            self._process.send_signal(sign)
            self._process.wait(STOP)
            self._process = None

    def restart(self, sign: signal.Signals = signal.SIGTERM) -> None:
        self.stop(sign)
        self.start()

    def pause(self) -> None:
        """It stands still, with its connections open: SIGSTOP."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def log(self) -> str:
        return self._log.read_text(errors="replace")


def _first(user: str | None) -> list[str]:
    """What starts the program: it dies with the thread that started it, and root becomes ``user``."""
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        return []
    change = ["--reuid", user, "--regid", user, "--init-groups"] if user and os.geteuid() == 0 else []
    return [setpriv, "--pdeathsig", "KILL", *change, "--"]
