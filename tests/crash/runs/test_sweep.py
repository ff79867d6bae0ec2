"""SIGKILL of a node at enumerated writes and syncs while durable runs go through it: the end is the same as without.

``made`` is a durable service by hand, on the engine alone; ``workflow`` and ``conversation`` have ten steps and five
callbacks, with a way back.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.crash.campaigns import Campaign, every
from tests.crash.history import Faults
from tests.crash.seeds import repeat, seed_of_this_run

pytestmark = pytest.mark.crash

ROOT = Path(__file__).resolve().parents[3]
MODES = ["whole", "half", "twice"]
CASES = {"made": 190, "workflow": 310, "conversation": 270}
"""With the distance of the points of the short test: four of them or so."""


def sweep(folder: Path, seed: int, first: int, step: int, mode: str, case: str) -> int:
    """Run the driver to the end of the load; how many points it killed at."""
    made = Campaign(seed)
    command = [sys.executable, "-m", "tests.crash.runs.drivers.sweep", folder, seed, first, step, mode, case]
    words = [str(part) for part in command]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    points = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, f"{done.stderr[-3000:]}\n{repeat(seed)}"
    faults = [f"at operation {each['point']}: {each['faults']}" for each in points if each["faults"]]
    made.ended(sum(each["died"] for each in points), None, None if faults else Faults())
    assert not faults, "\n".join([*faults, done.stderr[-3000:], repeat(seed)])
    assert not points[-1]["died"], "the end of the load was not reached"
    return sum(each["died"] for each in points)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.timeout(120)
def test_kill_at_some_operations(short_dir: Path, case: str) -> None:
    """Some of them, from a start and in a mode that differ from run to run."""
    seed = seed_of_this_run()
    assert sweep(short_dir, seed, 1 + seed % CASES[case], CASES[case], MODES[seed % 3], case) >= 3, (
        "too few kills for a test"
    )


@pytest.mark.torture
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("case", CASES)
def test_kill_at_every_operation(short_dir: Path, mode: str, case: str) -> None:
    seed = seed_of_this_run()
    assert sweep(short_dir, seed, 1, every(700), mode, case) >= 500 // every(700), repeat(seed)


def test_the_sweep_sees_an_effect_that_happens_twice(short_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without this the tests above prove nothing: where a turn is not in the commit of its delivery, runs
    go on twice, or never."""
    monkeypatch.setenv("CRASH_TORN", "1")
    monkeypatch.setenv("CRASH_PATIENCE", "1")
    with pytest.raises(AssertionError, match="instead of|failed"):
        sweep(short_dir, 1, 100, 200, "whole", "made")
