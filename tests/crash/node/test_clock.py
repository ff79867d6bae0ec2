"""A wall clock that is set while the node runs, or that was wrong when it started: an hour, ten years, back to 1970."""

from __future__ import annotations

import asyncio
import random
import struct
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from junctor import Flow, Service, Target, handler
from junctor.clock import SECOND, RealClock
from tests.crash.campaigns import Campaign, cycles
from tests.crash.node.node import Node, until
from tests.crash.node.producers import Crowd
from tests.crash.node.test_kill import assert_kept, finish, loaded
from tests.crash.seeds import repeat, seed_of_this_run

pytestmark = pytest.mark.crash

ROOT = Path(__file__).resolve().parents[3]

HOUR = 3600 * SECOND
JUMPS = {"an hour back": -HOUR, "an hour on": HOUR, "ten years on": 87_600 * HOUR, "to 1970": -time.time_ns() + SECOND}


class SetClock(RealClock):
    """The clock of the machine, set to another time by ``offset`` nanoseconds."""

    def __init__(self, offset: int = 0) -> None:
        super().__init__()
        self.offset = offset
        self.time_ns = lambda: time.time_ns() + self.offset


@dataclass(frozen=True)
class Item:
    n: int


class Line(Service):
    """Notes what comes; fails first where it is told to."""

    seen: list[int] = []

    @handler
    async def on_item(self, item: Item) -> None:
        Line.seen.append(item.n)
        if item.n < 0 and Line.seen.count(item.n) == 1:
            raise ValueError("not yet")


class Asker(Service):
    line: Target[Item]
    answered: list[int] = []

    @handler
    async def on_item(self, item: Item) -> None:
        await self.line.request(item)
        Asker.answered.append(item.n)


def flow() -> Flow:
    Line.seen, Asker.answered = [], []
    often = {"attempts": 5, "initial": 0.2, "max": 0.2}
    return Flow("clocks").add(Line(), retry=often, pool=4, key="n").add(Asker(), retry=often, connect={"line": "line"})


async def settled(condition: object, patience: float = 8.0) -> None:
    async with asyncio.timeout(patience):
        while not condition():  # type: ignore[operator]
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("jump", JUMPS)
async def test_what_waits_comes_once_when_the_clock_is_right_again(short_dir: Path, jump: str) -> None:
    """A delayed message and a retry wait while the clock is set, and set right again."""
    clock = SetClock()
    async with flow().running(store=short_dir / "store", clock=clock) as node:
        line = node.target("line", Item)
        await line.send(Item(1), delay=0.3)
        await line.send(Item(-1))
        await settled(lambda: Line.seen)
        clock.offset = JUMPS[jump]
        await line.send(Item(2))
        await settled(lambda: Line.seen.count(-1) == 2)  # a retry waits by a clock that nobody sets
        await asyncio.sleep(0.5)
        clock.offset = 0
        await line.send(Item(3))
        await settled(lambda: sorted(Line.seen) == [-1, -1, 1, 2, 3])
        await asyncio.sleep(0.3)
        assert sorted(Line.seen) == [-1, -1, 1, 2, 3]


async def test_a_clock_that_was_wrong_at_the_start_loses_no_timer(short_dir: Path) -> None:
    """As on a device without a battery: it starts in 1970 and learns the time a little later."""
    async with flow().running(store=short_dir / "store") as node:
        await node.target("line", Item).send(Item(1), delay=0.3)
    clock = SetClock(JUMPS["to 1970"])
    async with flow().running(store=short_dir / "store", clock=clock):
        await asyncio.sleep(0.4)
        assert not Line.seen, "fifty years too early"
        clock.offset = 0
        await settled(lambda: Line.seen == [1])


@pytest.mark.parametrize("jump", JUMPS)
async def test_requests_go_on_over_a_jump(short_dir: Path, jump: str) -> None:
    clock = SetClock()
    async with flow().running(store=short_dir / "store", clock=clock) as node:
        asker = node.target("asker", Item)
        for n in range(3):
            await asker.send(Item(n))
            clock.offset = JUMPS[jump] if n % 2 == 0 else 0
        await settled(lambda: sorted(Asker.answered) == [0, 1, 2])
        assert sorted(Line.seen) == [0, 1, 2]


# Under load --------------------------------------------------------------------------------------------------

ALONE = Path(__file__).parent / "drivers" / "clock"


class Wall:
    """The wall clock of a node in a process of its own."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.set(0)

    def set(self, offset: int) -> None:
        with self.file.open("r+b" if self.file.exists() else "wb") as file:
            file.write(struct.pack("<q", offset))

    @property
    def env(self) -> dict[str, str]:
        return {"CRASH_CLOCK": str(self.file), "PYTHONPATH": f"{ALONE}:{ROOT / 'src'}"}


def jumps(folder: Path, seed: int, count: int) -> None:
    """Set the clock again and again, each time from the right time, while orders go through the node."""
    chance, made = random.Random(seed), Campaign(seed)
    wall, begun = Wall(folder / "clock"), folder / "begun"
    env = wall.env | {"CRASH_BEGUN": str(begun)}
    with loaded(folder, seed, env, modes="plain " * 20 + "fail hold") as (node, crowd):
        node.start()
        for _ in range(count):
            wall.set(chance.choice([*JUMPS.values(), chance.randrange(-HOUR, HOUR)]))
            accepted(node, crowd, 20)
            time.sleep(chance.uniform(0.0, 0.3))
            wall.set(0)
            accepted(node, crowd, 20)
        wall.set(JUMPS["ten years on"] + HOUR)  # what was delayed in that year is due as well
        verdict = finish(node, crowd, "Request")
    most = most_begun(begun)
    made.ended(count, verdict.acked, verdict.faults)
    print(f"\n{count} jumps, {verdict.acked} acked, {verdict.faults}, one began {most} times, JUNCTOR_SEED={seed}")
    assert_kept(verdict, seed)
    assert most <= 2 * count + 3, f"one delivery began {most} times in {count} jumps, {repeat(seed)}"


def accepted(node: Node, crowd: Crowd, more: int) -> None:
    enough = crowd.acked + more
    until(lambda: crowd.acked > enough or node.ended, lambda: f"nothing is accepted:\n{node.said}", 20.0)


def most_begun(begun: Path) -> int:
    """How often the delivery began that began most often."""
    counts = Counter(line.rpartition(" ")[0] for line in begun.read_text().splitlines() if " tick " not in line)
    return max(counts.values())


@pytest.mark.timeout(120)
def test_the_clock_jumps_under_load(short_dir: Path) -> None:
    jumps(short_dir, seed_of_this_run(), 4)


@pytest.mark.torture
@pytest.mark.timeout(3600)
def test_the_clock_jumps_often_under_load(short_dir: Path) -> None:
    jumps(short_dir, seed_of_this_run(), cycles(200))
