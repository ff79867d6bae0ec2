"""Kill a node at every write and sync of its store while durable runs go through it, from the first start to the end.

For each point a child is forked that runs the node in itself and kills itself there; a second one takes over, in mode
``twice`` to be killed as well at a point of its own, and the last one works off what is left. What remains is compared
with a run that nobody killed.

As a program: ``python -m tests.crash.runs.drivers.sweep FOLDER SEED FIRST STEP MODE CASE``; prints a JSON line a point.
CRASH_TORN breaks the engine on purpose: the turn of a run comes into the store before the delivery that it belongs to.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from junctor.core.records import Commit
from junctor.node import node as nodes
from junctor.store import journal
from junctor.transports.sqlite import SqliteTransport
from tests.crash.drivers.sweep import in_child
from tests.crash.runs.drivers.cases import CASES
from tests.crash.runs.evidence import Image, image
from tests.crash.vfs import AtOperation, Taps, kill_self, tapped

CHECKPOINT_PAGES = 24
PATIENCE = float(os.environ.get("CRASH_PATIENCE", "30"))

_commit = SqliteTransport.commit


def work(folder: Path, name: str, taps: Taps) -> None:
    """Start the node, hand the orders over, wait until everything is done, stop."""
    os.chdir(folder)
    journal.CHECKPOINT_PAGES = CHECKPOINT_PAGES
    with tapped(taps) as vfs:
        nodes.open_transport = lambda name, directory: SqliteTransport(folder / "store", vfs=vfs, reserve=0)
        asyncio.run(_run(folder, name))


async def _run(folder: Path, name: str) -> None:
    case = CASES[name]
    async with case.flow().running(store=folder / "store") as node:
        await asyncio.wait_for(case.drive(node), PATIENCE)


def _torn(self: SqliteTransport, commit: Commit) -> None:
    """Commits the turn of a run now, and all else that the delivery did a little later."""
    if not commit.runs:
        _commit(self, commit)
        return
    _commit(self, Commit(lambda commit, error: None, runs=commit.runs))
    commit.runs = ()
    asyncio.get_running_loop().call_later(0.004, _commit, self, commit)


def point(root: Path, number: int, mode: str, name: str, chance: random.Random, wanted: Image) -> dict[str, Any]:
    folder = root / f"point-{number}"
    folder.mkdir(parents=True)
    taps = [AtOperation(number, kill_self, mode == "half")]
    if mode == "twice":
        taps.append(AtOperation(chance.randrange(1, number + 40), kill_self))
    result: dict[str, Any] = {"point": number, "died": False, "faults": ""}
    for each in taps:
        status = in_child(lambda each=each: work(folder, name, each))  # type: ignore[misc]
        died = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        result["died"] = result["died"] or died
        if not died and status != 0:
            return result | {"faults": "the node failed without being killed, see above"}
    answer = folder / "answer"
    code = in_child(lambda: answer.write_text(_judge(folder, name, wanted)))
    result["faults"] = answer.read_text() if code == 0 else "the last run failed, see above"
    if not result["faults"]:
        shutil.rmtree(folder)
    return result


def _judge(folder: Path, name: str, wanted: Image) -> str:
    work(folder, name, Taps())
    return wanted.differs(image(folder / "store"))


def crash_free(root: Path, name: str) -> Image:
    """Run without a kill; what it leaves."""
    folder = root / "crash-free"
    folder.mkdir(parents=True)
    if in_child(lambda: work(folder, name, Taps())) != 0:
        raise SystemExit("the run without a kill failed")
    return image(folder / "store")


def sweep(root: Path, seed: int, first: int, step: int, mode: str, name: str, tell: Callable[[str], object]) -> None:
    wanted = crash_free(root, name)
    chance = random.Random(seed)
    number = first
    while True:
        result = point(root, number, mode, name, chance, wanted)
        tell(json.dumps(result))
        if not result["died"]:
            return
        number += step


def main() -> None:
    root, seed, first, step, mode, name = sys.argv[1:]
    if os.environ.get("CRASH_TORN"):
        SqliteTransport.commit = _torn  # type: ignore[method-assign]
    sweep(Path(root), int(seed), int(first), int(step), mode, name, lambda line: print(line, flush=True))


if __name__ == "__main__":
    main()
