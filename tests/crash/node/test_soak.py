"""A node for long: under a steady load with a fault a minute, and under ten times more than it can do."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw
import pytest

from junctor import connect
from tests.crash.campaigns import Campaign, cycles
from tests.crash.history import Faults
from tests.crash.node.drivers.steady import LINES
from tests.crash.node.endurance import Gauge, Steady
from tests.crash.node.node import FLOW, Node
from tests.crash.seeds import repeat, seed_of_this_run

pytestmark = pytest.mark.crash

RATE = 500
"""Messages a second, over all lines."""

MOST_AN_HOUR = 1_000_000
"""Bytes that the memory may grow."""

LEAST = 20
"""Minutes from which on a slope says something."""

MOST_OVERLOADED = 8_000_000
"""Bytes between the least and the most while the queues are full."""

STEADY = FLOW.with_name("steady.py")


@contextmanager
def steady(folder: Path, rate: float, chance: random.Random, **env: str) -> Iterator[tuple[Node, list[Steady]]]:
    """A node that runs, and a producer a line."""
    node = Node(folder, program=STEADY, PYTHONMALLOC="malloc", MALLOC_ARENA_MAX="1", **env)
    troubles = ["plain"] * 500 + ["fail", "hold"]
    producers = [Steady(node.store, f"l{n}", rate / LINES, lambda: chance.choice(troubles)) for n in range(LINES)]
    node.start()
    for producer in producers:
        producer.start()
    try:
        yield node, producers
    finally:
        for producer in producers:
            producer.quit.set()
        node.close()
        for producer in producers:
            producer.join()


def watch(node: Node, gauge: Gauge, seconds: float, every: float) -> None:
    """Take samples for so long."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert not node.ended, node.said
        gauge.take()
        time.sleep(every)


def finish(node: Node, producers: list[Steady], *also: str) -> Faults:
    """No more load, work everything off as fast as it goes, stop, and count."""
    for producer in producers:
        producer.quit.set()
    for producer in producers:
        producer.join()
        assert producer.error is None, producer.error
    node.stop(*also)
    node.start(STEADY_SLOW="0")
    node.drain()
    node.stop(*also)
    return faults_in(node.store, {producer.line: producer.number for producer in producers})


def faults_in(store: Path, told: dict[str, int]) -> Faults:
    """What was told as accepted and what each service counted, held against one another. A send of an unknown outcome
    may be one more."""
    faults = Faults()
    counted = _counted(store)
    for service in ("take", "keep"):
        for line, number in told.items():
            entries = counted.get((f"steady/{service}", line), {})
            last = int(entries.get("last", 0))
            if last < number:
                faults.lost.append(f"{service} {line}: {number - last}")
            if last > number + 1:
                faults.phantom.append(f"{service} {line}: {last - number}")
            faults.double += [f"{service} {line}: {text}" for text in entries.get("wrong", [])]
    return faults


def _counted(store: Path) -> dict[tuple[str, str], dict[str, Any]]:
    db = apsw.Connection(str(store / "junctor.db"), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        sql = "SELECT w.text, s.key, s.name, s.value FROM state AS s JOIN word AS w ON w.id = s.service"
        found: dict[tuple[str, str], dict[str, Any]] = {}
        for service, key, name, value in db.execute(sql):
            found.setdefault((service, key), {})[name] = json.loads(value)
        return found
    finally:
        db.close()


# A fault a minute --------------------------------------------------------------------------------------------


def stand_still(node: Node) -> None:
    node.signal(signal.SIGSTOP)
    time.sleep(3.0)
    node.signal(signal.SIGCONT)


def change(node: Node) -> None:
    ask(node, "apply", over={})


def restart(node: Node) -> None:
    ask(node, "restart", service="take")


def rest(node: Node) -> None:
    ask(node, "pause", service="keep", reason="to rest")
    time.sleep(1.0)
    ask(node, "resume", service="keep")


def hang_up(node: Node) -> None:
    """Clients that come and go without a word."""
    for _ in range(50):
        client = connect(node.store).open()
        client.close()


def ask(node: Node, operation: str, **arguments: object) -> None:
    with connect(node.store) as client:
        client.ask(operation, patience=30.0, **arguments)


FAULTS = (stand_still, change, restart, rest, hang_up)


def soak(folder: Path, seed: int, minutes: float, pause: float, gauge_every: float) -> None:
    """``pause``: seconds between two faults."""
    made = Campaign(seed)
    with steady(folder, RATE, random.Random(seed)) as (node, producers):
        assert node.process is not None
        gauge = Gauge(node.process.pid, node.store, warm_up=minutes * 60 / 6)
        struck, end = 0, time.monotonic() + minutes * 60
        while time.monotonic() < end:
            watch(node, gauge, min(pause, max(0.0, end - time.monotonic())), gauge_every)
            if time.monotonic() + 5 < end:
                FAULTS[struck % len(FAULTS)](node)
                struck += 1
        sent = sum(producer.number for producer in producers)
        faults = finish(node, producers)
    made.ended(struck, sent, faults)
    print(f"\n{sent} messages in {minutes:g} min ({sent / minutes / 60:.0f}/s), {struck} faults, {gauge}")
    assert not faults, f"{faults}\n{repeat(seed)}"
    if minutes < LEAST:
        return
    assert gauge.slope_of("memory") < MOST_AN_HOUR, f"{gauge}\n{repeat(seed)}"
    for name in ("descriptors", "threads"):
        assert abs(gauge.slope_of(name)) < 1, f"{name}: {gauge}\n{repeat(seed)}"


@pytest.mark.torture
@pytest.mark.timeout(5 * 3600)
def test_a_fault_a_minute(short_dir: Path) -> None:
    """For JUNCTOR_SOAK_MINUTES, an hour if it is not set."""
    minutes = float(os.environ.get("JUNCTOR_SOAK_MINUTES") or 60)
    soak(short_dir, seed_of_this_run(), minutes, min(60.0, minutes * 6), min(5.0, minutes / 2))


# Ten times too much -----------------------------------------------------------------------------------------


def overload(folder: Path, seed: int, seconds: float) -> None:
    """The queues fill up, senders are refused, and the memory stays what it was when they were full."""
    made = Campaign(seed)
    slow = {"STEADY_SLOW": "0.04", "STEADY_QUEUE": "500", "STEADY_WAIT": "0s"}
    with steady(folder, 0, random.Random(seed), **slow) as (node, producers):
        assert node.process is not None
        gauge = Gauge(node.process.pid, node.store, warm_up=seconds / 2)
        watch(node, gauge, seconds, seconds / 60)
        sent, refused = (sum(getattr(each, name) for each in producers) for name in ("number", "refused"))
        faults = finish(node, producers, "QueueFull: ")
    made.ended(1, sent, faults)
    able = 2 / 0.04 * seconds
    print(f"\n{sent} accepted and {refused} refused in {seconds:g} s, {able:.0f} could be done; {gauge}")
    assert not faults, f"{faults}\n{repeat(seed)}"
    assert sent + refused > 10 * able, "the load was not ten times too much"
    warm = [each.memory for each in gauge.warm]
    assert max(warm) - min(warm) < MOST_OVERLOADED, f"{gauge}\n{repeat(seed)}"


def test_ten_times_too_much(short_dir: Path) -> None:
    overload(short_dir, seed_of_this_run(), 5.0)


@pytest.mark.torture
@pytest.mark.timeout(1800)
def test_ten_times_too_much_for_minutes(short_dir: Path) -> None:
    overload(short_dir, seed_of_this_run(), min(180.0, 3.0 * cycles(60)))
