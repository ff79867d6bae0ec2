"""Runs what a page of the documentation shows: its files are written, its commands typed, its output compared.

How a page is written:

- A ``python`` or ``yaml`` block that begins with ``# name.py`` or ``# name.yaml`` is that file. Any other ``python``
  block is a fragment: fragments of a page are one program, which has ``dataclass`` and everything public of Junctor.
- A ``console`` block has commands after ``$`` and what they print. Numbers, ids, times and the width of blanks may
  differ; ``...`` alone on a line stands for any lines. All blocks of a page are typed into one shell. A node that runs
  on in the foreground (``stop with Ctrl-C``) has a terminal of its own; ``^C`` stops it there.
- ``<!-- not run: reason -->`` above a block leaves it out; blocks in other languages are only read.
"""

from __future__ import annotations

import contextlib
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src"
PATIENCE = 45.0
HOME = "/home/you/demo"
"""The folder in the pages; the test's own takes its place."""
STARTED = "stop with Ctrl-C\n"

_FENCE = re.compile(
    r"^(?:<!-- not run: (?P<reason>.+?) -->\n)?```(?P<language>\w+)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE
)
FILES = ("python", "yaml")
"""Languages whose blocks can be files."""

_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_KILLED = re.compile(r"bash: line \d+: +\d+ Killed .*\n?")
_PRELUDE = "from dataclasses import dataclass\nfrom typing import Any, Literal\nfrom junctor import *\n"


# The reader of a page runs neither the tests nor the make that started them.
_OF_THIS_RUN = ("JUNCTOR_", "PYTEST_", "MAKE", "MFLAGS")


class Block(NamedTuple):
    """A fenced block. ``reason`` says why it is not run."""

    language: str
    text: str
    line: int
    reason: str

    @property
    def file(self) -> str:
        """The name in its first line, empty for a fragment."""
        found = re.match(r"# ([\w./-]+\.\w+)\n", self.text)
        return found[1] if found and self.language in FILES else ""


class Step(NamedTuple):
    """A command of a console block and what the page says that it prints."""

    command: str
    expected: str
    line: int


def blocks(page: Path) -> Iterator[Block]:
    text = page.read_text()
    for found in _FENCE.finditer(text):
        line = text.count("\n", 0, found.start("text")) + 1
        yield Block(found["language"], found["text"], line, found["reason"] or "")


def steps(block: Block) -> Iterator[Step]:
    parts = re.split(r"^\$ ", block.text, flags=re.MULTILINE)
    line = block.line + parts[0].count("\n")
    for part in parts[1:]:
        command, _, expected = part.replace("\\\n", "\0").partition("\n")
        yield Step(command.replace("\0", "\\\n"), expected, line)
        line += part.count("\n")


# Terminals --------------------------------------------------------------------------------------------------


