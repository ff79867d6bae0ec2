"""Time of durable runs: what comes due while the node is down, clocks that jump, the same history in any order."""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from junctor import Conversation, Flow, Service, Target, Workflow, handler, on_timer
from junctor.core.run import RunQuery
from junctor.testing import RunningFlow, running
from tests.crash.node.test_clock import HOUR, SetClock

ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class Nap:
    seconds: float
    times: int = 1


class Sleeper(Workflow):
    """Sleeps so often, and tells how late each of them was."""

    @handler
    async def on_nap(self, nap: Nap) -> list[float]:
        late = []
        for _ in range(nap.times):
            before = self.now()
            await self.sleep(nap.seconds)
            late.append((self.now() - before).total_seconds() - nap.seconds)
        return late


class Ticker(Conversation):
    """The same with the timers of a conversation."""

    left: int = 0
    seconds: float = 0.0

    @handler
    async def on_nap(self, nap: Nap) -> list[float]:  # type: ignore[empty-body]
        self.left, self.seconds = nap.times, nap.seconds
        self.timer(nap.seconds, name="nap")

    @on_timer("nap")
    async def on_woken(self) -> None:
        self.left -= 1
        if self.left:
            self.timer(self.seconds, name="nap")


def asleep(*kinds: Any) -> Flow:
    flow = Flow("night")
    for kind in kinds or (Sleeper,):
        flow.add(kind())
    return flow


def ended(plant: RunningFlow) -> list[tuple[str, int]]:
    return [(run.status.name, run.turns) for run in plant.node.archive.runs(RunQuery(limit=1000))]


@pytest.mark.parametrize("kind", [Sleeper, Ticker])
@pytest.mark.parametrize("durable", [False, True], ids=["memory", "sqlite"])
async def test_thirty_days_a_day_at_a_time(tmp_path: Path, durable: bool, kind: Any) -> None:
    async with running(asleep(kind), store=tmp_path / "store" if durable else None) as plant:
        await plant.send(kind.__name__.lower(), Nap(86_400, 30))
        await plant.advance("29d")
        assert ended(plant) == [("OPEN", 30)]
        await plant.advance("1d")
        assert ended(plant) == [("DONE", 31)]


@pytest.mark.parametrize("kind", [Sleeper, Ticker])
async def test_what_comes_due_while_the_node_is_down_comes_once_when_it_is_up(tmp_path: Path, kind: Any) -> None:
    name = kind.__name__.lower()
    async with running(asleep(kind), store=tmp_path / "store") as plant:
        for number in range(50):
            await plant.send(name, Nap(60 + number))
        begun = plant.now
    async with running(asleep(kind), store=tmp_path / "store", start=begun + timedelta(days=400)) as plant:
        await plant.idle()
        assert ended(plant) == [("DONE", 2)] * 50
        await plant.restart()
        assert ended(plant) == [("DONE", 2)] * 50


JUMPS = {"an hour on": (HOUR, True), "an hour back": (-HOUR, False), "ten years on": (87_600 * HOUR, True)}


@pytest.mark.parametrize("jump", JUMPS)
async def test_a_clock_that_jumps_loses_no_timer_and_rings_none_twice(short_dir: Path, jump: str) -> None:
    """A timer is a moment of the wall clock: set on, it rings; set back, it waits until the clock is right again."""
    offset, rings = JUMPS[jump]
    clock = SetClock()
    async with asleep(Sleeper).running(store=short_dir / "store", clock=clock) as node:

        async def turns() -> list[int]:
            found = await node.read(lambda archive: archive.runs(RunQuery()))
            return [run.turns for run in found]

        sleeper = node.target("sleeper", Nap)
        await sleeper.send(Nap(1800))
        await sleeper.send(Nap(0.3))
        async with asyncio.timeout(10):
            while await turns() != [1, 1]:
                await asyncio.sleep(0.01)
        clock.offset = offset
        if not rings:
            await asyncio.sleep(0.5)
            assert await turns() == [1, 1]
            clock.offset = 0
        async with asyncio.timeout(10):
            while await turns() != ([2, 2] if rings else [2, 1]):
                await asyncio.sleep(0.01)
        clock.offset = 0
        await asyncio.sleep(0.2)
        assert await turns() == ([2, 2] if rings else [2, 1])


# Hash seeds --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Draw:
    names: frozenset[str]


class Taker(Service):
    """Answers after a while that is another one each time."""

    @handler
    async def on_draw(self, draw: Draw) -> int:
        await self.sleep(random.random())
        return len(draw.names)


class Drawing(Workflow):
    """Draws, asks and sleeps with what has no order of its own: sets, dicts, chance."""

    taker: Target[Draw, int]

    @handler
    async def on_draw(self, draw: Draw) -> str:
        told = []
        for day in range(4):
            chosen = frozenset(name for name in draw.names if self.random.random() < 2)
            asked = [self.taker.request(Draw(chosen | {f"{day} {each}"})) for each in range(3)]
            told += await self.gather(*asked, self.nap())
            told.append(str(self.uuid()))
        return " ".join(map(str, told))

    async def nap(self) -> None:
        await self.sleep(43_200 * (1 + self.random.random() / 10))


async def live_on(store: Path, days: int) -> list[str]:
    """Go on for two hours with what is there, from another day; status and turns of the run."""
    flow = Flow("drawings").add(Drawing()).add(Taker(), pool=8)
    start = datetime(2030, 1, 1, tzinfo=UTC) + timedelta(days=days)
    async with running(flow, store=store, start=start) as plant:
        if not plant.node.archive.runs(RunQuery()):
            await plant.send("drawing", Draw(frozenset(f"name {number}" for number in range(20))))
        await plant.advance("2h")
        return [run.status.name for run in plant.node.archive.runs(RunQuery())]


def test_a_run_goes_on_under_each_hash_seed(tmp_path: Path) -> None:
    """Each part of it in another process, with the hashes of strings shuffled and answers in another order."""
    told = []
    for seed in range(5):
        program = (
            "import asyncio, sys, pathlib; from tests.integration.workflows.test_time import live_on;"
            "print(asyncio.run(live_on(pathlib.Path(sys.argv[1]), int(sys.argv[2]))))"
        )
        env = os.environ | {"PYTHONHASHSEED": str(seed), "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
        command = [sys.executable, "-c", program, str(tmp_path / "store"), str(seed)]
        done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-3000:]
        told.append(done.stdout.splitlines()[-1])
    assert told == ["['OPEN']"] * 4 + ["['DONE']"]
