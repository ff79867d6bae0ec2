"""Packages on the disk after kills at any moment of their installation: each is whole, or not there."""

from __future__ import annotations

import csv
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.crash.seeds import repeat, seed_of_this_run
from tests.servers.index import Index

ROOT = Path(__file__).resolve().parents[3]
NAMES = [f"jn-kill-{number}" for number in range(4)]
PROGRAM = """\
import sys
from pathlib import Path
from junctor.dialects.microservicebus.packages import Folder, PackageRules, Packages

packages = Packages(Folder(Path(sys.argv[1])), PackageRules())
for name in sys.argv[2:]:
    assert packages.add(name, name.replace("-", "_"), "VERSION") == "1.0"
"""


@pytest.mark.parametrize("kills", [3, pytest.param(60, marks=[pytest.mark.torture, pytest.mark.timeout(600)])])
def test_a_package_is_whole_or_not_there(kills: int, tmp_path: Path) -> None:
    seed = seed_of_this_run()
    chance = random.Random(seed)
    index = Index(tmp_path / "index")
    index.add("jn-kill-shared", "2.0", "x = 1\n" * 20_000)
    for name in NAMES:
        index.add(name, "1.0", 'VERSION = "1.0"\n' + "x = 1\n" * 20_000, ["jn-kill-shared"])
    environment = {**os.environ, **index.environment, "PYTHONPATH": str(ROOT / "src")}
    home = tmp_path / "node"
    for number in range(kills + 1):
        chance.shuffle(NAMES)
        program = subprocess.Popen([sys.executable, "-c", PROGRAM, str(home), *NAMES], env=environment)
        try:
            program.wait(chance.uniform(0.2, 1.5) if number < kills else 60)
        except subprocess.TimeoutExpired:
            program.kill()
            program.wait()
        whole = check(home, repeat(seed))
    assert whole == len(NAMES) and program.returncode == 0, repeat(seed)


def check(home: Path, told: str) -> int:
    """How many packages are there; each has its record and all its files."""
    found = [path for path in home.glob("packages/*/*") if path.is_dir() and not path.name.startswith(".")]
    for path in found:
        assert (path / "package.json").read_bytes().endswith(b"}"), f"{path}; {told}"
        records = list(path.glob("site-packages/*.dist-info/RECORD"))
        assert len(records) == 2, f"{path}; {told}"
        for record in records:
            for name, *_ in csv.reader(record.read_text().splitlines()):
                assert (path / "site-packages" / name).exists(), f"{path}: {name}; {told}"
    return len(found)