# Without it the process would be beside its terminal, and Ctrl-C would reach nobody.
_CONTROLLED = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execvp(sys.argv[1], sys.argv[1:])
"""


class Terminal:
    """A process on a terminal of 140 columns. ``typed``: a shell that is given its commands line by line."""

    def __init__(self, command: list[str], folder: Path, environment: dict[str, str], *, typed: bool = False) -> None:
        self._master, slave = pty.openpty()
        self.process = subprocess.Popen(
            command if typed else [sys.executable, "-c", _CONTROLLED, *command],
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE if typed else slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)
        self._seen = ""

    def interrupt(self) -> None:
        """Press Ctrl-C."""
        os.write(self._master, b"\x03")

    def type(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n".encode())
        self.process.stdin.flush()

    def read_until(self, mark: str) -> str:
        """What was printed up to the mark, without colours."""
        until = time.monotonic() + PATIENCE
        while mark not in self._seen:
            assert time.monotonic() < until, f"waited {PATIENCE:g} s for {mark!r} after:\n{self._seen}"
            if not self._read(0.2):
                raise AssertionError(f"ended before {mark!r} with:\n{self._seen}")
        found, _, self._seen = self._seen.partition(mark)
        return found

    def rest(self) -> str:
        """What is printed until the end of the process."""
        until = time.monotonic() + PATIENCE
        while self._read(0.2):
            assert time.monotonic() < until, f"still runs after {PATIENCE:g} s:\n{self._seen}"
        found, self._seen = self._seen, ""
        return found

    def _read(self, wait: float) -> bool:
        ready, _, _ = select.select([self._master], [], [], wait)
        if not ready:
            return self.process.poll() is None
        try:
            data = os.read(self._master, 65536)
        except OSError:  # the last process of this terminal has ended
            return False
        self._seen += _ESCAPES.sub("", data.decode(errors="replace").replace("\r\n", "\n"))
        return bool(data)

    def close(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        if self.process.stdin is not None:
            self.process.stdin.close()
        os.close(self._master)


_SMALL_CURL = """
import argparse, urllib.error, urllib.request
parser = argparse.ArgumentParser()
parser.add_argument("url")
parser.add_argument("-X", dest="method")
parser.add_argument("--json")
parser.add_argument("-s", action="store_true")
parser.add_argument("-H", dest="headers", action="append", default=[])
given = parser.parse_args()
url = given.url if "//" in given.url else f"http://{given.url}"
data = given.json and given.json.encode()
headers = {"content-type": "application/json"} if given.json else {}
headers |= dict(header.split(": ", 1) for header in given.headers)
try:
    answer = urllib.request.urlopen(urllib.request.Request(url, data, headers, method=given.method))
except urllib.error.HTTPError as error:
    answer = error
