"""kill -9 of a whole node at random moments, under load, again and again on one store; then everything is counted."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import unused_port
from tests.crash.campaigns import Campaign, cycles, numbers, time_is_up
from tests.crash.node.evidence import Verdict, judge, parked_by_themselves
from tests.crash.node.node import Node, until
from tests.crash.node.producers import Crowd
from tests.crash.seeds import repeat, seed_of_this_run

pytestmark = pytest.mark.crash

WINDOWS = ("1024", "8", "64")
"""Messages of a service in memory: with few, everything goes through the backlog in the store."""


@contextmanager
def loaded(folder: Path, seed: int, env: Mapping[str, str] = {}, **how: object) -> Iterator[tuple[Node, Crowd]]:
    """A node that is not started yet, and eight producers that wait for it."""
    node = Node(folder, unused_port(), **env)
    crowd = Crowd(node.store, folder / "history", seed, node.port, **how)
    crowd.start()
    try:
        yield node, crowd
    finally:
        for producer in crowd.producers:
            producer.quit.set()
        node.close()
        for producer in crowd.producers:
            producer.join()


def finish(node: Node, crowd: Crowd, *also: str) -> Verdict:
    """The node runs: no more load, work everything off, stop, and count."""
    crowd.stop()
    node.stop(*also)
    node.start(CRASH_BEAT="1h")
    node.drain()
    node.stop(*also)
    return judge(node.folder, crowd.replies)


def assert_kept(verdict: Verdict, seed: int) -> None:
    strangers = parked_by_themselves(verdict)
    assert verdict, f"{verdict}\n{repeat(seed)}"
    assert not strangers, f"parked: {strangers[:10]} ({len(strangers)})\n{repeat(seed)}"


def kill_under_load(node: Node, crowd: Crowd, chance: random.Random) -> None:
    """Mostly in full work, now and then while it starts."""
    node.launch(CRASH_WINDOW=chance.choice(WINDOWS))
    if chance.random() < 0.2:
        time.sleep(chance.uniform(0.0, 0.7))
    else:
        acked = crowd.acked
        until(lambda: crowd.acked > acked or node.ended, lambda: f"nothing is accepted:\n{node.said}")
        time.sleep(chance.expovariate(2.0))
    node.kill()


def campaign(folder: Path, seed: int, cycles: int, tell: Callable[[str], object]) -> Verdict:
    chance, made = random.Random(seed), Campaign(seed)
    with loaded(folder, seed) as (node, crowd):
        for _ in range(cycles):
            kill_under_load(node, crowd, chance)
        node.start(CRASH_WINDOW=chance.choice(WINDOWS))
        verdict = finish(node, crowd)
    tell(table(cycles, verdict, seed))
    made.ended(cycles, verdict.acked, verdict.faults)
    return verdict


def table(cycles: int, verdict: Verdict, seed: int) -> str:
    row = {
        "cycles": cycles,
        "acked": verdict.acked,
        "messages": verdict.messages,
        **numbers(verdict.faults),
        "parked": len(verdict.parked),
        "seed": seed,
    }
    return "\n" + "  ".join(f"{name:>9}" for name in row) + "\n" + "  ".join(f"{value:>9}" for value in row.values())


@pytest.mark.timeout(180)
def test_some_kills_under_load(short_dir: Path) -> None:
    seed = seed_of_this_run()
    assert_kept(campaign(short_dir, seed, 5, print), seed)


@pytest.mark.torture
@pytest.mark.timeout(36000)
def test_many_kills_under_load(short_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """JUNCTOR_CYCLES of them, in campaigns of fifty, each with a store and a seed of its own."""
    seed, left = seed_of_this_run(), cycles(500)
    with capsys.disabled():
        while left > 0 and not time_is_up():
            folder = short_dir / str(seed)
            folder.mkdir()
            assert_kept(campaign(folder, seed, min(left, 50), print), seed)
            seed, left = seed + 1, left - 50
