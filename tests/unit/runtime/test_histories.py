"""Random histories against a tiny model: whatever is sent, fails, is held, delayed or cut by a stop, every message is
handled to its end once, in the order of its key.

A failing test prints the seed and the shape of its history; ``JUNCTOR_EXAMPLES=1000`` tries more of them.
"""

from __future__ import annotations

import asyncio
import os
import random
import tempfile
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from junctor.clock import VirtualClock
from junctor.core.outcome import Hold, Park, Retry
from junctor.core.policy import HoldPolicy, RetryPolicy
from junctor.core.spec import ServiceSpec
from junctor.messages import Status
from tests.unit.runtime.flowkit import Answer, Item, Me, Node, Store, running, service

KEYS = 4
POLICIES: dict[str, Any] = {
    "retry": RetryPolicy(attempts=3, initial=1, factor=2, max=4, jitter=0.3),
    "hold": HoldPolicy(initial=0.5, factor=2, max=2, jitter=0.3),
}


@dataclass
class World:
    """What the services saw, and how each message is to be treated."""

    chance: random.Random
    kind: str
    blocking: bool
    troubles: dict[int, list[Exception]] = field(default_factory=lambda: defaultdict(list))
    done: list[int] = field(default_factory=list)
    running: Counter[str] = field(default_factory=Counter)
    clashes: list[str] = field(default_factory=list)
    parked: set[int] = field(default_factory=set)
    sent: list[int] = field(default_factory=list)

    def trouble(self) -> list[Exception]:
        """Failures before the success, or enough of them to be parked."""
        kind = self.chance.random()
        if kind < 0.7:
            return []
        if kind < 0.8:
            return [Hold("away")] * self.chance.randint(1, 3)
        if kind < 0.93:
            return [self.chance.choice([ValueError("no"), Retry("again", delay=0.2)])] * self.chance.randint(1, 2)
        return [ValueError("no")] * 3 if kind < 0.97 else [Park("never")]

    def new(self) -> Item:
        n = len(self.sent)
        self.sent.append(n)
        self.troubles[n] = self.trouble()
        if (
            any(isinstance(error, Park) for error in self.troubles[n])
            or sum(not isinstance(error, Hold) for error in self.troubles[n]) >= 3
        ):
            self.parked.add(n)
        return Item(n, f"k{n % KEYS}")

    async def take(self, me: Me, item: Item) -> Answer:
        self.enter(item)
        try:
            if self.chance.random() < 0.3:
                await asyncio.sleep(0)
            return self.handle(me, item)
        finally:
            self.running[self.line(item)] -= 1

    def take_blocking(self, me: Me, item: Item) -> Answer:
        self.enter(item)
        try:
            return self.handle(me, item)
        finally:
            self.running[self.line(item)] -= 1

    def line(self, item: Item) -> str:
        return item.key if "key" in self.kind else "all"

    def enter(self, item: Item) -> None:
        if self.running[self.line(item)] and self.kind != "free":
            self.clashes.append(self.line(item))
        self.running[self.line(item)] += 1

    def handle(self, me: Me, item: Item) -> Answer:
        if self.kind != "free":
            count = next((me.state.read(name) for name in me.state.names()), 0)
            me.state.write("count", count + 1)
        if self.troubles[item.n]:
            raise self.troubles[item.n].pop(0)
        self.done.append(item.n)
        return Answer(item.n)

    def spec(self) -> ServiceSpec:
        pool = 1 if self.kind == "line" else 3
        key = "key" if "key" in self.kind else None
        order = "skip" if "skip" in self.kind else "strict"
        chosen = self.take_blocking if self.blocking else self.take
        return service("sink", chosen, replies=Answer, pool=pool, key=key, order=order, **POLICIES)

    def relay(self) -> ServiceSpec:
        async def relay(me: Me, item: Item) -> None:
            await me.send("sink", item)

        return service("relay", relay)

    def check(self, delayed: set[int]) -> None:
        assert self.clashes == [], "two of one line ran at the same time"
        assert Counter(self.done) == Counter(set(self.sent) - self.parked), "each came to its end once"
        handled = [n for n in self.done if n not in delayed]
        if self.kind == "line":
            assert handled == sorted(handled), "strict order of the service"
        elif self.kind == "key":
            for key in range(KEYS):
                line = [n for n in handled if n % KEYS == key]
                assert line == sorted(line), "strict order of a key"


