"""``junctor run --reload`` on a real node, with real edits: what changed starts anew, what did not goes on, nothing is
lost, and a broken edit breaks nothing."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from junctor.errors import ServiceStopped
from junctor.node.control.client import NodeClient
from tests.integration.node.conftest import PATIENCE, Junctor, Running

KINDS = """
from dataclasses import dataclass

@dataclass(frozen=True)
class Reading:
    number: int
"""

MONITOR = """
import asyncio
from kinds import Reading
from junctor import Service, Target

class Monitor(Service):
    readings: Target[Reading]

    async def loop(self) -> None:
        number = 0
        with open("sent.txt", "a", buffering=1) as sent:
            while not self.stopping:
                await self.readings.send(Reading(number))
                print(number, file=sent)
                number += 1
                await asyncio.sleep(0.003)
"""

ALARM = """
from kinds import Reading
from junctor import Service, action, handler, setting

VERSION = 0

class Alarm(Service):
    limit: float = setting(80.0)

    @handler
    async def on_reading(self, reading: Reading) -> None:
        self.state["count"] = self.state.get("count", 0) + 1
        with open("got.txt", "a") as got:
            print(reading.number, file=got)

    @action
    async def version(self) -> int:
        return VERSION
"""

FLOW = """
flow: plant
services:
  monitor: {class: monitor:Monitor, connect: {readings: alarm}}
  alarm: {class: alarm:Alarm, settings: {limit: 75}}
"""


CLOCK = """
from junctor import Service, action

class Clock(Service):
    @action
    async def hour(self) -> int:
        return 12
