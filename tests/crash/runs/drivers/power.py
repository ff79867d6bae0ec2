"""Power cuts while durable runs go through a node: images of its folder at random operations, each worked off.

As a program: ``python -m tests.crash.runs.drivers.power FOLDER SEED EVERY CASE``; prints a JSON line an image.
"""

from __future__ import annotations

import json
import random
import shutil
import sys
from pathlib import Path

from tests.crash.drivers.sweep import in_child
from tests.crash.power import PowerSupply
from tests.crash.runs.drivers.parts import OUTSIDE
from tests.crash.runs.drivers.sweep import crash_free, work
from tests.crash.runs.evidence import Image, image
from tests.crash.vfs import Taps


class Cuts:
    """Takes an image at some operations of one run; what happened outside has happened by then."""

    def __init__(self, folder: Path, every: int, chance: random.Random) -> None:
        self._folder, self._every, self._chance = folder, every, chance
        self._taken = 0
        self._next = chance.randrange(1, every + 1)
        self.supply = PowerSupply(self._at_operation)

    def _at_operation(self, count: int) -> None:
        if count < self._next:
            return
        self._next = count + self._chance.randrange(1, 2 * self._every)
        made = self._folder.parent / f"image-{self._taken}"
        outside = self._folder / OUTSIDE
        text = outside.read_text() if outside.exists() else ""
        self.supply.cut(made / "store", self._chance.randrange(2**32))
        for identity in (self._folder / "store").glob("node.json"):
            shutil.copy(identity, made / "store")
        (made / OUTSIDE).write_text(text)
        self._taken += 1


def work_with_cuts(folder: Path, name: str, every: int, seed: int) -> None:
    folder.mkdir(parents=True)
    work(folder, name, Cuts(folder, every, random.Random(seed)).supply)


def judge(folder: Path, name: str, wanted: Image) -> str:
    """Work an image off; what is wrong with it then."""
    answer = folder / "answer"

    def worked_off() -> None:
        work(folder, name, Taps())
        answer.write_text(wanted.differs(image(folder / "store")))

    return answer.read_text() if in_child(worked_off) == 0 else "the run after the cut failed, see above"


def main() -> None:
    root, seed, every, name = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    wanted = crash_free(root, name)
    if in_child(lambda: work_with_cuts(root / "cut", name, every, seed)) != 0:
        raise SystemExit("the run with the cuts failed")
    for folder in sorted(root.glob("image-*")):
        faults = judge(folder, name, wanted)
        print(json.dumps({"image": folder.name, "faults": faults}), flush=True)
        if not faults:
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
