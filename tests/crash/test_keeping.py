"""kill -9 while a store is swept and backed up: nothing that is owed goes, no backup is half, nothing comes twice."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import apsw
import pytest

from junctor.store.verify import verify
from tests.crash.seeds import repeat, seed_of_this_run

pytestmark = pytest.mark.crash

ROOT = Path(__file__).resolve().parents[2]
KILLS = int(os.environ.get("JUNCTOR_KILLS", "4"))


def start(folder: Path, first: int | str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.crash.drivers.keeping", folder / "store", folder / "backups", first]
    return subprocess.Popen([str(part) for part in command], cwd=ROOT, stdout=subprocess.PIPE, text=True)


def killed_after(process: subprocess.Popen[str], seconds: float) -> list[int]:
    """What was accepted until the kill."""
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n", "a kill is no copy and no loss: nothing is to be told"
    time.sleep(seconds)
    process.kill()
    lines = process.communicate()[0].splitlines()
    return [int(line) for line in lines if line.isdigit()]


def seen(store: Path) -> dict[int, int]:
    """How often the effect of each message is in the state, by its number."""
    db = apsw.Connection(str(store / "junctor.db"), flags=apsw.SQLITE_OPEN_READONLY)
    rows = db.execute("SELECT key, value FROM state").fetchall()
    db.close()
    return {int(key): int(bytes(value)) for key, value in rows}  # type: ignore[arg-type]


def test_kills_between_sweeps_and_backups_lose_and_double_nothing(tmp_path: Path) -> None:
    seed = seed_of_this_run()
    chance = random.Random(seed)
    (tmp_path / "backups").mkdir()
    accepted: set[int] = set()
    for _ in range(KILLS):
        first = max(accepted, default=0) + 1000  # the last one may have been accepted untold
        accepted |= set(killed_after(start(tmp_path, first), chance.uniform(0.05, 0.5)))
        for backup in (tmp_path / "backups").glob("*.db"):
            assert verify(backup).sound, f"{backup}; {repeat(seed)}"
            backup.unlink()
    last = start(tmp_path, "drain")
    assert last.communicate(timeout=60)[0] == "ready\n"
    found = seen(tmp_path / "store")
    expected = {n for n in accepted if n % 20}
    assert expected and not expected - found.keys(), f"lost: {expected - found.keys()}; {repeat(seed)}"
    assert set(found.values()) == {1}, repeat(seed)
    store = tmp_path / "store" / "junctor.db"
    assert verify(store).sound
    db = apsw.Connection(str(store), flags=apsw.SQLITE_OPEN_READONLY)
    parked = db.execute("SELECT count(*) FROM hop WHERE status = 4").fetchall()[0][0]
    db.close()
    assert parked >= len(accepted) - len(expected), f"a parked one was removed; {repeat(seed)}"
