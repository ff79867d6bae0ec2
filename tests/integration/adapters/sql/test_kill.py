"""kill -9 at every point between the source, the store and the destination: no row is lost, none is there twice."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.crash.seeds import repeat, seed_of_this_run
from tests.integration.adapters.sql.killed import WAYS

pytestmark = pytest.mark.crash

ROOT = Path(__file__).resolve().parents[4]
SOME = 40


def killed(folder: Path, way: str, step: int, first: int) -> int:
    command = [sys.executable, "-m", "tests.integration.adapters.sql.killed", folder, way, step, first]
    done = subprocess.run([str(part) for part in command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout}{done.stderr[-3000:]}\n{repeat(seed_of_this_run())}"
    return int(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("way", WAYS)
def test_some_points(tmp_path: Path, way: str) -> None:
    first = random.Random(f"{seed_of_this_run()}{way}").randint(1, SOME)
    assert killed(tmp_path, way, SOME, first) >= 1


@pytest.mark.torture
@pytest.mark.timeout(600)
@pytest.mark.parametrize("way", WAYS)
def test_every_point(tmp_path: Path, way: str) -> None:
    assert killed(tmp_path, way, 1, 1) > 50