async def play(store: Store, seed: int, kind: str, blocking: bool, window: int, lives: int) -> None:
    """One history; the node lives several times, and in its last life everything is settled."""
    chance = random.Random(seed)
    world, clock, delayed = World(chance, kind, blocking), VirtualClock(), set[int]()
    for life in range(lives):
        async with running(store, world.spec(), world.relay(), clock=clock) as node:
            box = node.host("sink").mailbox
            if window and store.durable:
                box._window, box._low = window, window // 2
            for _ in range(chance.randint(2, 10)):
                await step(node, world, chance, delayed)
            if life == lives - 1:
                await settle(node, world)
            else:
                await node.advance(chance.choice([0.0, 0.3, 5.0]))
    world.check(delayed)


async def step(node: Node, world: World, chance: random.Random, delayed: set[int]) -> None:
    match chance.choice(["burst", "burst", "one", "relay", "delayed", "request", "time"]):
        case "burst":
            await node.send_all("sink", [world.new() for _ in range(chance.randint(2, 30))])
        case "one":
            await node.send("sink", world.new())
        case "relay":
            item = world.new()
            delayed.add(item.n)  # It takes its place when the relay is done, which is not this moment.
            await node.send("relay", item)
        case "delayed":
            item = world.new()
            delayed.add(item.n)
            await node.send("sink", item, delay=chance.uniform(0, 6))
        case "request":
            node.request("sink", world.new(), timeout=1e6)
        case "time":
            await node.advance(chance.uniform(0, 2))


async def settle(node: Node, world: World) -> None:
    """Let time pass until nothing is owed."""
    for _ in range(200):
        await node.advance(3)
        if node.host("sink").depth.count + node.host("relay").depth.count == 0:
            break
    await node.idle()
    box = node.host("sink").mailbox
    assert (box.depth.count, box.depth.bytes, box.active) == (0, 0, 0)
    assert len(box._lanes or ()) == 0 and not box.ready and not box.retrying
    if world.kind != "free":
        lines = Counter(f"k{n % KEYS}" if "key" in world.kind else "" for n in world.done)
        states = {line: node.engine.transport.state("flow/sink", line) for line in lines}
        assert {line: int(entries["count"][0]) for line, entries in states.items()} == lines, "state as often as done"
    stored = Counter(record.status for record in node.records("sink"))
    assert stored[Status.DONE] == len(world.sent) - len(world.parked)
    assert stored[Status.PARKED] == len(world.parked)


kinds = st.sampled_from(["line", "key", "key skip", "free"])
seeds = st.integers(0, 2**32)


@settings(max_examples=int(os.environ.get("JUNCTOR_EXAMPLES", "40")))
@given(seed=seeds, kind=kinds, blocking=st.booleans())
def test_histories_in_memory(seed: int, kind: str, blocking: bool) -> None:
    asyncio.run(play(Store("memory", Path()), seed, kind, blocking, 0, 1))


@settings(max_examples=int(os.environ.get("JUNCTOR_EXAMPLES", "25")))
@given(seed=seeds, kind=kinds, blocking=st.booleans(), window=st.sampled_from([0, 2, 8, 20]), lives=st.integers(1, 3))
def test_histories_on_disk_with_small_windows_and_several_lives(
    seed: int, kind: str, blocking: bool, window: int, lives: int
) -> None:
    with tempfile.TemporaryDirectory(prefix="jn-") as folder:
        asyncio.run(play(Store("sqlite", Path(folder)), seed, kind, blocking, window, lives))
