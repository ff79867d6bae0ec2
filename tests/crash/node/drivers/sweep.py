"""Kill a node at every write and sync of its store while one order goes through it, from the first start to the end.

For each point a child is forked that runs the node in itself and kills itself there; a second one takes over, in mode
``twice`` to be killed as well at a point of its own, and the last one works off what is left. What remains is compared
with a run that nobody killed.

As a program: ``python -m tests.crash.node.drivers.sweep FOLDER SEED FIRST STEP MODE`` prints one JSON line a point.
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

from junctor.node import node as nodes
from junctor.store import journal
from junctor.transports.sqlite import SqliteTransport
from tests.crash.drivers.sweep import in_child
from tests.crash.history import ClientLog
from tests.crash.node.drivers.flow import Order, chain
from tests.crash.node.evidence import Remains, judge
from tests.crash.vfs import AtOperation, Taps, kill_self, tapped

CHECKPOINT_PAGES = 24
ORDERS = (Order("a-0", "l0"), Order("a-1", "l0", "fail"))


def work(folder: Path, taps: Taps) -> None:
    """Start the node, hand the orders over, wait until everything is done, stop."""
    os.chdir(folder)
    (folder / "history").mkdir(exist_ok=True)
    journal.CHECKPOINT_PAGES = CHECKPOINT_PAGES
    with tapped(taps) as vfs:
        nodes.open_transport = lambda name, directory: SqliteTransport(folder / "store", vfs=vfs, reserve=0)
        asyncio.run(_run(folder))


async def _run(folder: Path) -> None:
    log = ClientLog(folder / "history" / "a.log", sync=False)
    async with chain(beat=False).running(store=folder / "store") as node:
        intake = node.target("intake", Order)
        for order in ORDERS:
            log.note("invoke", order.id, order.line)
            await intake.send(order, idempotency_key=order.id)
            log.note("ok", order.id, order.line)
        async with asyncio.timeout(30):
            while any(host.depth.count for host in node.engine.hosts.values()):
                await asyncio.sleep(0.002)
    log.close()


def point(root: Path, number: int, mode: str, chance: random.Random, wanted: Any) -> dict[str, Any]:
    folder = root / f"point-{number}"
    folder.mkdir(parents=True)
    taps = [AtOperation(number, kill_self, mode == "half")]
    if mode == "twice":
        taps.append(AtOperation(chance.randrange(1, number + 40), kill_self))
    result: dict[str, Any] = {"point": number, "died": False, "faults": ""}
    for each in taps:
        status = in_child(lambda each=each: work(folder, each))  # type: ignore[misc]
        died = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        result["died"] = result["died"] or died
        if not died and status != 0:
            return result | {"faults": "the node failed without being killed, see above"}
    answer = folder / "answer"
    code = in_child(lambda: answer.write_text(_judge(folder, wanted)))
    result["faults"] = answer.read_text() if code == 0 else "the last run failed, see above"
    if not result["faults"]:
        shutil.rmtree(folder)
    return result


def _judge(folder: Path, wanted: Any) -> str:
    work(folder, Taps())
    verdict = judge(folder)
    found = image(folder)
    differs = "" if found == wanted else f"the end differs: {found} instead of {wanted}"
    return "; ".join(filter(None, ["" if verdict else str(verdict), differs]))


def image(folder: Path) -> Any:
    """What must be the same however often the node died: the marks, and the messages with their ends."""
    remains = Remains.of(folder)
    marks = sorted(
        [service, name, len(numbers)] for service, found in remains.marks.items() for name, numbers in found.items()
    )
    messages = sorted(
        [service, record.message.type, record.message.payload.decode(), record.status.name, record.reply is not None]
        for service, records in remains.records.items()
        for record in records
    )
    return [marks, messages]


def crash_free(root: Path) -> Any:
    """Run without a kill; what it leaves."""
    folder = root / "crash-free"
    folder.mkdir(parents=True)
    _need(in_child(lambda: work(folder, Taps())))
    return image(folder)


def _need(status: int) -> None:
    if status != 0:
        raise SystemExit("the run without a kill failed")


def sweep(root: Path, seed: int, first: int, step: int, mode: str, tell: Callable[[str], object]) -> None:
    wanted = crash_free(root)
    chance = random.Random(seed)
    number = first
    while True:
        result = point(root, number, mode, chance, wanted)
        tell(json.dumps(result))
        if not result["died"]:
            return
        number += step


def main() -> None:
    root, seed, first, step, mode = sys.argv[1:]
    sweep(Path(root), int(seed), int(first), int(step), mode, lambda line: print(line, flush=True))


if __name__ == "__main__":
    main()
