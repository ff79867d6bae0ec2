"""The tests of the tests: a store that is broken on purpose is found by the campaign that is there for it, and by the
word for what is wrong."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.crash.seeds import repeat, seed_of_this_run
from tests.crash.test_sweep import earlier

pytestmark = pytest.mark.crash

ROOT = Path(__file__).resolve().parents[2]


def run(module: str, way: str, *words: object) -> list[str]:
    """The lines of a driver with a broken store, until it ends or has found something."""
    env = os.environ | {"CRASH_BROKEN": way, "CRASH_LONGEST": "1"}
    command = [sys.executable, "-m", f"tests.crash.drivers.{module}", *map(str, words)]
    lines = []
    with subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line.decode())
            if json.loads(line)["faults"]:
                process.kill()
    return lines


@pytest.mark.parametrize(
    "way, mode, first, word",
    [
        ("early", "whole", 100, "lost"),
        ("apart", "whole", 100, "not consistent"),
        ("forgetful", "whole", 100, "double"),
        ("deaf", "eio", 200, "lost|not consistent"),
        ("mute", "eio", 200, "hung"),
        ("untyped", "eio", 200, "not one of Junctor's"),
        ("greedy", "enospc-8", 130, "lost|not consistent"),
    ],
)
def test_a_broken_store_is_found_by_a_sweep(tmp_path: Path, way: str, mode: str, first: int, word: str) -> None:
    """``first``: where the store is open and the messages begin. A sweep looks at every fifth operation; where messages
    come in another order than usual, what is broken may show between them alone."""
    seed = seed_of_this_run()
    for turn in range(5):
        points = tmp_path / f"points{turn}"
        lines = run("sweep", way, points, seed, first + (seed + turn) % 5, 5, 10_000, mode)
        if re.search(word, json.loads(lines[-1])["faults"]):
            return
    pytest.fail(f"{lines[-1]} {repeat(seed)}")


def test_a_broken_migration_is_found(tmp_path: Path) -> None:
    seed = seed_of_this_run()
    begin = earlier(tmp_path / "earlier", seed)
    lines = run("sweep", "lossy", tmp_path / "points", seed, 1, 1, 10_000, "whole", begin)
    assert re.search("lost|not consistent", json.loads(lines[-1])["faults"]), f"{lines[-1]} {repeat(seed)}"


@pytest.mark.parametrize("way, place, word", [("blind", "database", "wrong"), ("silent", "log", "dropped")])
def test_a_broken_reader_is_found_by_damage(tmp_path: Path, way: str, place: str, word: str) -> None:
    """In a process of its own: the store stays broken."""
    seed = seed_of_this_run()
    program = (
        "import sys; from pathlib import Path; from tests.crash.drivers.broken import break_;"
        " from tests.crash.test_flips import campaign; break_(sys.argv[1]);"
        " campaign(Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4], 40)"
    )
    command = [sys.executable, "-c", program, way, str(tmp_path), str(seed), place]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert re.search(rf"in silence .*'{word}'", done.stdout), f"{done.stdout}{done.stderr[-2000:]}\n{repeat(seed)}"