print(answer.read().decode(), end="")
"""


class Desk:
    """Where a page is played: a folder, a port, a shell, and the terminals of nodes. A context manager."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port
        self.typed: list[tuple[str, str]] = []
        self._environment = self._make_environment()
        self._shell = Terminal(["bash", "--norc"], folder, self._environment, typed=True)
        self._nodes: list[Terminal] = []
        self._fragments = _PRELUDE

    def _make_environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(_OF_THIS_RUN)}
        path = os.pathsep.join([self._curl(), str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
        own = {"PATH": path, "PORT": str(self.port), "COLUMNS": "140", "TERM": "xterm", "PYTHONUNBUFFERED": "1"}
        return {**kept, **own, "PYTHONPATH": str(SOURCE), "HOME": str(self.folder), "LC_ALL": "C.UTF-8"}

    def _curl(self) -> str:
        """A folder with a small ``curl``, for machines that have none, or one before --json (7.82)."""
        folder = self.folder / "bin"
        known = shutil.which("curl") and subprocess.run(["curl", "--json", "{}", "-V"], capture_output=True).returncode
        if known != 0:
            folder.mkdir()
            curl = folder / "curl"
            curl.write_text(f"#!{sys.executable}\n{_SMALL_CURL}")
            curl.chmod(0o755)
        return str(folder)

    def __enter__(self) -> Desk:
        return self

    def __exit__(self, *_: object) -> None:
        # The shell first: its own jobs are in its session, and end with it.
        for terminal in (self._shell, *self._nodes):
            terminal.close()

    def play(self, page: Path) -> None:
        """:raises AssertionError: something is not as the page says; the text begins with page and line."""
        for block in blocks(page):
            if not block.reason:
                self._play_block(block, page.name)

    def _play_block(self, block: Block, page: str) -> None:
        if block.file:
            path = self.folder / block.file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text)
        elif block.language == "python":
            self._fragments += f"\n{block.text}"
            self._check_fragment(f"{page}:{block.line}")
        elif block.language == "console":
            for step in steps(block):
                printed = self._do(step)
                self.typed.append((step.command, printed))
                compare(step.expected, printed, f"{page}:{step.line}: $ {step.command}")

    def _check_fragment(self, place: str) -> None:
        command = [sys.executable, "-W", "error", "-c", self._fragments]
        done = subprocess.run(command, cwd=self.folder, env=self._environment, capture_output=True, text=True)
        assert done.returncode == 0, f"{place}:\n{done.stderr}"

    def _do(self, step: Step) -> str:
        command = step.command.replace("8080", str(self.port))
        if starts_node(command) and STARTED in step.expected:
            return self._readable(self._run_node(command, "^C" in step.expected))
        # A number of its own, so that what a command prints is not taken for the end of it.
        mark = f"-done-{len(self.typed)}-{os.getpid()}-"
        self._shell.type(f"{command}\necho; echo '{mark[:4]}''{mark[4:]}'")
        printed = self._shell.read_until(f"{mark}\n").removesuffix("\n")
        if starts_node(command) and command.endswith("&"):
            self._await_ready()
        return self._readable(_KILLED.sub("", printed))

    def _run_node(self, command: str, stop: bool) -> str:
        terminal = self._make_run() if command == "make run" else self._terminal(f"exec {command}", self.folder)
        self._nodes.append(terminal)
        printed = terminal.read_until(STARTED) + STARTED
        if stop:
            terminal.interrupt()
            # The terminal shows the key where the cursor is.
            printed += terminal.rest().replace("^C", "^C\n", 1)
            assert terminal.process.wait(PATIENCE) == 0, printed
        return printed

    def _terminal(self, command: str, folder: Path, **more: str) -> Terminal:
        return Terminal(["bash", "--norc", "-c", command], folder, {**self._environment, **more})

    def _make_run(self) -> Terminal:
        """In this repository, with its data elsewhere. Nothing is installed: where that is due, make is left out."""
        store, alerts = f"{self.folder}/monitor", f"--set alerts.file={self.folder}/alerts.jsonl"
        current = subprocess.run(["make", "-q", ".venv/.run"], cwd=ROOT, capture_output=True).returncode == 0
        command = "exec make run" if current else f"exec junctor run examples/machine-monitor {alerts}"
        return self._terminal(command, ROOT, JUNCTOR_STORE=store, ARGS=alerts)

    def _await_ready(self) -> None:
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health/ready"):
                return
            time.sleep(0.05)
        raise AssertionError(f"no node is ready after {PATIENCE:g} s")

    def _readable(self, printed: str) -> str:
        return printed.replace(str(self.folder.resolve()), HOME).replace(str(self.port), "8080")


def starts_node(command: str) -> bool:
    return command == "make run" or command.startswith(("junctor run ", "python -m junctor run "))


# Comparison -------------------------------------------------------------------------------------------------

_FREE = {
    "id": r"\b(?=[0-9a-f-]*\d)[0-9a-f]{8}[0-9a-f-]*\b",
    "number": r"\d+(?:\.\d+)?(?: ?(?:us|ms|s|TB|GB|MB|KB|B)\b)?",
    "rule": "─+",
    "blank": r"[ \t]+",
}
_LOOSE = re.compile("|".join(f"(?P<{name}>{free})" for name, free in _FREE.items()))


def pattern(expected: str) -> re.Pattern[str]:
    """What the page shows, as a pattern in which ids, numbers, durations and blanks are free."""
    lines = []
    for line in expected.strip().splitlines():
        if line.strip() == "...":
            lines.append(r"(?:.*\n)*?")
            continue
        text, end = "", 0
        line = line.strip()
        for found in _LOOSE.finditer(line):
            text += re.escape(line[end : found.start()]) + _free(str(found.lastgroup))
            end = found.end()
        lines.append(rf"[ \t]*{text}{re.escape(line[end:])}[ \t]*\n")
    return re.compile("".join(lines))


def _free(name: str) -> str:
    # An id may turn out to have letters only, or none.
    return "[0-9a-f-]+" if name == "id" else _FREE[name]


def compare(expected: str, printed: str, place: str) -> None:
    """:raises AssertionError: with both texts, when they differ in more than numbers."""
    told = re.sub(r"\n\s*\n", "\n", f"{printed.strip()}\n").lstrip("\n")
    wanted = re.sub(r"\n\s*\n", "\n", expected)
    if not pattern(wanted).fullmatch(told if told.strip() else ""):
        raise AssertionError(f"{place}\n--- the page says\n{expected}\n--- it printed\n{printed}")
