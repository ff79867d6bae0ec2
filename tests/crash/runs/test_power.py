"""Power cuts while durable runs go on: what was not synced is dropped, kept or torn, and the end is the same."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.crash.campaigns import Campaign, cycles, time_is_up
from tests.crash.history import Faults
from tests.crash.seeds import repeat, seed_of_this_run

pytestmark = pytest.mark.crash

ROOT = Path(__file__).resolve().parents[3]
CASES = ["workflow", "conversation", "made"]


def cut(folder: Path, seed: int, every: int, case: str) -> int:
    """Work all images of one run off; how many there were."""
    made = Campaign(seed)
    command = [sys.executable, "-m", "tests.crash.runs.drivers.power", folder, seed, every, case]
    words = [str(part) for part in command]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stderr[-3000:]}\n{repeat(seed)}"
    images = [json.loads(line) for line in done.stdout.splitlines()]
    faults = [f"{each['image']}: {each['faults']}" for each in images if each["faults"]]
    made.ended(len(images), None, Faults(torn=faults))
    assert not faults, "\n".join([*faults, done.stderr[-3000:], repeat(seed)])
    return len(images)


@pytest.mark.timeout(120)
def test_some_power_cuts(short_dir: Path) -> None:
    seed = seed_of_this_run()
    assert cut(short_dir, seed, 200, CASES[seed % 3]) >= 2, repeat(seed)


@pytest.mark.torture
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("case", CASES)
def test_many_power_cuts(short_dir: Path, case: str) -> None:
    seed, left = seed_of_this_run(), cycles(200)
    while left > 0 and not time_is_up():
        left -= cut(short_dir / str(seed), seed, 8, case)
        seed += 1
