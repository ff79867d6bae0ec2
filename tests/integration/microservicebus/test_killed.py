"""A node of services that is killed again and again: what was submitted is handled, and nothing is made up."""

from __future__ import annotations

import random
import signal
import time
from pathlib import Path

from tests.integration.node.conftest import PATIENCE, Junctor
from tests.integration.node.conftest import junctor as junctor
from tests.integration.node.conftest import make_junctor as make_junctor

KILLS = 4

PROGRAM = """
import asyncio, os
from base_service import CustomService

HERE = os.path.dirname(os.path.abspath(__file__))


def note(name, value):
    with open(os.path.join(HERE, name), "a") as file:
        file.write(f"{value}\\n")


class Sender(CustomService):
    async def Start(self):
        for number in range(20):
            name = f"{os.getpid()}-{number}"
            await self.SubmitAction("Relay_py", "Process", {"name": name})
            note("sent", name)
        note("ready", os.getpid())
        while True:
            for number in range(20, 10_000):
                await self.SubmitAction("relay", "Process", {"name": f"{os.getpid()}-{number}"})
                note("sent", f"{os.getpid()}-{number}")


class Relay(CustomService):
    async def Process(self, message):
        await asyncio.sleep(0.002)
        await self.SubmitAction("Keep", "keep", message.message[0])


class Keep(CustomService):
    def keep(self, message):
        note("kept", message.message[0]["name"])
"""


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def until(path: Path, number: int) -> None:
    limit = time.monotonic() + PATIENCE
    while len(lines(path)) < number:
        assert time.monotonic() < limit, f"{path.name} has {len(lines(path))} lines of {number}"
        time.sleep(0.02)


def test_what_was_submitted_survives_kills(junctor: Junctor) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    (junctor.folder / "Sender.py").write_text(PROGRAM)
    for round in range(KILLS):
        node = junctor.start("Sender.py", "--port", "0")
        until(junctor.folder / "ready", round + 1)
        time.sleep(chance.uniform(0, 0.15))
        node.process.send_signal(signal.SIGKILL)
        node.process.wait()
    sent = set(lines(junctor.folder / "sent"))
    program = PROGRAM.replace("async def Start", "async def Begin")
    (junctor.folder / "Sender.py").write_text(program)
    junctor.start("Sender.py", "--port", "0")
    limit = time.monotonic() + PATIENCE
    while not sent <= set(lines(junctor.folder / "kept")):
        assert time.monotonic() < limit, f"lost: {sorted(sent - set(lines(junctor.folder / 'kept')))[:10]}"
        time.sleep(0.05)
    assert len(sent) >= 20 * KILLS
