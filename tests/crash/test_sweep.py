"""SIGKILL at enumerated writes and syncs: a run that dies at each of them, and one that recovers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.crash.campaigns import Campaign
from tests.crash.history import Faults
from tests.crash.seeds import repeat, seed_of_this_run

pytestmark = pytest.mark.crash

ROOT = Path(__file__).resolve().parents[2]


def sweep(folder: Path, seed: int, first: int, step: int, mode: str) -> None:
    """Run the driver and assert that it killed, recovered and found nothing; reaches the end of the load."""
    made = Campaign(seed)
    command = [sys.executable, "-m", "tests.crash.drivers.sweep", folder, seed, first, step, 10_000, mode]
    done = subprocess.run([str(part) for part in command], cwd=ROOT, capture_output=True, text=True, check=False)
    points = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, f"{done.stderr[-3000:]}\n{repeat(seed)}"
    faults = [f"at operation {each['point']}: {each['faults']}" for each in points if each["faults"]]
    made.ended(sum(each["died"] for each in points), None, None if faults else Faults())
    assert not faults, "\n".join([*faults, done.stderr[-3000:], repeat(seed)])
    assert not points[-1]["died"]
    assert sum(each["died"] for each in points) >= 200 // step, "too few kills for a test"


@pytest.mark.parametrize("mode", ["whole", "half"])
def test_kill_at_some_operations(tmp_path: Path, mode: str) -> None:
    """Every eighth operation, from a start that differs from run to run; ``half`` tears the write it dies in."""
    seed = seed_of_this_run()
    sweep(tmp_path, seed, 1 + seed % 8, 8, mode)


@pytest.mark.torture
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("mode", ["whole", "half"])
@pytest.mark.parametrize("plan", range(5))
def test_kill_at_every_operation(tmp_path: Path, mode: str, plan: int) -> None:
    sweep(tmp_path, seed_of_this_run() + plan, 1, 1, mode)
