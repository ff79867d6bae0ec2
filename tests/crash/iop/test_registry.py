"""A process that is killed while it changes the registry of a namespace leaves it whole, and nobody locked out."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from junctor.dialects.iop.migration import Registry
from tests.crash.seeds import repeat, seed_of_this_run

pytestmark = pytest.mark.crash

KILLS = 8
CHANGE = """
import sys
from pathlib import Path
from junctor.dialects.iop.definition import Registration
from junctor.dialects.iop.migration.registry import Registry

home, turn = Path(sys.argv[1]), 0
print("ready", flush=True)
while True:
    turn += 1
    with Registry.change(home=home) as registry:
        for number in range(300):
            name = f"Python.Class{number}"
            registry.registrations[name] = Registration(name=name, module=f"turn{turn}", cls="C", folder="/somewhere")
"""


def test_a_killed_change_leaves_the_registry_whole(short_dir: Path) -> None:
    seed = seed_of_this_run()
    chance = random.Random(seed)
    for _ in range(KILLS):
        changing = subprocess.Popen([sys.executable, "-c", CHANGE, str(short_dir)], stdout=subprocess.PIPE)
        assert changing.stdout is not None
        with changing.stdout as out:
            assert out.readline() == b"ready\n"
            time.sleep(chance.uniform(0.001, 0.1))
            changing.kill()
            changing.wait()
        registry = Registry.open(home=short_dir)
        assert len({one.module for one in registry.registrations.values()}) <= 1, repeat(seed)
        assert len(registry.registrations) in (0, 300), repeat(seed)
        with Registry.change(home=short_dir) as free:
            free.registrations.clear()
