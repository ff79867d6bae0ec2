"""A node with many open runs that is killed at random moments or stopped for a while: the end is as without that."""

from __future__ import annotations

import contextlib
import random
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from junctor import connect
from junctor.core.run import RunQuery, RunStatus
from junctor.errors import JunctorError
from junctor.node.control.wire import ConnectionLost
from junctor.store.reader import open_archive
from tests.crash.campaigns import Campaign, cycles
from tests.crash.history import Faults
from tests.crash.node.node import Node, until
from tests.crash.runs.evidence import Image, image
from tests.crash.seeds import repeat, seed_of_this_run

pytestmark = pytest.mark.crash

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = ROOT / "tests" / "crash" / "runs" / "drivers" / "program.py"
MODES = ("plain", "fail", "refuse")
CASES = ["workflow", "conversation"]


class Orders:
    """Hands orders over, all of them again each time."""

    def __init__(self, node: Node, count: int) -> None:
        self.node = node
        self.bodies = [{"id": f"{MODES[n % 3]}-{n}", "mode": MODES[n % 3]} for n in range(count)]

    def hand_over(self) -> None:
        with contextlib.suppress(JunctorError, ConnectionLost, OSError), connect(self.node.store) as client:
            for body in self.bodies:
                client.send("door", body, type="Order", idempotency_key=body["id"])

    def ended(self) -> bool:
        """Whether all of them have come to the door again, and the node has nothing left to do."""
        self.hand_over()
        archive = open_archive(self.node.store)
        try:
            done = archive.runs(RunQuery(service="runs/work", statuses=(RunStatus.DONE,), limit=1000))
        finally:
            archive.close()
        return len(done) == len(self.bodies) and not self.node.queued()


@contextmanager
def running(folder: Path, case: str, count: int, wait: float) -> Iterator[tuple[Node, Orders]]:
    folder.mkdir(exist_ok=True)
    node = Node(folder, program=PROGRAM, PYTHONPATH=f"{ROOT / 'src'}:{ROOT}", CRASH_CASE=case, CRASH_WAIT=str(wait))
    try:
        yield node, Orders(node, count)
    finally:
        node.close()


def finish(node: Node, orders: Orders) -> Image:
    """Start it if it does not run, let it work off everything, stop it, and look."""
    if node.process is None:
        node.start()
    until(orders.ended, lambda: f"there is something left: {node.queued()}\n{node.said}", 120.0)
    node.stop("Park: as asked")
    return image(node.store)


def undisturbed(folder: Path, case: str, count: int, wait: float) -> Image:
    with running(folder, case, count, wait) as (node, orders):
        return finish(node, orders)


def killed(folder: Path, case: str, kills: int, count: int, wait: float) -> None:
    seed = seed_of_this_run()
    chance, made = random.Random(seed), Campaign(seed)
    wanted = undisturbed(folder / "free", case, count, wait)
    with running(folder / "killed", case, count, wait) as (node, orders):
        for _ in range(kills):
            node.start()
            crowd = threading.Thread(target=orders.hand_over)
            crowd.start()
            time.sleep(chance.random() * 0.8)
            node.kill()
            crowd.join()
        wrong = wanted.differs(finish(node, orders))
    made.ended(kills, count, Faults(torn=[wrong] if wrong else []))
    assert not wrong, f"{wrong}\n{repeat(seed)}"


@pytest.mark.timeout(120)
def test_some_kills_under_load(short_dir: Path) -> None:
    killed(short_dir, CASES[seed_of_this_run() % 2], 2, 12, 0.2)


@pytest.mark.torture
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("case", CASES)
def test_many_kills_with_many_open_runs(short_dir: Path, case: str) -> None:
    """Sixty-four of them are open at once: their timers are long enough for that."""
    killed(short_dir, case, cycles(50), 64, 2.0)


@pytest.mark.timeout(120)
def test_timers_come_due_while_the_process_is_stopped(short_dir: Path) -> None:
    """As where a machine sleeps, or a debugger holds it: each rings once when it goes on."""
    wanted = undisturbed(short_dir / "free", "workflow", 6, 0.3)
    with running(short_dir / "stopped", "workflow", 6, 0.3) as (node, orders):
        node.start()
        orders.hand_over()
        for _ in range(3):
            time.sleep(0.1)
            node.signal(signal.SIGSTOP)
            time.sleep(0.5)
            node.signal(signal.SIGCONT)
        wrong = wanted.differs(finish(node, orders))
    assert not wrong, wrong
