"""A node in a process of its own, and the command line beside it."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from junctor.cli.main import main

PATIENCE = 15.0

SERVICES = '''
import asyncio, sys, time
from dataclasses import dataclass
from junctor import Park, Service, Target, action, get, handler, run, setting


@dataclass(frozen=True)
class Reading:
    sensor: str
    value: float


@dataclass(frozen=True)
class Note:
    text: str


@dataclass(frozen=True)
class Verdict:
    high: bool


class Monitor(Service):
    readings: Target[Reading]

    @action
    async def measure(self, value: float, sensor: str = "cpu") -> str:
        """Pretend to have measured."""
        await self.readings.send(Reading(sensor, value))
        return f"sent {value}"


class Alarm(Service):
    """Judges readings."""

    limit: float = setting(80.0, ge=0, le=100)

    @handler
    async def on_reading(self, reading: Reading) -> Verdict:
        self.log.info("judging %s", reading.sensor)
        if reading.value < 0:
            raise Park("negative \\x1b[31mvalue")
        return Verdict(reading.value > self.limit)

    @handler
    async def on_note(self, note: Note) -> None:
        if note.text == "block":
            await asyncio.sleep(0.1)
            time.sleep(60)
        if note.text == "wait":
            await asyncio.sleep(0.5)

    @action
    async def get_limit(self) -> float:
        return self.limit

    @action
    async def crash(self) -> None:
        raise ValueError("by hand")

    @action
    async def leave(self) -> None:
        sys.exit(3)

    @get("/limit")
    async def read_limit(self) -> float:
        return self.limit


if __name__ == "__main__":
    run(Monitor(), Alarm(limit=70))
'''


class Junctor:
    """The command line in one folder, with nothing of the tester's environment that could lead elsewhere."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.env = {key: value for key, value in os.environ.items() if not key.startswith("JUNCTOR_") and key != "PORT"}
        self.processes: list[subprocess.Popen[str]] = []

    def __call__(self, *words: str, code: int = 0, text: str = "", **env: str) -> str:
        """Run a command to its end; what it wrote to standard output, and to standard error where that is all."""
        done = subprocess.run(
            [sys.executable, "-m", "junctor", *words],
            cwd=self.folder,
            env=self.env | env,
            input=text,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        return _checked(words, code, done.returncode, done.stdout, done.stderr)

    def here(self, *words: str, code: int = 0, **env: str) -> str:
        """The same in this process: ten times as fast, and the same code from the first word to the exit code."""
        out, err = io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True), io.StringIO()
        before = dict(os.environ)
        try:
            os.environ.clear()
            os.environ.update(self.env | env)
            with contextlib.chdir(self.folder), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                ended = main(list(words))
        except SystemExit as left:  # click leaves so after a completion
            ended = int(left.code or 0)
        finally:
            os.environ.clear()
            os.environ.update(before)
        written = out.buffer.getvalue().decode()  # type: ignore[attr-defined]
        return _checked(words, code, ended, written, err.getvalue())

    def json(self, *words: str) -> Any:
        return json.loads(self.here(*words, "--json"))

    def start(
        self, *words: str, command: tuple[str, ...] = ("-m", "junctor", "run"), env: Mapping[str, str] = {}
    ) -> Running:
        """Start a node and wait until it says that it runs, or has ended."""
        running = self.launch(*words, command=command, env=env)
        running.wait_for("stop with Ctrl-C")
        return running

    def launch(
        self, *words: str, command: tuple[str, ...] = ("-m", "junctor", "run"), env: Mapping[str, str] = {}
    ) -> Running:
        """Start a node."""
        number = len(self.processes)
        out = (self.folder / f"out-{number}").open("w+")
        process = subprocess.Popen(
            [sys.executable, *command, *words],
            cwd=self.folder,
            env={**self.env, **env},
            stdout=out,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        out.close()
        self.processes.append(process)
        return Running(process, self.folder / f"out-{number}")


def _checked(words: tuple[str, ...], code: int, ended: int, out: str, err: str) -> str:
    assert ended == code, f"{words}: {ended}\n{out}\n{err}"
    assert "Traceback" not in err, err
    return out if code == 0 else out + err


class Running:
    """A node process and what it has said so far."""

    def __init__(self, process: subprocess.Popen[str], out: Path) -> None:
        self.process = process
        self._out = out

    @property
    def said(self) -> str:
        return self._out.read_text()

    def wait_for(self, text: str) -> None:
        until = time.monotonic() + PATIENCE
        while text not in self.said:
            if self.process.poll() is not None:
                return
            assert time.monotonic() < until, self.said
            time.sleep(0.01)

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def ends(self, code: int) -> str:
        assert self.process.wait(PATIENCE) == code, self.said
        return self.said


@pytest.fixture
def make_junctor() -> Iterator[Callable[[Path], Junctor]]:
    made: list[Junctor] = []

    def make(folder: Path) -> Junctor:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "machine.py").write_text(SERVICES)
        made.append(Junctor(folder))
        return made[-1]

    yield make
    for junctor in made:
        for process in junctor.processes:
            process.kill()
            process.wait()


@pytest.fixture
def junctor(short_dir: Path, make_junctor: Callable[[Path], Junctor]) -> Junctor:
    return make_junctor(short_dir)
