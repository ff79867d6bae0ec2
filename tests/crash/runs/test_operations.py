"""What operators do to a node with open runs, with a kill behind each step: the end is as without all of it.

Backups that are put back, wrong code that is corrected, removal of what has ended; answers in another order and another
hash seed at each start.
"""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from junctor import connect
from junctor.core.records import Archive, Query, Record
from junctor.core.run import RunQuery, RunStatus
from junctor.errors import JunctorError
from junctor.messages import Status
from junctor.node.control.wire import ConnectionLost, NoAnswer
from junctor.store.reader import open_archive
from junctor.store.restore import restore
from tests.crash.campaigns import Campaign, cycles
from tests.crash.history import Faults
from tests.crash.node.node import Node, until
from tests.crash.runs.drivers.hurry import ASKED
from tests.crash.runs.evidence import Image, image
from tests.crash.runs.test_kill import MODES, running, undisturbed
from tests.crash.seeds import repeat, seed_of_this_run

pytestmark = pytest.mark.crash

CASES = ["workflow", "conversation"]
WORK = ("runs/work", "runs/parts")
AWAY = (JunctorError, ConnectionLost, NoAnswer, OSError)


class Life:
    """A node that is started and killed again and again, each time a little different.

    :param count: how many orders go through it.
    """

    def __init__(self, node: Node, chance: random.Random, count: int) -> None:
        self.node = node
        self.chance = chance
        self.mended = 0
        self.bodies = [{"id": f"{MODES[n % 3]}-{n}", "mode": MODES[n % 3]} for n in range(count)]

    def start(self, **env: str) -> None:
        seed = str(self.chance.randrange(2**32))
        self.node.start(PYTHONHASHSEED=seed, CRASH_DELAY="0.03", **env)
        self.hand_over()

    def hand_over(self) -> None:
        with contextlib.suppress(*AWAY), connect(self.node.store) as client:
            for body in self.bodies:
                client.send("door", body, type="Order", idempotency_key=body["id"])

    def runs_a_while(self) -> None:
        time.sleep(self.chance.random() * 0.6)

    def is_over(self) -> bool:
        """Whether all orders came to the door again, and nothing is left to do."""
        self.hand_over()
        with reading(self.node) as archive:
            if archive.open_runs() or archive.search(Query(statuses=(Status.BEGUN,), limit=1)):
                return False
            told = archive.search(Query(service="runs/door", statuses=(Status.DONE,), limit=1000))
        return len(told) >= len(self.bodies) and not self.node.queued()

    def finish(self) -> Image:
        self.start()
        until(self.is_over, lambda: f"there is something left: {self.node.queued()}\n{self.node.said}", 120.0)
        self.node.stop("Park: as asked")
        return image(self.node.store)


@contextmanager
def reading(node: Node) -> Iterator[Archive]:
    archive = open_archive(node.store)
    try:
        yield archive
    finally:
        archive.close()


@contextmanager
def living(folder: Path, case: str, chance: random.Random, count: int, **env: str) -> Iterator[Life]:
    with running(folder, case, count, 0.2) as (node, _):
        node._env |= env
        yield Life(node, chance, count)


def judged(made: Campaign, kills: int, life: Life, wrong: str) -> None:
    made.ended(kills, len(life.bodies), Faults(torn=[wrong] if wrong else []))
    assert not wrong, f"{wrong}\n{repeat(made.seed)}"


# Backups ------------------------------------------------------------------------------------------------------


def turned_back(folder: Path, case: str, kills: int, count: int, seed: int) -> None:
    """Kill it, and put a backup from a moment before back in place, half of the time."""
    chance, made = random.Random(seed), Campaign(seed)
    wanted = undisturbed(folder / "free", case, count, 0.2)
    with living(folder / "back", case, chance, count) as life:
        backup = folder / "backup"
        for _ in range(kills):
            life.start()
            life.runs_a_while()
            kept = backup.with_name(f"backup-{life.node.starts}")
            with connect(life.node.store) as client:
                client.ask("backup", path=str(kept))
            life.runs_a_while()
            life.node.kill()
            if chance.random() < 0.5:
                restore(kept, life.node.store)
        found = life.finish()
    # What an order did outside before it was forgotten by the backup, it does again as a new one.
    found.wrong = [text for text in found.wrong if "is outside under" not in text]
    judged(made, kills, life, wanted.differs(found))


@pytest.mark.torture
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("case", CASES)
def test_many_backups_are_put_back(short_dir: Path, case: str) -> None:
    turned_back(short_dir, case, cycles(30), 30, seed_of_this_run())


# Wrong code ---------------------------------------------------------------------------------------------------


def mend(life: Life) -> None:
    """Let go on what wrong code has suspended or parked: as an operator does, again where the node dies meanwhile."""
    with contextlib.suppress(*AWAY), connect(life.node.store) as client:
        for run in client.workflows(status="suspended", limit=1000):
            life.mended += 1
            client.retry(run.seq)
        parked = [str(record.message.seq) for record in parked_in(life.node)]
        life.mended += len(parked)
        if parked:
            client.ask("resend", messages=parked)


