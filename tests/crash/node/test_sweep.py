"""SIGKILL of a node at enumerated writes and syncs: the end is the same as without."""

from __future__ import annotations

import json
import os
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


def sweep(folder: Path, seed: int, first: int, step: int, mode: str) -> int:
    """Run the driver to the end of the load; how many points it killed at."""
    made = Campaign(seed)
    command = [sys.executable, "-m", "tests.crash.node.drivers.sweep", folder, seed, first, step, mode]
    env = os.environ | {"CRASH_WINDOW": "4"}
    words = [str(part) for part in command]
    done = subprocess.run(words, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    points = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, f"{done.stderr[-3000:]}\n{repeat(seed)}"
    faults = [f"at operation {each['point']}: {each['faults']}" for each in points if each["faults"]]
    made.ended(sum(each["died"] for each in points), None, None if faults else Faults())
    assert not faults, "\n".join([*faults, done.stderr[-3000:], repeat(seed)])
    assert not points[-1]["died"], "the end of the load was not reached"
    return sum(each["died"] for each in points)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.timeout(120)
def test_kill_at_some_operations(short_dir: Path, mode: str) -> None:
    """Some of them, from a start that differs from run to run."""
    seed = seed_of_this_run()
    assert sweep(short_dir, seed, 1 + seed % 32, 32, mode) >= 3, "too few kills for a test"


@pytest.mark.torture
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("mode", MODES)
def test_kill_at_every_operation(short_dir: Path, mode: str) -> None:
    seed = seed_of_this_run()
    assert sweep(short_dir, seed, 1, every(150), mode) >= 120 // every(150), repeat(seed)
