"""Python Service Factory: the example of its page, and what the page does with it, line by line."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.seeds.pages import blocks

PATIENCE = 30.0


class Terminal:
    """The terminal in which the service runs."""

    def __init__(self, folder: Path) -> None:
        self._out = folder / "terminal.txt"
        with self._out.open("w") as out:
            self.process = subprocess.Popen(
                [sys.executable, "TestService.py"],
                cwd=folder,
                stdout=out,
                stderr=subprocess.STDOUT,
                env=environment(folder),
            )

    def shows(self, *lines: str) -> None:
        """Wait until these lines, and no others, are there. How often the loop came is left open."""
        end = time.monotonic() + PATIENCE
        while self.lines != [*lines]:
            assert time.monotonic() < end, self._out.read_text()
            time.sleep(0.02)

    @property
    def lines(self) -> list[str]:
        found = self._out.read_text().splitlines()
        return [line for index, line in enumerate(found) if index == 0 or line != "Test : looping..."]


def environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "XDG_STATE_HOME": str(folder / "state")}


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    text = blocks("servicefactory")["TestService.py"]
    (tmp_path / "TestService.py").write_text(text.replace("port=1234", f"port={free_port()}"))
    opened = Terminal(tmp_path)
    try:
        opened.shows("Test : looping...")
        yield opened
    finally:
        opened.process.kill()
        opened.process.wait()


def free_port() -> int:
    """The page's port may be in use on this machine."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        found: int = free.getsockname()[1]
        return found


def python(folder: Path, code: str) -> str:
    command = [sys.executable, "-c", code]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=True, timeout=60, env=environment(folder)
    ).stdout


def test_the_page_from_its_first_line_to_its_last(terminal: Terminal, tmp_path: Path) -> None:
    port = python(tmp_path, "import TestService; print(TestService.Test.PORT)").strip()
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"http://localhost:{port}/action", b'"hello world"', headers, method="POST")
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        assert answer.read() == b"ok"
    first = ["Test : looping...", "handling action...", "b'hello world'"]
    terminal.shows(*first)
    python(tmp_path, 'import TestService; TestService.Test.perform("action", "hello world")')
    terminal.shows(*first, *first[1:])
    terminal.process.send_signal(signal.SIGINT)
    assert terminal.process.wait(PATIENCE) == 0
    terminal.shows(*first, *first[1:], "Test : shutdown requested", "Test : finalizing...")


def test_the_example_comes_with_the_package() -> None:
    from servicefactory import TestService

    assert TestService.Test.PORT == 1234
    assert TestService.Test.url("action") == "http://localhost:1234/action"
