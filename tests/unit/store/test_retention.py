"""What retention asks of a store: slices, what belongs together, removal beside damage, small steps of upkeep."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import apsw
import pytest

from junctor.core.outcome import Failure, LogLine
from junctor.core.records import AlertRecord, Commit, HopLog, Insert, Settle
from junctor.errors import StoreDamaged
from junctor.messages import Status
from junctor.store import retention
from junctor.store.room import measure
from junctor.store.store import Store

from .conftest import Bare

NO = Failure("ValueError", "no", "trace")


def accept(bare: Bare, count: int, status: Status = Status.DONE, **fields: Any) -> list[int]:
    messages = [bare.message(**fields) for _ in range(count)]
    bare.commit(inserts=[Insert(message, status) for message in messages])
    return [message.seq for message in messages]


# Looking -----------------------------------------------------------------------------------------------------


def test_slices_follow_each_other_to_the_end(bare: Bare) -> None:
    seqs = accept(bare, 25)
    after, found, more = 0, [], True
    while more:
        look = retention.look(bare.store.readers, after, 10)
        found += [record.seq for record in look.records]
        after, more = look.last, look.more
    assert found == seqs


def test_a_look_tells_what_a_decision_needs(bare: Bare) -> None:
    [cause] = accept(bare, 1, Status.READY)
    child = bare.message(cause=cause, origin=b"\0\0\0\1" + bytes(8))
    keyed = bare.message(origin=b"\0\0\0\0" + b"k" * 8)
    bare.commit(inserts=[Insert(child), Insert(keyed)])
    bare.commit(settles=[Settle(child.seq, Status.WAITING, 1, failure=NO)])
    bare.commit(settles=[Settle(child.seq, Status.DONE, 2, 0, 5000, 70)])
    _, one, two = retention.look(bare.store.readers, 0, 10).records
    assert (one.needed, one.failed, one.keyed, one.ended) == (True, True, False, 5070)
    assert (two.needed, two.failed, two.keyed) == (False, False, True)
    bare.commit(settles=[Settle(cause, Status.DONE)])
    assert not retention.look(bare.store.readers, 0, 10).records[1].needed


def test_a_look_for_some_targets_goes_on_where_there_are_none(bare: Bare) -> None:
    accept(bare, 20, target="f/other")
    seqs = accept(bare, 3, target="f/mine")
    accept(bare, 1, Status.READY, target="f/mine")
    look = retention.look(bare.store.readers, 0, 10, ["f/mine"])
    assert (list(look.records), look.last, look.more) == ([], 10, True)
    look = retention.look(bare.store.readers, 10, 100, ["f/mine", "f/unknown"])
    assert [record.seq for record in look.records] == seqs
    assert retention.open_from(bare.store.readers, ["f/mine"]) == 24
    assert retention.open_from(bare.store.readers, ["f/other", "f/unknown"]) == 0


@pytest.mark.parametrize("status", [Status.PARKED, Status.EXPIRED, Status.FAILED, Status.RESENT, Status.DISCARDED])
def test_a_session_fails_with_any_of_its_records(bare: Bare, status: Status) -> None:
    accept(bare, 5, session=1)
    accept(bare, 5, session=2)
    accept(bare, 1, status, session=2)
    records = retention.look(bare.store.readers, 0, 100).records
    assert retention.failing(bare.store.readers, records) == {(2).to_bytes(16, "big")}


def test_of_a_session_without_end_the_neighbourhood_counts(bare: Bare) -> None:
    accept(bare, 1, Status.FAILED)
    accept(bare, 3000)
    first, *_, last = retention.look(bare.store.readers, 1, 5000).records
    assert retention.failing(bare.store.readers, [first])
    assert not retention.failing(bare.store.readers, [last])


# Damage ------------------------------------------------------------------------------------------------------


def broken(bare: Bare, name: str) -> Store:
    """The store again, with a page in the middle of a table or index written over."""
    bare.store.close()
    db = apsw.Connection(str(bare.store.path))
    pages = [row[0] for row in db.execute("SELECT pageno FROM dbstat WHERE name = ? AND pagetype = 'leaf'", (name,))]
    db.close()
    with open(bare.store.path, "r+b") as file:
        file.seek((pages[len(pages) // 2] - 1) * 4096)
        file.write(b"\xff" * 4096)
    bare.store = Store(bare.store.directory, reserve=0)
    return bare.store


def test_a_damaged_page_is_passed_over_and_told(bare: Bare) -> None:
    accept(bare, 20_000)
    store = broken(bare, "message")
    after, found, told, more = 0, 0, 0, True
    while more:
        look = retention.look(store.readers, after, 512)
        after, more = look.last, look.more
        found += len(look.records)
        told += bool(look.damage)
    assert 0 < told < 6 and found > 10_000


def test_removal_that_meets_damage_is_refused_and_ends_nothing(bare: Bare) -> None:
    message = bare.message()
    logs = [HopLog(message.session, n, "f/s", LogLine(1, 20, "l", "x" * 500)) for n in range(1, 2001)]
    bare.commit(inserts=[Insert(message)], logs=logs)
    seqs = accept(bare, 2000)
    store = broken(bare, "log")
    kept = bare.message()
    verdicts: list[tuple[str, Exception | None]] = []
    for name, parts in (("removal", {"removes": seqs}), ("message", {"inserts": [Insert(kept)]})):
        commit = Commit(lambda commit, error: None, tag=name, **parts)  # type: ignore[arg-type]
        verdicts += [(name, error) for _, error in store.journal.apply([commit]).verdicts]
    group = [
        Commit(lambda commit, error: None, tag="removal", removes=seqs),
        Commit(lambda commit, error: None, tag="message", inserts=[Insert(bare.message())]),
    ]
    verdicts += [(commit.tag, error) for commit, error in store.journal.apply(group).verdicts]
    for name, error in verdicts:
        assert isinstance(error, StoreDamaged) if name == "removal" else error is None
    assert store.journal.dead is None and bare.record(kept) is not None


# Upkeep ------------------------------------------------------------------------------------------------------


def test_free_pages_go_back_to_the_disk(bare: Bare) -> None:
    bare.commit(inserts=[Insert(bare.message(b'"%s"' % (b"x" * 3000)), Status.DONE) for _ in range(2000)])
    bare.store.journal.checkpoint()
    before = measure(bare.store.directory).database
    bare.commit(removes=list(range(1, 2001)))
    full = retention.fill(bare.store.readers)
    assert full.shrinks and full.free > before // 2
    while retention.fill(bare.store.readers).free:
        bare.store.keep(lambda db: retention.compact(db, 1024 * 1024))
    bare.store.journal.checkpoint()
    assert measure(bare.store.directory).database < before // 10


def test_old_alerts_lines_without_a_record_and_empty_blocks_are_forgotten(bare: Bare) -> None:
    now = time.time_ns()
    alerts = [AlertRecord(when, "k", "f/s", str(when)) for when in (1, 2, now)]
    [seq] = accept(bare, 1)
    logs = [HopLog(1, number, "f/s", LogLine(1, 20, "l", "text")) for number in (seq, 999)]
    bare.commit(alerts=alerts, logs=logs)
    bare.store.keep(lambda db: retention.prune(db, bare.store.directory, now - 1, 0))
    assert bare.rows("SELECT count(*) FROM alert") == [(1,)]
    assert bare.rows("SELECT seq FROM log") == [(seq,)]


def test_alerts_have_a_bound_whatever_their_age(bare: Bare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "ALERTS", 10)
    bare.commit(alerts=[AlertRecord(2**62, "k", "f/s", str(n)) for n in range(1200)])
    more = True
    while more:
        more, _ = bare.store.keep(lambda db: retention.prune(db, bare.store.directory, 0, 0))
    assert bare.rows("SELECT text FROM alert") == [(str(n),) for n in range(1190, 1200)]


def test_copies_of_damaged_logs_go_with_the_failures(bare: Bare) -> None:
    folder = bare.store.directory / "damaged"
    folder.mkdir()
    (folder / "wal-1.bin").write_bytes(b"x" * 1000)
    assert measure(bare.store.directory).damaged == 1000
    bare.store.keep(lambda db: retention.prune(db, bare.store.directory, 1, 0))
    assert (folder / "wal-1.bin").exists()
    bare.store.keep(lambda db: retention.prune(db, bare.store.directory, time.time_ns() + 10**9, 0))
    assert not (folder / "wal-1.bin").exists()


def test_sizes_of_a_folder_that_is_not_there_are_nothing(tmp_path: Path) -> None:
    assert measure(tmp_path / "none").taken == 0
