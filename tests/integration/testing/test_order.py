"""Virtual events come in the order and at the instants of real ones: against a reference that counts them out."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from junctor import Flow, Service, cron, every, handler
from junctor.errors import RequestTimeout
from junctor.testing import RunningFlow, running
from tests.integration.testing.plant import Ask, Reading

START = datetime(2026, 3, 1, 0, 0, 0, tzinfo=UTC)
HORIZON = 300_000
"""Milliseconds that each run takes."""

Event = tuple[int, str]


class Seen:
    """What happened, with its instant in milliseconds. What happens during the start is at 0."""

    def __init__(self) -> None:
        self.plant: RunningFlow | None = None
        self.events: list[Event] = []

    def __call__(self, label: str) -> None:
        at = (self.plant.now - START) / timedelta(milliseconds=1) if self.plant is not None else 0
        assert at == int(at), f"{label} came between two instants, at {at}"
        self.events.append((int(at), label))


class Case:
    """A kind of service with timers: what it is, and when its events come."""

    def __init__(self, seen: Seen, name: str, dice: random.Random) -> None:
        self.seen, self.name, self.dice = seen, name, dice
        self.begin: Callable[[RunningFlow], Any] | None = None
        self.blocking = dice.random() < 0.3

    def grid(self, low: int, high: int) -> int:
        """Milliseconds on a grid, so that several cases meet at one instant."""
        return 100 * self.dice.randint(low // 100, high // 100)

    def events(self) -> Iterator[Event]:
        raise NotImplementedError

    def add(self, flow: Flow) -> None:
        raise NotImplementedError


class Ticks(Case):
    def add(self, flow: Flow) -> None:
        seen, name = self.seen, self.name
        self.period = self.grid(1000, 30_000)

        class Async(Service):
            @every(self.period / 1000)
            async def poll(self) -> None:
                seen(name)

        class Blocking(Service):
            @every(self.period / 1000)
            def poll(self) -> None:
                seen(name)

        flow.add(Blocking if self.blocking else Async, name)

    def events(self) -> Iterator[Event]:
        return ((at, self.name) for at in range(0, HORIZON + 1, self.period))


class Cron(Case):
    def add(self, flow: Flow) -> None:
        seen, name = self.seen, self.name
        self.step = self.dice.choice([1, 2])

        class Timed(Service):
            @cron(f"*/{self.step} * * * *")
            async def poll(self) -> None:
                seen(name)

        flow.add(Timed, name)

    def events(self) -> Iterator[Event]:
        minutes = self.step * 60_000
        return ((at, self.name) for at in range(minutes, HORIZON + 1, minutes))


class Delays(Case):
    def add(self, flow: Flow) -> None:
        seen, name = self.seen, self.name
        self.delays = [self.grid(100, HORIZON) for _ in range(self.dice.randint(1, 8))]

        class Sink(Service):
            @handler
            async def on_reading(self, reading: Reading) -> None:
                seen(f"{name} {reading.sensor}")

        async def begin(plant: RunningFlow) -> None:
            for number, delay in enumerate(self.delays):
                await plant.send(name, Reading(f"{number}", 1.0), delay=delay / 1000)

        self.begin = begin
        flow.add(Sink, name)

    def events(self) -> Iterator[Event]:
        return ((delay, f"{self.name} {number}") for number, delay in enumerate(self.delays))


class Attempts(Case):
    """A message that fails some times: retried, or held while the other side is away."""

    def add(self, flow: Flow) -> None:
        seen, name = self.seen, self.name
        self.initial, self.fails = self.grid(100, 3000), self.dice.randint(0, 4)
        holds = self.dice.random() < 0.5
        left = self.fails

        def tried() -> None:
            nonlocal left
            seen(name)
            left -= 1
            if left >= 0:
                raise OSError("away")

        class Async(Service):
            @handler
            async def on_reading(self, reading: Reading) -> None:
                tried()

        class Blocking(Service):
            @handler
            def on_reading(self, reading: Reading) -> None:
                tried()

        policy = {"initial": self.initial / 1000, "factor": 2.0, "max": "1h"}
        flow.add(
            Blocking if self.blocking else Async,
            name,
            retry={"attempts": 9, "on": {"OSError": "hold" if holds else "retry"}, **({} if holds else policy)},
            hold=policy if holds else None,
        )
        self.begin = lambda plant: plant.send(name, Reading("x", 1.0))

    def events(self) -> Iterator[Event]:
        at = 0
        for attempt in range(self.fails + 1):
            if at <= HORIZON:
                yield at, self.name
            at += self.initial * 2**attempt


class Loops(Case):
    def add(self, flow: Flow) -> None:
        seen, name = self.seen, self.name
        self.pause = self.grid(700, 20_000)

        class Async(Service):
            async def loop(self_) -> None:
                while not await self_.sleep(self.pause / 1000):
                    seen(name)

        class Blocking(Service):
            def loop(self_) -> None:
                while not self_.sleep(self.pause / 1000):
                    seen(name)

        flow.add(Blocking if self.blocking else Async, name)

    def events(self) -> Iterator[Event]:
        return ((at, self.name) for at in range(self.pause, HORIZON + 1, self.pause))


class TimeOuts(Case):
    def add(self, flow: Flow) -> None:
        seen, name = self.seen, self.name
        self.timeout = self.grid(200, 60_000)

        class Deaf(Service):
            @handler
            async def on_ask(self, ask: Ask) -> int:
                await self.sleep("1d")
                return 1

        class Asker(Service):
            @handler
            async def on_reading(self_, reading: Reading) -> None:
                try:
                    await self_.target(f"{name}-deaf", Ask, int).request(Ask(1), timeout=self.timeout / 1000)
                except RequestTimeout:
                    seen(name)

        flow.add(Asker, name).add(Deaf, f"{name}-deaf")
        self.begin = lambda plant: plant.send(name, Reading("x", 1.0))

    def events(self) -> Iterator[Event]:
        yield self.timeout, self.name


KINDS = [Ticks, Cron, Delays, Attempts, Loops, TimeOuts]


async def run_case(seed: int, store: Path | None) -> None:
    dice = random.Random(seed)
    seen = Seen()
    cases = [dice.choice(KINDS)(seen, f"s{number}", dice) for number in range(dice.randint(2, 7))]
    flow = Flow("order")
    for case in cases:
        case.add(flow)
    async with running(flow, store=store, start=START) as plant:
        seen.plant = plant
        for case in cases:
            if case.begin is not None:
                await case.begin(plant)
        left = HORIZON
        while left:  # time that comes in pieces is the same time
            piece = min(left, dice.randint(1, HORIZON))
            await plant.advance(piece / 1000)
            left -= piece
        events = list(seen.events)
    expected = [event for case in cases for event in case.events()]
    assert [at for at, _ in events] == sorted(at for at, _ in events), f"seed {seed}: not in the order of time"
    missing, surplus = Counter(expected) - Counter(events), Counter(events) - Counter(expected)
    assert not missing and not surplus, f"seed {seed}: missing {missing}, surplus {surplus}"


@pytest.mark.parametrize("durable", [False, True], ids=["memory", "sqlite"])
async def test_virtual_events_come_as_real_ones_would(durable: bool, tmp_path: Path) -> None:
    base = random.randrange(1_000_000)
    for round in range(12 if durable else 40):
        print("seed", base + round)
        await run_case(base + round, tmp_path / str(round) if durable else None)
