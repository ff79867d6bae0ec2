"""SIGKILL at enumerated writes and syncs while parked messages are sent again: each is, once, or is still parked."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.crash.campaigns import Campaign
from tests.crash.history import Faults
from tests.crash.seeds import repeat, seed_of_this_run

pytestmark = pytest.mark.crash

ROOT = Path(__file__).resolve().parents[3]
MODES = ["whole", "half"]


def drive(folder: Path, first: int, step: int, mode: str) -> tuple[list[dict[str, Any]], str]:
    """Run the driver to the end of the work; its points, and what it said on standard error."""
    command = [sys.executable, "-m", "tests.crash.node.drivers.resend", folder / "sweep", first, step, mode]
    words = [str(part) for part in command]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return [json.loads(line) for line in done.stdout.splitlines()], done.stderr[-3000:]


def sweep(folder: Path, seed: int, first: int, step: int, mode: str) -> int:
    """Kill at points up to the end of the work; how many there were."""
    made = Campaign(seed)
    points, said = drive(folder, first, step, mode)
    faults = [f"at operation {each['point']}: {each['faults']}" for each in points if each["faults"]]
    made.ended(sum(each["died"] for each in points), None, None if faults else Faults())
    assert not faults, "\n".join([*faults, said, repeat(seed)])
    assert not points[-1]["died"], "the end of the work was not reached"
    return sum(each["died"] for each in points)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.timeout(120)
def test_kill_at_some_operations(short_dir: Path, mode: str) -> None:
    """Every fifth operation, from a start that differs from run to run."""
    seed = seed_of_this_run()
    assert sweep(short_dir, seed, 1 + seed % 5, 5, mode) >= 8, "too few kills for a test"


@pytest.mark.timeout(120)
def test_the_checker_sees_two_commits_for_one_decision(short_dir: Path) -> None:
    points, _ = drive(short_dir, 20, 12, "apart")
    assert any(each["faults"] for each in points)


@pytest.mark.torture
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("mode", MODES)
def test_kill_at_every_operation(short_dir: Path, mode: str) -> None:
    seed = seed_of_this_run()
    assert sweep(short_dir, seed, 1, 1, mode) >= 40, repeat(seed)