def parked_in(node: Node) -> list[Record]:
    with reading(node) as archive:
        return [
            one
            for work in WORK
            for one in archive.search(Query(service=work, statuses=(Status.PARKED,), limit=1000))
            if one.message.target == work
        ]


def mistaken(folder: Path, case: str, kills: int, count: int, seed: int) -> None:
    """Start it with wrong code half of the time, and mend behind that what the code has done."""
    chance, made = random.Random(seed), Campaign(seed)
    wanted = undisturbed(folder / "free", case, count, 0.2)
    with living(folder / "wrong", case, chance, count) as life:
        for turn in range(kills):
            wrong = turn % 2 == 0
            life.start(**({"CRASH_MISTAKE": "1"} if wrong else {}))
            if not wrong:
                mend(life)
            if turn == 0:
                until(lambda: parked_in(life.node), lambda: f"nothing goes wrong:\n{life.node.said}")
            life.runs_a_while()
            life.node.kill()
        life.start()
        until(lambda: mended(life), lambda: f"{life.node.queued()}\n{life.node.said}", 120.0)
        life.node.stop("Park: as asked")
        found = image(life.node.store)
    # What was parked and sent again is there twice, and so are its turns in no history.
    found.messages = wanted.messages
    if not life.mended:
        found.wrong.append("the wrong code did nothing wrong")
    judged(made, kills, life, wanted.differs(found))


def mended(life: Life) -> bool:
    if life.is_over() and not parked_in(life.node):
        return True
    mend(life)
    return False


@pytest.mark.torture
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("case", CASES)
def test_wrong_code_is_corrected_many_times(short_dir: Path, case: str) -> None:
    mistaken(short_dir, case, cycles(30), 30, seed_of_this_run())


# Removal of what has ended ------------------------------------------------------------------------------------


def swept(folder: Path, case: str, kills: int, count: int, seed: int) -> None:
    """Nothing stays that may go: what open runs need is not among it."""
    chance, made = random.Random(seed), Campaign(seed)
    wanted = undisturbed(folder / "free", case, count, 0.2)
    with living(folder / "swept", case, chance, count, CRASH_SWEEP="1") as life:
        for _ in range(kills):
            life.start()
            life.runs_a_while()
            life.node.kill()
        found = life.finish()
    if found.messages.total() >= wanted.messages.total():
        found.wrong.append("nothing was removed")
    left = {name for name in found.runs if found.runs[name] != wanted.runs.get(name)}
    found.wrong += [f"run {name} is {found.runs[name]}" for name in left]
    found.messages, found.runs = wanted.messages, wanted.runs
    judged(made, kills, life, wanted.differs(found))


@pytest.mark.torture
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("case", CASES)
def test_what_has_ended_is_removed_all_the_time(short_dir: Path, case: str) -> None:
    swept(short_dir, case, cycles(30), 30, seed_of_this_run())


# Requests that are late ----------------------------------------------------------------------------------------


def hurried(folder: Path, kills: int, count: int, seed: int) -> None:
    """Requests time out, expire in the queue, or are answered: each comes to one end, and no run waits for ever."""
    chance, made = random.Random(seed), Campaign(seed)
    with living(folder / "hurry", "hurry", chance, count, CRASH_WAIT="0.02") as life:
        for _ in range(kills):
            life.start()
            life.runs_a_while()
            life.node.kill()
        found = life.finish()
        with reading(life.node) as archive:
            ended = {run.status for run in archive.runs(RunQuery(limit=1000))}
    wrong = list(found.wrong) + [
        f"{name} happened {number} times" for name, number in found.marks.items() if number != 1
    ]
    for body in life.bodies:
        told = [name for name in found.marks if name.startswith(f"runs/door {body['id']}/")]
        noted = [name for name in found.marks if name.startswith(f"runs/sink {body['id']}/")]
        if len(told) != 2 or len(noted) != ASKED:
            wrong.append(f"order {body['id']} has {told} and {noted}")
    if ended != {RunStatus.DONE}:
        wrong.append(f"runs ended {ended}")
    judged(made, kills, life, "; ".join(wrong))


@pytest.mark.torture
@pytest.mark.timeout(3600)
def test_many_requests_that_are_late_end_once(short_dir: Path) -> None:
    hurried(short_dir, cycles(50), 60, seed_of_this_run())


# One of all these ----------------------------------------------------------------------------------------------


@pytest.mark.timeout(120)
def test_a_few_kills_with_one_of_these(short_dir: Path) -> None:
    """Another one in each run of the tests."""
    seed = seed_of_this_run()
    case = CASES[seed // 4 % 2]
    if seed % 4 == 0:
        turned_back(short_dir, case, 2, 6, seed)
    elif seed % 4 == 1:
        mistaken(short_dir, case, 2, 6, seed)
    elif seed % 4 == 2:
        swept(short_dir, case, 2, 6, seed)
    else:
        hurried(short_dir, 2, 6, seed)
