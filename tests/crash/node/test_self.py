"""The campaign finds an engine that is broken on purpose: without this, finding nothing means nothing."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from tests.crash.node.node import FLOW, until
from tests.crash.node.test_kill import finish, loaded
from tests.crash.seeds import repeat, seed_of_this_run

pytestmark = pytest.mark.crash

ROOT = Path(__file__).resolve().parents[3]


LIES = {"early": "lost", "apart": "double", "forgetful": "double", "shuffled": "reordered"}


@pytest.mark.timeout(120)
def test_some_broken_engine_is_found(short_dir: Path) -> None:
    """Another one from run to run."""
    seed = seed_of_this_run()
    find(short_dir, seed, sorted(LIES)[seed % len(LIES)])


@pytest.mark.torture
@pytest.mark.parametrize("lie", LIES)
@pytest.mark.timeout(300)
def test_every_broken_engine_is_found(short_dir: Path, lie: str) -> None:
    find(short_dir, seed_of_this_run(), lie)


def find(short_dir: Path, seed: int, lie: str) -> None:
    chance = random.Random(seed)
    with loaded(short_dir, seed, modes="plain") as (node, crowd):
        node.program = FLOW.with_name("lying.py")
        for _ in range(5):
            node.launch(CRASH_LIE=lie, PYTHONPATH=f"{ROOT / 'src'}:{ROOT}", CRASH_SLOW="0.01")
            acked = crowd.acked
            enough, end = acked + chance.randrange(20, 200), time.monotonic() + 3.0
            # What lies may stand still as well.
            until(lambda: crowd.acked > enough or time.monotonic() > end or node.ended, "")  # noqa: B023
            node.kill()
        node.program = FLOW
        node.start()
        verdict = finish(node, crowd)
    print(lie, verdict.faults)
    assert getattr(verdict.faults, LIES[lie]), f"the lie {lie!r} was not found: {verdict}\n{repeat(seed)}"
