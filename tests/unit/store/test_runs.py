"""Runs and turns in a store: what is damaged is known as that, and stays so."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import apsw
import pytest

from junctor.core.records import Insert, Settle
from junctor.core.run import Run, RunQuery, RunStatus, RunWrite, Turn
from junctor.errors import JunctorError, RecordRefused, StateConflict
from junctor.messages import Status
from junctor.store.identity import DATABASE
from junctor.store.store import Store
from junctor.store.verify import verify
from tests.unit.store.conftest import Bare

SERVICE = "flow/orders"


def begin(bare: Bare, turns: int = 3, **facts: Any) -> int:
    """A run with so many turns."""
    message = bare.message(target=SERVICE)
    bare.commit(inserts=[Insert(message)])
    first = RunWrite(message.seq, SERVICE, 0, data=b'{"begun":1}', handler="on_order", **facts)
    bare.commit(settles=[Settle(message.seq, Status.BEGUN)], runs=[first])
    for number in range(1, turns):
        bare.commit(runs=[turn(message.seq, number)])
    return message.seq


def turn(seq: int, expected: int, **facts: Any) -> RunWrite:
    return RunWrite(seq, SERVICE, expected, data=b'{"turn":%d}' % expected, delivered=seq, time=expected, **facts)


def damaged(bare: Bare, seq: int) -> bool:
    run = bare.store.archive.run(seq)
    return run is None or run.damaged or any(each.damaged for each in bare.store.archive.turns(seq))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE run SET status = 2 WHERE seq = ?",
        "UPDATE run SET status = 77 WHERE seq = ?",
        "UPDATE run SET turns = 2 WHERE seq = ?",
        "UPDATE run SET key = 'other' WHERE seq = ?",
        "UPDATE run SET snapshot = x'7b7d' WHERE seq = ?",
        "UPDATE run SET session = x'01' WHERE seq = ?",
        "UPDATE run SET asker = 'flow/a 7 1' WHERE seq = ?",
        "UPDATE run SET error = CAST(x'ff' AS TEXT) WHERE seq = ?",
        "UPDATE turn SET data = x'7b7d' WHERE run = ? AND number = 2",
        "UPDATE turn SET time = 7 WHERE run = ? AND number = 2",
        "UPDATE turn SET number = 9 WHERE run = ? AND number = 2",
        "DELETE FROM turn WHERE run = ? AND number = 2",
        "DELETE FROM turn WHERE run = ? AND number = 3",
        "DELETE FROM run WHERE seq = ?",
    ],
)
def test_verify_names_a_run_that_is_not_as_it_was_written(bare: Bare, statement: str) -> None:
    sound, hurt = begin(bare, key="a"), begin(bare, key="b", snapshot=b'{"a":1}')
    assert verify(bare.store.directory / DATABASE).sound
    bare.store._db.execute(statement, (hurt,))
    found = verify(bare.store.directory / DATABASE)
    assert (found.damaged, found.problems) == ([hurt], [])
    assert not damaged(bare, sound)


def test_a_row_that_cannot_be_read_leaves_the_list_whole(bare: Bare) -> None:
    sound, hurt = begin(bare), begin(bare)
    bare.store._db.execute("UPDATE run SET error = CAST(x'ff' AS TEXT) WHERE seq = ?", (hurt,))
    found = bare.store.archive.runs(RunQuery())
    assert [(run.seq, run.damaged) for run in found] == [(hurt, True), (sound, False)]
    assert damaged(bare, hurt)


def test_what_is_damaged_is_not_made_sound_by_a_turn(bare: Bare) -> None:
    seq = begin(bare, snapshot=b'{"paid":0}')
    bare.store._db.execute("UPDATE run SET snapshot = ? WHERE seq = ?", (b'{"paid":8}', seq))
    bare.store.journal._runs.forget(seq)  # as one that was not written lately
    bare.commit(runs=[turn(seq, 3)])
    assert damaged(bare, seq)


def test_what_the_writer_still_knows_is_written_as_it_was(bare: Bare) -> None:
    seq = begin(bare, snapshot=b'{"paid":0}')
    bare.store._db.execute("UPDATE run SET snapshot = ? WHERE seq = ?", (b'{"paid":8}', seq))
    bare.commit(runs=[turn(seq, 3)])
    assert not damaged(bare, seq)
    assert bare.store.archive.run(seq).snapshot == b'{"paid":0}'  # type: ignore[union-attr]


def test_a_run_of_a_group_that_failed_is_read_anew(bare: Bare) -> None:
    seq = begin(bare)
    bad = {"runs": [turn(seq, 3)], "inserts": [Insert(bare.message(key="\ud800"))]}
    with pytest.raises(RecordRefused):
        bare.commit(**bad)
    bare.commit(runs=[turn(seq, 3)])
    bare.commit(runs=[turn(seq, 4)])
    assert bare.store.archive.run(seq).turns == 5  # type: ignore[union-attr]


def test_a_run_that_was_removed_is_not_known_any_more(bare: Bare) -> None:
    seq = begin(bare)
    bare.commit(runs=[turn(seq, 3, status=RunStatus.DONE)], settles=[Settle(seq, Status.DONE)])
    bare.commit(removes=[seq])
    with pytest.raises(StateConflict):
        bare.commit(runs=[turn(seq, 4)])


def test_a_run_that_is_opened_again_does_not_take_the_key_of_another(bare: Bare) -> None:
    old = begin(bare, turns=1, key="A-1")
    bare.commit(runs=[turn(old, 1, status=RunStatus.FAILED)])
    begin(bare, turns=1, key="A-1")
    with pytest.raises(StateConflict, match="is called 'A-1' already"):
        bare.commit(runs=[turn(old, 2, status=RunStatus.OPEN)])
    assert bare.store.archive.run(old).status is RunStatus.FAILED  # type: ignore[union-attr]


# Flipped bits ------------------------------------------------------------------------------------------------


class Stock:
    """A closed store with many runs, and what it holds."""

    def __init__(self, folder: Path) -> None:
        bare = Bare(folder)
        chance = random.Random(1)
        for number in range(60):
            begin(bare, chance.randrange(1, 9), key=f"key {number}", snapshot=b'{"n":%d}' % number, session=number)
        archive = bare.store.archive
        self.runs: dict[int, Run] = {run.seq: run for run in archive.runs(RunQuery(limit=1000))}
        self.turns: dict[int, list[Turn]] = {seq: archive.turns(seq) for seq in self.runs}
        bare.store.close()
        self.folder = folder
        self.files = {path: path.read_bytes() for path in folder.iterdir() if path.is_file()}
        self.pages = self._pages()

    def _pages(self) -> list[int]:
        db = apsw.Connection(str(self.folder / DATABASE), flags=apsw.SQLITE_OPEN_READONLY)
        try:
            return [page for (page,) in db.execute("SELECT pageno FROM dbstat WHERE name IN ('run', 'turn')")]
        finally:
            db.close()

    def flip(self, seed: int) -> None:
        for path, content in self.files.items():
            path.write_bytes(content)
        chance = random.Random(seed)
        content = bytearray(self.files[self.folder / DATABASE])
        place = (chance.choice(self.pages) - 1) * 4096 + chance.randrange(4096)
        content[place] ^= 1 << chance.randrange(8)
        (self.folder / DATABASE).write_bytes(content)

    def wrong(self) -> list[str]:
        """What is read as sound and is not what was written, and what is missing though nothing tells so."""
        try:
            store = Store(self.folder, reserve=0)
        except (JunctorError, apsw.Error):
            return []
        try:
            told = bool(store.opened.warnings) or not verify(self.folder / DATABASE).sound
            return [text for seq in self.runs for text in self._wrong_run(store, seq, told)]
        finally:
            store.close()

    def _wrong_run(self, store: Store, seq: int, told: bool) -> list[str]:
        try:
            run, turns = store.archive.run(seq), store.archive.turns(seq)
        except JunctorError:
            return []
        lines = [] if told or (run and turns == self.turns[seq]) else [f"run {seq} lost something, and nobody says so"]
        if run is not None and not run.damaged and run != self.runs[seq]:
            lines.append(f"run {seq} is {run}")
        known = {turn.number: turn for turn in self.turns[seq]}
        lines += [f"turn {turn}" for turn in turns if not turn.damaged and turn != known.get(turn.number)]
        return lines


@pytest.fixture(scope="module")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Stock:
    return Stock(tmp_path_factory.mktemp("runs"))


@pytest.mark.parametrize("first", range(0, 100, 20))
def test_a_flipped_bit_never_gives_a_wrong_history(stock: Stock, first: int) -> None:
    found = []
    for seed in range(first, first + 20):
        stock.flip(seed)
        found += [f"seed {seed}: {text}" for text in stock.wrong()]
    assert not found, "\n".join(found)
