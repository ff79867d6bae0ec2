"""A node that changes while it is killed: apply, SIGHUP, saved code, pauses, conditions, requests that are repeated.

All of it at random moments, under the load and by the rules of the other campaigns.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import unused_port
from tests.crash.campaigns import Campaign, cycles, time_is_up
from tests.crash.node.changing import Operator, Plant, rests, untimely
from tests.crash.node.evidence import Verdict, judge
from tests.crash.node.node import Node, until
from tests.crash.node.producers import Crowd
from tests.crash.node.test_kill import WINDOWS, assert_kept, table
from tests.crash.seeds import repeat, seed_of_this_run

pytestmark = pytest.mark.crash

ROOT = Path(__file__).resolve().parents[3]

MODES = "plain " * 16 + "fail fail hold park odd odd unheard"


@contextmanager
def changing(folder: Path, seed: int, modes: str = MODES, **env: str) -> Iterator[tuple[Operator, Crowd]]:
    """A node that is not started yet, who changes it, and its producers, two of which repeat themselves."""
    chance = random.Random(seed)
    plant = Plant(folder, chance)
    node = Node(folder, unused_port(), plant.file, CRASH_BEGUN=str(folder / "begun"), **env)
    crowd = Crowd(node.store, folder / "history", seed, node.port, modes=modes, keyed=2)
    operator = Operator(node, plant, chance)
    crowd.start()
    try:
        yield operator, crowd
    finally:
        for producer in crowd.producers:
            producer.quit.set()
        node.close()
        for producer in crowd.producers:
            producer.join()


def live(operator: Operator, crowd: Crowd, chance: random.Random) -> None:
    """One life of the node: some changes under load, and its end, in full work or in the middle of a change."""
    node = operator.node
    operator.reloading = chance.random() < 0.3
    window = chance.choice(WINDOWS)
    node.start(*["--reload"] * operator.reloading, CRASH_WINDOW=window)
    for _ in range(chance.randint(0, 4)):
        work_on(node, crowd)
        time.sleep(chance.expovariate(8.0))
        operator.act()
    end = chance.random()
    if end < 0.4:
        node.kill()
    elif end < 0.75:
        operator.act_under(node.kill)
    elif end < 0.9:
        operator.act_under(lambda: node.signal_to_end_and_kill(chance.uniform(0.0, 0.5)))
    else:
        node.stop()


def work_on(node: Node, crowd: Crowd) -> None:
    """Until something more was accepted."""
    acked = crowd.acked
    until(lambda: crowd.acked > acked or node.ended, lambda: f"nothing is accepted:\n{node.said}")


def finish(operator: Operator, crowd: Crowd) -> Verdict:
    """Whatever rests goes on, whatever was taken out is there again; then as in the other campaigns."""
    node = operator.node
    operator.reloading = False
    node.start()
    operator.settle()
    crowd.stop()
    node.stop()
    node.start(CRASH_BEAT="1h")
    node.drain()
    node.stop()
    verdict = judge(node.folder, crowd.replies, operator.plant.skipping)
    verdict.faults.untimely = untimely(node.folder / "history" / "pauses", node.folder / "begun")
    verdict.faults.double += [f"answer:{id}" for id in crowd.contradicted]
    return verdict


def campaign(folder: Path, seed: int, cycles: int) -> Verdict:
    chance, made = random.Random(seed + 1), Campaign(seed)
    with changing(folder, seed) as (operator, crowd):
        for _ in range(cycles):
            live(operator, crowd, chance)
        verdict = finish(operator, crowd)
    made.ended(cycles, verdict.acked, verdict.faults)
    print(table(cycles, verdict, seed))
    print(f"  {dict(sorted(operator.actions.items()))}, {told(operator)}")
    return verdict


def told(operator: Operator) -> str:
    """How long services rested."""
    found = rests(operator.node.folder / "history" / "pauses")
    count = Counter(service for service, _, _ in found)
    return f"rests {dict(count)} for {sum(end - begin for _, begin, end in found) / 1e9:.1f} s"


@pytest.mark.timeout(300)
def test_changes_under_load(short_dir: Path) -> None:
    seed = seed_of_this_run()
    assert_kept(campaign(short_dir, seed, 2), seed)


LIES = {
    "lost": "lost",
    "doubled": "double",
    "shuffled": "reordered",
    "deaf": "untimely",
    "repeated": "double",
    "unjudged": "misjudged",
}
"""Ways in which a node can change badly, and the fault that the checker has to find then."""


@pytest.mark.timeout(180)
def test_some_bad_change_is_found(short_dir: Path) -> None:
    """Another one from run to run."""
    seed = seed_of_this_run()
    find(short_dir, seed, sorted(LIES)[seed % len(LIES)])


@pytest.mark.torture
@pytest.mark.parametrize("lie", LIES)
@pytest.mark.timeout(600)
def test_every_bad_change_is_found(short_dir: Path, lie: str) -> None:
    find(short_dir, seed_of_this_run(), lie)


def find(short_dir: Path, seed: int, lie: str) -> None:
    """Without this, finding nothing means nothing."""
    with changing(short_dir, seed, modes="plain plain plain odd", PYTHONPATH=f"{ROOT / 'src'}:{ROOT}") as made:
        operator, crowd = made
        node = operator.node
        with (short_dir / "chain.py").open("a") as file:
            file.write("\nimport tests.crash.node.drivers.lying_changes\n")
        node.start(CRASH_LIE=lie, CRASH_SLOW="0.01")
        for _ in range(3):
            accept(operator, crowd, 20)
            lied_to(operator, lie)
        accept(operator, crowd, 20)
        node.kill()
        verdict = finish(operator, crowd)
    print(lie, verdict.faults)
    assert getattr(verdict.faults, LIES[lie]), f"the lie {lie!r} was not found: {verdict}\n{repeat(seed)}"


def accept(operator: Operator, crowd: Crowd, count: int) -> None:
    """Wait for some work to be accepted. What lies may stand still as well."""
    enough, end = crowd.acked + count, time.monotonic() + 2.0
    until(lambda: crowd.acked > enough or time.monotonic() > end or operator.node.ended, "")


def lied_to(operator: Operator, lie: str) -> None:
    """What gives the lie its chance."""
    if lie == "deaf":
        operator.pause_and_wait("sink")
        time.sleep(0.2)
        operator.resume()
    else:
        operator.edit("chain")


@pytest.mark.torture
@pytest.mark.timeout(36000)
def test_many_changes_under_load(short_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """JUNCTOR_CYCLES lives, in campaigns of twenty, each with a store and a seed of its own."""
    seed, left = seed_of_this_run(), cycles(200)
    with capsys.disabled():
        while left > 0 and not time_is_up():
            folder = short_dir / str(seed)
            folder.mkdir()
            assert_kept(campaign(folder, seed, min(left, 20)), seed)
            seed, left = seed + 1, left - 20
