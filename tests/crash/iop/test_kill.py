"""A production with many open processes that is killed: between two callbacks, and at random moments."""

from __future__ import annotations

import contextlib
import random
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from junctor import connect
from junctor.core.records import Query
from junctor.core.run import RunQuery, RunStatus
from junctor.errors import JunctorError
from junctor.messages import Status
from junctor.node.control.wire import ConnectionLost
from junctor.store.reader import open_archive
from tests.crash.campaigns import Campaign, cycles
from tests.crash.history import Faults
from tests.crash.node.node import Node, until
from tests.crash.runs.evidence import Image, image
from tests.crash.seeds import repeat, seed_of_this_run

pytestmark = pytest.mark.crash

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = ROOT / "tests" / "crash" / "iop" / "drivers" / "program.py"
MODES = ("plain", "fail", "refuse")
WORK = "runs/python-work"


class Orders:
    """Hands orders over, all of them again each time."""

    def __init__(self, node: Node, count: int) -> None:
        self.node = node
        self.bodies = [{"id": f"{MODES[n % 3]}-{n}", "mode": MODES[n % 3]} for n in range(count)]

    def hand_over(self) -> None:
        with contextlib.suppress(JunctorError, ConnectionLost, OSError), connect(self.node.store) as client:
            for body in self.bodies:
                client.send("door", body, type="Wanted", idempotency_key=body["id"])

    def turns(self, *statuses: RunStatus) -> list[int]:
        """How far those processes are that have one of these statuses."""
        archive = open_archive(self.node.store)
        try:
            return [run.turns for run in archive.runs(RunQuery(service=WORK, statuses=statuses, limit=1000))]
        finally:
            archive.close()

    def parked(self) -> list[str]:
        """What failed for good, with the reason."""
        archive = open_archive(self.node.store)
        try:
            found = archive.search(Query(statuses=(Status.PARKED,), limit=1000))
        finally:
            archive.close()
        return [f"{one.message.target} {one.message.seq} {one.message.kind.name}: {one.failure}" for one in found]

    def ended(self) -> bool:
        """Whether nothing is left to do, however it ended."""
        self.hand_over()
        return not self.turns(RunStatus.OPEN, RunStatus.SUSPENDED) and not self.node.queued()


@contextmanager
def running(folder: Path, count: int, wait: float) -> Iterator[tuple[Node, Orders]]:
    folder.mkdir(exist_ok=True)
    path = f"{ROOT / 'src'}:{ROOT}"
    node = Node(folder, program=PROGRAM, PYTHONPATH=path, CRASH_WAIT=str(wait), CRASH_HOLD=str(folder / "hold"))
    try:
        yield node, Orders(node, count)
    finally:
        node.close()


def finish(node: Node, orders: Orders) -> Image:
    """Start it if it does not run, let it work off everything, stop it, and look."""
    if node.process is None:
        node.start()
    until(orders.ended, lambda: f"there is something left: {node.queued()}\n{orders.parked()}\n{node.said}", 60.0)
    node.stop("not yet")
    return image(node.store)


def undisturbed(folder: Path, count: int) -> Image:
    with running(folder, count, 0.01) as (node, orders):
        found = finish(node, orders)
    assert not [mark for mark in found.marks if "failed" in mark]
    return found


@pytest.fixture(scope="module")
def of_twelve() -> Iterator[Image]:
    """What twelve orders leave where nobody kills the node."""
    with tempfile.TemporaryDirectory(prefix="jn-", dir="/tmp") as folder:
        yield undisturbed(Path(folder), 12)


@pytest.mark.timeout(120)
def test_attributes_of_on_message_are_there_in_on_response_behind_a_kill(short_dir: Path, of_twelve: Image) -> None:
    with running(short_dir, 12, 0.01) as (node, orders):
        hold = node.folder / "hold"
        hold.touch()
        node.start()
        orders.hand_over()
        until(lambda: orders.turns(RunStatus.OPEN) == [3] * 12, lambda: f"{orders.turns(RunStatus.OPEN)}\n{node.said}")
        node.kill()
        hold.unlink()
        wrong = of_twelve.differs(finish(node, orders))
    assert not wrong, wrong


def killed(wanted: Image, folder: Path, kills: int, count: int, wait: float) -> None:
    seed = seed_of_this_run()
    chance, made = random.Random(seed), Campaign(seed)
    with running(folder, count, wait) as (node, orders):
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
def test_some_kills_under_load(short_dir: Path, of_twelve: Image) -> None:
    killed(of_twelve, short_dir, 2, 12, 0.2)


@pytest.mark.torture
@pytest.mark.timeout(1800)
def test_many_kills_with_many_open_processes(short_dir: Path) -> None:
    killed(undisturbed(short_dir / "free", 64), short_dir / "killed", cycles(50), 64, 2.0)
