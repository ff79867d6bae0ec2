"""One seed for every random choice of a run: printed with each failure, set again with JUNCTOR_SEED."""

from __future__ import annotations

import os
import random


def seed_of_this_run() -> int:
    """``JUNCTOR_SEED`` when it is set, else a new one."""
    given = os.environ.get("JUNCTOR_SEED", "")
    return int(given) if given else random.SystemRandom().randrange(1_000_000)


def repeat(seed: int) -> str:
    """The line that says how to see a failure again."""
    return f"repeat with JUNCTOR_SEED={seed}"