"""


class Plant:
    """The files of a flow, and the node that follows them."""

    def __init__(self, junctor: Junctor, node: Running) -> None:
        self.junctor = junctor
        self.node = node
        self.folder = junctor.folder

    def edit(self, name: str, old: str, new: str) -> None:
        text = (self.folder / name).read_text()
        assert old in text
        (self.folder / name).write_text(text.replace(old, new))

    def says(self, pattern: str, times: int = 1) -> None:
        """Wait until the node has said it so often."""
        until = time.monotonic() + PATIENCE
        while len(re.findall(pattern, self.node.said)) < times:
            assert self.node.process.poll() is None, self.node.said
            assert time.monotonic() < until, f"{pattern} is not in:\n{self.node.said}"
            time.sleep(0.02)

    def has_version(self, number: int) -> bool:
        """Whether the alarm answers with it; a call in the very moment of its restart is refused."""
        client = NodeClient(self.folder / ".junctor" / "plant")
        try:
            return bool(client.call("alarm", "version") == number)
        except ServiceStopped:
            return False
        finally:
            client.close()

    def numbers(self, name: str) -> list[int]:
        return [int(line) for line in (self.folder / name).read_text().split()]


@pytest.fixture
def plant(junctor: Junctor) -> Iterator[Plant]:
    for name, text in (("kinds", KINDS), ("monitor", MONITOR), ("alarm", ALARM)):
        (junctor.folder / f"{name}.py").write_text(text)
    (junctor.folder / "flow.yaml").write_text(FLOW)
    yield Plant(junctor, junctor.start("flow.yaml", "--reload", "--port", "0"))


def saved_in_place(path: Path, text: str) -> None:
    path.write_text(text)


def saved_by_rename(path: Path, text: str) -> None:
    new = path.with_name(f".{path.name}.swp")
    new.write_text(text)
    new.replace(path)


def saved_in_pieces(path: Path, text: str) -> None:
    path.write_text(text[: len(text) // 2])
    time.sleep(0.05)
    path.write_text(text)


def saved_after_removal(path: Path, text: str) -> None:
    path.unlink()
    time.sleep(0.05)
    path.write_text(text)


@pytest.mark.timeout(120)
def test_thirty_edits_under_traffic_lose_nothing(plant: Plant) -> None:
    ways: list[Callable[[Path, str], None]] = [
        saved_in_place,
        saved_by_rename,
        saved_in_pieces,
        saved_after_removal,
    ]
    for number in range(1, 31):
        text = ALARM.replace("VERSION = 0", f"VERSION = {number}")
        ways[number % len(ways)](plant.folder / "alarm.py", text)
        until = time.monotonic() + PATIENCE
        while not plant.has_version(number):
            assert time.monotonic() < until, plant.node.said
            time.sleep(0.05)
    said = plant.node.said
    assert said.count("alarm restarted") == 30, said
    assert "monitor restarted" not in said and said.count("monitor untouched") == 30
    plant.node.signal(signal.SIGTERM)
    plant.node.ends(0)
    sent = plant.numbers("sent.txt")
    assert sent == list(range(len(sent))), "the monitor was never started anew"
    assert len(sent) > 500
    drained = plant.junctor.start("flow.yaml", "--port", "0", "--name", "plant")
    until = time.monotonic() + PATIENCE
    while plant.junctor.json("status")["services"][1].get("queued", 0) > 3:
        assert time.monotonic() < until
        time.sleep(0.05)
    drained.signal(signal.SIGTERM)
    drained.ends(0)
    got = plant.numbers("got.txt")
    first_run = got[: got.index(sent[-1]) + 1]
    assert sorted(set(first_run)) == sent
    assert len(first_run) == len(sent), "each was handled once"


def test_a_broken_edit_tells_the_users_line_and_the_old_code_goes_on(plant: Plant) -> None:
    plant.edit("alarm.py", "class Alarm(Service):", "class Alarm(Service:")
    plant.says(r"alarm\.py:7: class Alarm\(Service:\n")
    plant.says("the code from before goes on")
    assert plant.junctor.here("call", "alarm", "version").strip() == "0"
    plant.edit("alarm.py", "class Alarm(Service:", "class Alarm(Service):")
    plant.says(r"alarm\.py: as it runs already")
    plant.edit("alarm.py", "VERSION = 0", "import rules\nVERSION = rules.VERSION")
    plant.says(r"alarm\.py:5: import rules\n")
    (plant.folder / "rules.py").write_text("VERSION = 1 / 0\n")
    plant.says(r"rules\.py:1: VERSION = 1 / 0\n")
    (plant.folder / "rules.py").write_text("VERSION = 7\n")
    plant.says(r"reloaded rules\.py: alarm restarted")
    assert plant.junctor.here("call", "alarm", "version").strip() == "7"
    plant.edit("rules.py", "7", "8")
    plant.says(r"reloaded rules\.py: alarm restarted", 2)
    assert plant.junctor.here("call", "alarm", "version").strip() == "8"


def test_the_flow_file_is_followed_and_its_mistakes_too(plant: Plant) -> None:
    plant.edit("flow.yaml", "limit: 75", "limit: 90")
    plant.says(r"reloaded flow\.yaml: alarm restarted with limit 75\.0 -> 90\.0 \(.*\); monitor untouched")
    plant.edit("flow.yaml", "limit: 90", "limti: 90")
    plant.says('Did you mean "limit"')
    plant.edit("flow.yaml", "limti: 90", "limit: 90")
    plant.says("as it runs already")
    (plant.folder / "clock.py").write_text(CLOCK)
    plant.edit("flow.yaml", "services:\n", "services:\n  clock: {class: clock:Clock}\n")
    plant.says(r"clock started \(.*\); monitor, alarm untouched")
    assert plant.junctor.here("call", "clock", "hour").strip() == "12"
    plant.edit("flow.yaml", "  clock: {class: clock:Clock}\n", "")
    plant.says(r"clock stopped \(.*\); monitor, alarm untouched")


def test_state_goes_over_to_the_new_code(plant: Plant) -> None:
    plant.edit("alarm.py", "return VERSION", 'return self.state.get("count", 0)')
    plant.says("alarm restarted")
    assert int(plant.junctor.here("call", "alarm", "version")) > 0


UNREADABLE = ("number: int", "number: int\n    unit: str")


def paused_with_messages(plant: Plant) -> None:
    plant.junctor.here("pause", "alarm")
    until = time.monotonic() + PATIENCE
    while plant.junctor.json("status")["services"][1].get("queued", 0) < 3:
        assert time.monotonic() < until
        time.sleep(0.05)


def test_what_waits_and_cannot_be_read_any_more_keeps_the_old_code(plant: Plant) -> None:
    paused_with_messages(plant)
    plant.edit("kinds.py", *UNREADABLE)
    plant.says(r"alarm: \d+ pending messages of Reading: .*unit")
    plant.says("the code from before goes on")
    assert "restarted" not in plant.node.said
    plant.junctor.here("resume", "alarm")
    plant.edit("kinds.py", UNREADABLE[1], UNREADABLE[0])


class Terminal:
    """A node on a terminal of its own."""

    def __init__(self, junctor: Junctor, *words: str) -> None:
        self.master, slave = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "junctor", "run", *words],
            cwd=junctor.folder,
            env=junctor.env,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)
        os.set_blocking(self.master, False)
        self.seen = ""

    def until(self, text: str) -> None:
        end = time.monotonic() + PATIENCE
        while text not in self.seen:
            assert time.monotonic() < end, f"{text} is not in:\n{self.seen}"
            with contextlib.suppress(BlockingIOError):
                self.seen += os.read(self.master, 65536).decode(errors="replace")
            time.sleep(0.01)

    def type(self, text: str) -> None:
        os.write(self.master, text.encode())


@pytest.mark.parametrize(("answer", "told"), [("p\n", "restarted"), ("\n", "the code from before goes on")])
def test_on_a_terminal_it_asks(plant: Plant, answer: str, told: str) -> None:
    plant.node.signal(signal.SIGTERM)
    plant.node.ends(0)
    terminal = Terminal(plant.junctor, "flow.yaml", "--reload", "--port", "0")
    try:
        terminal.until("stop with Ctrl-C")
        paused_with_messages(plant)
        plant.edit("kinds.py", *UNREADABLE)
        terminal.until("[p/K]")
        terminal.type(answer)
        terminal.until(told)
        terminal.process.send_signal(signal.SIGTERM)
        terminal.until("stopped")
    finally:
        terminal.process.kill()
        terminal.process.wait()
        os.close(terminal.master)


def test_code_that_goes_to_another_folder_is_followed_all_the_same(plant: Plant) -> None:
    plant.edit("alarm.py", "VERSION = 0", "import os\nos.chdir('/')\nVERSION = 1")
    plant.says("reloaded alarm.py: alarm restarted")
    plant.edit("alarm.py", "VERSION = 1", "VERSION = 2")
    plant.says("alarm restarted", times=2)
    assert plant.has_version(2)
    plant.edit("flow.yaml", "limit: 75", "limit: many")
    plant.says(r"alarm.limit \(\S*flow.yaml:5\): expected float")
    plant.edit("flow.yaml", "limit: many", "limit: 60")
    plant.says(r"alarm restarted with limit 75.0 -> 60.0")
