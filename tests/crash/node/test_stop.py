"""SIGTERM under load: exit code 0 within the grace, nothing lost, nothing parked, no attempt spent."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from junctor.node.node import GRACE
from tests.crash.campaigns import Campaign, cycles
from tests.crash.node.evidence import Verdict, judge
from tests.crash.node.node import until
from tests.crash.node.test_kill import WINDOWS, assert_kept, finish, loaded, table
from tests.crash.seeds import repeat, seed_of_this_run

pytestmark = pytest.mark.crash


def stops(folder: Path, seed: int, count: int) -> Verdict:
    chance, made = random.Random(seed), Campaign(seed)
    longest = 0.0
    with loaded(folder, seed, modes="plain plain plain plain plain hold park") as (node, crowd):
        for _ in range(count):
            node.start(CRASH_WINDOW=chance.choice(WINDOWS), CRASH_SLOW=chance.choice(("0", "0.02")))
            acked = crowd.acked
            until(lambda: crowd.acked > acked, lambda: f"nothing is accepted:\n{node.said}")  # noqa: B023
            time.sleep(chance.uniform(0.0, 0.3))
            longest = max(longest, node.stop())
        node.start()
        verdict = finish(node, crowd)
    made.ended(count, verdict.acked, verdict.faults)
    print(table(count, verdict, seed), f"  longest stop {longest:.1f} s")
    assert longest < GRACE, f"a stop took {longest:.1f} s, {repeat(seed)}"
    assert_kept(verdict, seed)
    assert not verdict.spent, f"a stop cost attempts of {verdict.spent[:10]} ({len(verdict.spent)}), {repeat(seed)}"
    return verdict


@pytest.mark.timeout(180)
def test_some_stops_under_load(short_dir: Path) -> None:
    stops(short_dir, seed_of_this_run(), 4)


@pytest.mark.torture
@pytest.mark.timeout(7200)
def test_many_stops_under_load(short_dir: Path) -> None:
    stops(short_dir, seed_of_this_run(), cycles(200))


@pytest.mark.timeout(180)
def test_kill_while_it_starts_and_while_it_stops(short_dir: Path) -> None:
    """With a store full of work: starts and stops that do not come to their end."""
    seed = seed_of_this_run()
    chance = random.Random(seed)
    with loaded(short_dir, seed) as (node, crowd):
        for _ in range(3):
            node.launch(CRASH_WINDOW=chance.choice(WINDOWS))
            time.sleep(chance.uniform(0.0, 0.6))
            node.kill()
            node.start(CRASH_WINDOW=chance.choice(WINDOWS))
            acked = crowd.acked
            until(lambda: crowd.acked > acked, lambda: f"nothing is accepted:\n{node.said}")  # noqa: B023
            node.signal_to_end_and_kill(chance.uniform(0.0, 0.2))
        node.start()
        assert_kept(finish(node, crowd), seed)


def test_no_load_at_all(short_dir: Path) -> None:
    """A first start and a stop leave a store that is whole and empty."""
    with loaded(short_dir, 0) as (node, crowd):
        crowd.stop()
        node.start(CRASH_BEAT="1h")
        until((short_dir / "outside").exists, "the first beat does not come through")
        node.drain()
        node.stop()
        assert judge(short_dir)
