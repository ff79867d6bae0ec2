"""A fault at enumerated calls to the disk: a run that is killed at each of them or meets an error, and one that goes
on behind it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.crash.campaigns import Campaign, every
from tests.crash.earlier import made_version_1
from tests.crash.history import Faults
from tests.crash.seeds import repeat, seed_of_this_run
from tests.crash.test_kill import kill_after, start

pytestmark = pytest.mark.crash

ROOT = Path(__file__).resolve().parents[2]
KILLS = ["whole", "half"]
ERRORS = ["eio", "eio-all", "enospc", "enospc-8"]


def sweep(folder: Path, seed: int, first: int, step: int, mode: str, begin: Path | None = None) -> list[dict[str, str]]:
    """Run the driver to the end of the load and assert that nothing was wrong; the points that met their fault."""
    made = Campaign(seed)
    command = [sys.executable, "-m", "tests.crash.drivers.sweep", folder / "points", seed, first, step, 10_000, mode]
    words = [str(part) for part in [*command, *([begin] if begin else [])]]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    points = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, f"{done.stderr[-3000:]}\n{repeat(seed)}"
    faults = [f"{each['point']} {each['call']}: {each['faults']}" for each in points if each["faults"]]
    met = [each for each in points if each["met"]]
    made.ended(len(met), None, Faults(untimely=faults))
    assert not faults, "\n".join([f"{len(faults)} of {len(met)}", *faults[:50], done.stderr[-3000:], repeat(seed)])
    assert not points[-1]["met"], "the end of the load was not reached"
    return met


@pytest.mark.parametrize("mode", KILLS)
def test_kill_at_some_operations(tmp_path: Path, mode: str) -> None:
    """Some of them, from a start that differs from run to run; ``half`` tears the write it dies in."""
    seed = seed_of_this_run()
    assert len(sweep(tmp_path, seed, 1 + seed % 24, 24, mode)) >= 8, "too few kills for a test"


@pytest.mark.parametrize("mode", ERRORS)
def test_an_error_at_some_calls(tmp_path: Path, mode: str) -> None:
    """Nothing is acknowledged that failed, the run ends by itself and with a word for it, and the next one is sound."""
    seed = seed_of_this_run()
    assert len(sweep(tmp_path, seed, 1 + seed % 48, 48, mode)) >= 6, "too few errors for a test"


@pytest.mark.torture
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("mode", [*KILLS, *ERRORS])
@pytest.mark.parametrize("plan", range(3))
def test_a_fault_at_every_call(tmp_path: Path, mode: str, plan: int) -> None:
    sweep(tmp_path, seed_of_this_run() + plan, 1, every(400), mode)


# Migration ---------------------------------------------------------------------------------------------------


def earlier(folder: Path, seed: int) -> Path:
    """A store of version 1 that was left in the midst of its work."""
    (folder / "history").mkdir(parents=True)
    kill_after(start(folder, seed, 1_000_000), 0.1)
    made_version_1(folder / "store" / "junctor.db")
    return folder


@pytest.mark.parametrize("mode", ["half", "eio"])
def test_a_migration_meets_faults(tmp_path: Path, mode: str) -> None:
    """Where it was not done it is done by the next opening, and where it was, the records are the same."""
    seed = seed_of_this_run()
    begin = earlier(tmp_path / "earlier", seed)
    assert len(sweep(tmp_path, seed, 1 + seed % 12, 12, mode, begin)) >= 3, "too few faults for a test"


@pytest.mark.torture
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("mode", [*KILLS, *ERRORS])
def test_a_migration_meets_every_fault(tmp_path: Path, mode: str) -> None:
    seed = seed_of_this_run()
    sweep(tmp_path, seed, 1, every(200), mode, earlier(tmp_path / "earlier", seed))
