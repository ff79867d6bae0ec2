"""Files in and files out, ended at enumerated steps between source and store, and between store and destination."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.crash.campaigns import every
from tests.crash.seeds import repeat, seed_of_this_run

pytestmark = pytest.mark.crash

ROOT = Path(__file__).resolve().parents[3]
MODES = {"whole": 170, "half": 170, "enospc": 100, "eio": 100}
"""How a step ends, and how far apart the steps of a short run are."""


def sweep(folder: Path, seed: int, first: int, step: int, mode: str) -> int:
    """Run the driver to the end and assert that nothing was lost or doubled; how many steps met their end."""
    command = [sys.executable, "-m", "tests.crash.adapters.file_points", folder / "points", first, step, 10_000, mode]
    done = subprocess.run(list(map(str, command)), cwd=ROOT, capture_output=True, text=True, check=False)
    points = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert done.returncode == 0, f"{done.stderr[-3000:]}\n{repeat(seed)}"
    faults = [f"{each['point']}: {each['faults']}" for each in points if each["faults"]]
    assert not faults, "\n".join([*faults[:50], done.stderr[-3000:], repeat(seed)])
    assert not points[-1]["met"], "the end of the work was not reached"
    return len(points) - 1


@pytest.mark.parametrize("mode", MODES)
def test_an_end_at_some_steps(tmp_path: Path, mode: str) -> None:
    """From a start that differs from run to run; ``half`` tears the write, the others fail a call of the adapters."""
    seed, step = seed_of_this_run(), MODES[mode]
    assert sweep(tmp_path, seed, 1 + seed % step, step, mode) >= 3, "too few steps for a test"


@pytest.mark.torture
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("mode", MODES)
def test_an_end_at_every_step(tmp_path: Path, mode: str) -> None:
    sweep(tmp_path, seed_of_this_run(), 1, every(200), mode)
