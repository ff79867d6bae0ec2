"""kill -9 at random moments, again and again on one store, then one run to the end."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.crash.campaigns import Campaign, cycles, time_is_up
from tests.crash.evidence import seen_in
from tests.crash.history import check, read_history
from tests.crash.seeds import repeat, seed_of_this_run

pytestmark = pytest.mark.crash

ROOT = Path(__file__).resolve().parents[2]


def start(folder: Path, seed: int, messages: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.crash.drivers.load", folder / "store", folder / "history", seed, messages]
    return subprocess.Popen(
        [str(part) for part in command], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def kill_after(process: subprocess.Popen[str], seconds: float) -> None:
    assert process.stdout is not None
    line = process.stdout.readline()
    if line != "ready\n":
        raise AssertionError(process.communicate()[1][-3000:])
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    _, errors = process.communicate()
    assert process.returncode == -signal.SIGKILL, f"ended by itself: {errors[-3000:]}"


def campaign(folder: Path, seed: int, cycles: int, longest: float, look: int = 1) -> None:
    """Kill again and again on one store; compare after every ``look``-th kill, and at the end with everything done."""
    chance, made = random.Random(seed), Campaign(seed)
    (folder / "history").mkdir()
    for cycle in range(cycles):
        kill_after(start(folder, seed, 1_000_000), chance.uniform(0.0, longest))
        if cycle % look == 0:
            faults = check(read_history(folder / "history"), seen_in(folder / "store"))
            assert not faults, f"after cycle {cycle}: {faults}; {repeat(seed)}"
    sent = max(int(event.id.rpartition("-")[2]) for event in read_history(folder / "history"))
    last = start(folder, seed, sent + 2)
    _, errors = last.communicate(timeout=300)
    assert last.returncode == 0, f"{errors[-3000:]}\n{repeat(seed)}"
    history = read_history(folder / "history")
    faults = check(history, seen_in(folder / "store"), drained=True)
    made.ended(cycles, sum(event.op == "ok" for event in history), faults)
    assert not faults, f"{faults}; {repeat(seed)}"
    assert len(history) > cycles, "the load did nothing"


@pytest.mark.timeout(120)
def test_some_kills(tmp_path: Path) -> None:
    campaign(tmp_path, seed_of_this_run(), 8, 0.15)


@pytest.mark.torture
@pytest.mark.timeout(7200)
def test_many_kills(tmp_path: Path) -> None:
    """On stores of their own of fifty kills each: a longer one is slow to look through."""
    seed, left = seed_of_this_run(), cycles(500)
    while left > 0 and not time_is_up():
        folder = tmp_path / str(seed)
        folder.mkdir()
        campaign(folder, seed, min(left, 50), 0.3, look=10)
        seed, left = seed + 1, left - 50
