"""Flipped bits in the files of a store: no wrong message is handed out, and none that is owed goes missing unsaid.

``python -m tests.unit.store.test_rot FIRST LAST`` plays more of them and tells what became of each.
"""

from __future__ import annotations

import random
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import apsw
import pytest

from junctor.core.outcome import Failure, Reply
from junctor.core.records import Insert, Query, Settle
from junctor.errors import JunctorError
from junctor.messages import Message, Status
from junctor.store import queues
from junctor.store.identity import DATABASE, IDENTITY
from junctor.store.store import Store
from tests.unit.store.conftest import Bare

TARGETS = [f"flow/sink{n}" for n in range(4)]
LATER = 10**18


@dataclass
class Stock:
    """A store on the disk, the content of its files, and what is owed in it: number to message."""

    directory: Path
    files: dict[str, bytes] = field(default_factory=dict)
    owed: dict[int, Message] = field(default_factory=dict)
    all: dict[int, Message] = field(default_factory=dict)

    def keep(self) -> None:
        names = (DATABASE, f"{DATABASE}-wal", IDENTITY)
        self.files = {name: (self.directory / name).read_bytes() for name in names if (self.directory / name).exists()}

    def put_back(self) -> None:
        """The files as they were, and still the same files: a store notices when it was replaced."""
        for path in self.directory.iterdir():
            if path.is_file() and path.name not in self.files:
                path.unlink()
        for name, data in self.files.items():
            (self.directory / name).write_bytes(data)


def stock(directory: Path, count: int, closed: bool) -> Stock:
    """Messages of every status. ``closed``: all in the database; else all in its log, as after a kill."""
    bare = Bare(directory)
    made = Stock(directory)
    rng = random.Random(1)
    messages = []
    for n in range(count):
        key = f"key {n % 5}" if n % 3 == 0 else None
        message = bare.message(b'{"n":%d,"x":"%s"}' % (n, b"y" * rng.randrange(300)), target=TARGETS[n % 4], key=key)
        messages.append(message)
    for n in range(0, count, 50):
        bare.commit(inserts=[Insert(message) for message in messages[n : n + 50]])
    made.all = {message.seq: message for message in messages}
    made.owed = dict(made.all)
    for message in messages:
        chosen = rng.random()
        if chosen < 0.6:
            bare.commit(settles=[Settle(message.seq, Status.DONE, 1, reply=Reply("R", b"1") if chosen < 0.1 else None)])
            del made.owed[message.seq]
        elif chosen < 0.8:
            failure = Failure("ValueError", "no", "Traceback", "0a")
            bare.commit(settles=[Settle(message.seq, Status.WAITING, 2, due=LATER - 5, failure=failure)])
    if closed:
        bare.store.close()
        made.keep()
    else:
        made.keep()
        bare.store.close()
    return made


def verdict(made: Stock, name: str, seed: int) -> str:
    """What a flipped bit does: ``refused``, ``told``, ``parked``, ``nothing``.

    :raises AssertionError: a message that was never accepted is handed out, or one that is owed is missing unsaid.
    """
    made.put_back()
    flip(made.directory / name, random.Random(seed))
    try:
        return _opened(made, seed)
    except (JunctorError, apsw.Error):
        return "refused"


def flip(path: Path, rng: random.Random) -> None:
    data = bytearray(path.read_bytes())
    data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    path.write_bytes(data)


def _opened(made: Stock, seed: int) -> str:
    store = Store(made.directory, reserve=0)
    try:
        told = bool(store.opened.warnings)
        handed, damaged = _handed_out(store)
        for seq, message in handed.items():
            assert made.all.get(seq) == message, f"seed {seed}: a wrong message {seq} is handed out"
        missing = set(made.owed) - set(handed) - damaged
        assert told or not missing, f"seed {seed}: {sorted(missing)} are missing and nothing is said"
        assert told or not set(handed) - set(made.owed), f"seed {seed}: something done is handed out again"
        return "told" if told else "parked" if damaged else "nothing"
    finally:
        store.close()


def _handed_out(store: Store) -> tuple[dict[int, Message], set[int]]:
    """What queues hand out, and the numbers of what is marked there or parked as damaged."""
    rows = [row for target in TARGETS for row in queues.fetch(store.readers, target, 0, 10_000, LATER, None)]
    rows += store.opened.suspects
    handed = {row.message.seq: row.message for row in rows if not row.damaged}
    parked = store.archive.search(Query(statuses=(Status.PARKED,), limit=1000))
    return handed, {row.message.seq for row in rows if row.damaged} | {record.message.seq for record in parked}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("rot")


@pytest.fixture(scope="module")
def closed(folder: Path) -> Stock:
    return stock(folder / "closed", 300, closed=True)


@pytest.fixture(scope="module")
def killed(folder: Path) -> Stock:
    return stock(folder / "killed", 100, closed=False)


@pytest.mark.parametrize("seed", range(40))
def test_a_flipped_bit_in_the_database(closed: Stock, seed: int) -> None:
    verdict(closed, DATABASE, seed)


@pytest.mark.parametrize("seed", range(15))
def test_a_flipped_bit_in_the_log(killed: Stock, seed: int) -> None:
    assert verdict(killed, f"{DATABASE}-wal", seed) in ("told", "nothing")


def test_without_a_flip_nothing_is_said(closed: Stock, killed: Stock) -> None:
    for made in (closed, killed):
        made.put_back()
        assert _opened(made, 0) == "nothing"


def _main(first: int, last: int) -> None:
    with tempfile.TemporaryDirectory() as made:
        for what, closed, name in (("database", True, DATABASE), ("log", False, f"{DATABASE}-wal")):
            kept = stock(Path(made) / what, 300 if closed else 100, closed)
            count: Counter[str] = Counter()
            for seed in range(first, last):
                try:
                    count[verdict(kept, name, seed)] += 1
                except Exception as error:  # one that is none of ours is a fault as well
                    count["WRONG"] += 1
                    print(f"seed {seed}: {type(error).__name__}: {error}")
            print(what, dict(count))


if __name__ == "__main__":
    _main(int(sys.argv[1]), int(sys.argv[2]))
