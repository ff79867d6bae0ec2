"""The journal: folding of groups, commits that cannot be written, durability, checkpoints."""

from __future__ import annotations

import itertools

import pytest

from junctor.core.outcome import StateWrite
from junctor.core.records import Commit, Insert, Settle
from junctor.errors import RecordRefused, StateConflict, StoreError, StoreFull
from junctor.messages import Status
from junctor.store import journal
from junctor.store.journal import Report
from junctor.store.reserve import Reserve
from tests.unit.store.conftest import Bare


def apply(bare: Bare, *several: dict[str, object]) -> Report:
    return bare.store.journal.apply([Commit(lambda commit, error: None, **parts) for parts in several])  # type: ignore[arg-type]


def errors(report: Report) -> list[type | None]:
    return [error and type(error) for _, error in report.verdicts]


@pytest.mark.parametrize("count", [0, 1, 31, 32, 33, 200])
def test_groups_of_every_size(bare: Bare, count: int) -> None:
    messages = [bare.message() for _ in range(count)]
    bare.commits(*({"inserts": [Insert(message)]} for message in messages))
    bare.commits(*({"settles": [Settle(message.seq, Status.DONE, 1, 0, n, n)]} for n, message in enumerate(messages)))
    assert bare.rows("SELECT count(*), coalesce(sum(status), 0), coalesce(sum(started), 0) FROM hop") == [
        (count, 3 * count, sum(range(count)))
    ]


def test_a_commit_that_cannot_be_written_is_refused_alone(bare: Bare) -> None:
    good, bad, later = bare.message(), bare.message(key="\ud800"), bare.message()
    report = apply(bare, {"inserts": [Insert(good)]}, {"inserts": [Insert(bad)]}, {"inserts": [Insert(later)]})
    assert errors(report) == [None, RecordRefused, None]
    assert "\\ud800" in str(report.verdicts[1][1])
    assert report.dead is None
    assert bare.rows("SELECT seq FROM message") == [(good.seq,), (later.seq,)]
    assert bare.rows("SELECT seq FROM hop") == [(good.seq,), (later.seq,)]


@pytest.mark.parametrize("fields", [{"headers": {"n": 1}}, {"session": 2**128}, {"due": 2**63}, {"payload": "text"}])
def test_what_does_not_fit_its_type_is_refused_and_not_stored(bare: Bare, fields: dict[str, object]) -> None:
    assert errors(apply(bare, {"inserts": [Insert(bare.message(**fields))]})) == [RecordRefused]
    assert bare.rows("SELECT count(*) FROM message") == [(0,)]


def test_a_number_used_twice_is_refused(bare: Bare) -> None:
    message = bare.message()
    bare.commit(inserts=[Insert(message)])
    assert errors(apply(bare, {"inserts": [Insert(message)]})) == [RecordRefused]
    other = bare.message(origin=b"\0\0\0\1" + bytes(12))
    bare.commit(inserts=[Insert(other)])
    again = bare.message(origin=b"\0\0\0\2" + bytes(12))
    clash = type(again)(*(getattr(again, name) if name != "seq" else other.seq for name in again.__struct_fields__))
    assert errors(apply(bare, {"inserts": [Insert(clash)]})) == [StoreError]


def test_names_of_a_group_that_failed_are_given_out_anew(bare: Bare) -> None:
    bad = bare.message(target="flow/new", key="\ud800")
    assert errors(apply(bare, {"inserts": [Insert(bad)]})) == [RecordRefused]
    good = bare.message(target="flow/new")
    bare.commit(inserts=[Insert(good)])
    assert bare.record(good).message == good
    assert bare.rows("SELECT count(*) FROM word WHERE text = 'flow/new'") == [(1,)]


def test_a_conflict_in_a_group_leaves_the_others(bare: Bare) -> None:
    message = bare.message()
    report = apply(
        bare,
        {"writes": [StateWrite("k", "a", b"1", 0)], "source": "f/s"},
        {"writes": [StateWrite("k", "a", b"2", 0)], "source": "f/s", "inserts": [Insert(message)]},
        {"writes": [StateWrite("k", "a", b"3", 1)], "source": "f/s"},
    )
    assert errors(report) == [None, StateConflict, None]
    assert bare.store.state.read("f/s", "k") == {"a": (b"3", 2)}
    assert bare.rows("SELECT count(*) FROM message") == [(0,)]


def test_every_order_of_claims_and_settlements_of_a_group_ends_as_one_by_one(bare: Bare) -> None:
    """All short histories of one record, applied as a group and singly, leave the same row."""
    steps = {
        "claim": {"claims": 0},
        "wait": {"settles": (Status.WAITING, 1, 7)},
        "ready": {"settles": (Status.READY, 2, 0)},
        "done": {"settles": (Status.DONE, 3, 0)},
    }
    for order in itertools.permutations(steps, 3):
        rows = []
        for grouped in (True, False):
            message = bare.message()
            commits: list[dict[str, object]] = [{"inserts": [Insert(message)]}]
            for name in order:
                status, attempt, due = steps[name].get("settles", (None, 0, 0))  # type: ignore[misc]
                settled = {"settles": [Settle(message.seq, status, attempt, due)]} if status else {}
                commits.append(settled or {"claims": [message.seq]})
            for group in [commits] if grouped else [[each] for each in commits]:
                bare.commits(*group)
            rows.append(bare.rows(f"SELECT status, attempt, due FROM hop WHERE seq = {message.seq}"))
        assert rows[0] == rows[1], order


def test_written_is_enough_only_when_all_of_a_group_say_so(bare: Bare) -> None:
    db = bare.store._db
    bare.commits({"durability": "written"}, {"durability": "written"})
    assert db.pragma("synchronous") == 1
    bare.commits({"durability": "written"}, {"durability": "fsync"})
    assert db.pragma("synchronous") == 2


def test_the_writer_checkpoints_by_itself(bare: Bare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bare.store.journal, "_checkpoint_at", 50)
    monkeypatch.setattr(journal, "CHECKPOINT_PAGES", 50)
    log = bare.store.directory / "junctor.db-wal"
    sizes = set()
    for _ in range(60):
        bare.commit(inserts=[Insert(bare.message(b"x" * 3000)) for _ in range(10)])
        sizes.add(log.stat().st_size)
    assert max(sizes) < 120 * 4200, "the log grows"


def test_a_reader_in_the_way_only_delays_checkpoints(bare: Bare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bare.store.journal, "_checkpoint_at", 20)
    monkeypatch.setattr(journal, "CHECKPOINT_PAGES", 20)
    bare.commit(inserts=[Insert(bare.message())])
    with bare.store.readers.connection() as db:
        half_read = db.execute("SELECT seq FROM hop")
        next(half_read)
        for _ in range(30):
            bare.commit(inserts=[Insert(bare.message(b"x" * 3000)) for _ in range(3)])
        half_read.close()
    bare.commit(inserts=[Insert(bare.message())])
    assert bare.rows("SELECT count(*) FROM message") == [(92,)]


def test_nothing_is_applied_to_a_dead_journal(bare: Bare) -> None:
    bare.store.journal.dead = StoreError("broken on purpose")
    assert errors(apply(bare, {"inserts": [Insert(bare.message())]})) == [StoreError]
    bare.store.journal.dead = None
    assert bare.rows("SELECT count(*) FROM message") == [(0,)]


class Room(Reserve):
    """A reserve of pages of the database."""

    def __init__(self, bare: Bare, pages: int) -> None:
        self._bare, self._pages = bare, pages
        self.let(-1)

    def let(self, more: int) -> None:
        self._bare.store._db.pragma("max_page_count", self._bare.store._db.pragma("page_count") + more)

    def give_up(self) -> bool:
        pages, self._pages = self._pages, 0
        self.let(pages)
        return bool(pages)

    def restore(self) -> bool:
        return False


def full(bare: Bare, pages: int) -> Room:
    """Let the disk be full, but for a reserve of some pages."""
    room = bare.store.journal._reserve = Room(bare, pages)
    return room


def wish() -> dict[str, object]:
    return {"writes": [StateWrite("paused", "f/a", b"x" * 20_000, 0)], "source": "/node", "at_once": True}


def test_what_somebody_waits_for_has_the_reserve_of_a_full_disk(bare: Bare) -> None:
    full(bare, 100)
    message = bare.message(b'"%s"' % (b"x" * 20_000))
    report = apply(bare, wish(), {"inserts": [Insert(message)], "external": True})
    assert {commit.at_once: error and type(error) for commit, error in report.verdicts} == {
        True: None,
        False: StoreFull,
    }
    assert bare.store.state.read("/node", "paused")["f/a"][0] == b"x" * 20_000


def test_what_somebody_waits_for_is_refused_where_the_reserve_is_used_up(bare: Bare) -> None:
    room = full(bare, 0)
    kept = {"inserts": [Insert(bare.message(b'"%s"' % (b"x" * 20_000)))]}
    [(commit, error)] = apply(bare, kept, wish()).verdicts
    assert commit.at_once and isinstance(error, StoreFull)
    assert "reserve is used up" in str(error) and "Nothing was changed" in str(error)
    [(_, error)] = apply(bare, wish()).verdicts
    assert isinstance(error, StoreFull), "also while something is kept"
    room.let(100)
    assert errors(apply(bare)) == [None], "what is kept is written once there is room"
    assert bare.rows("SELECT count(*) FROM message") == [(1,)]


def needing(bare: Bare, payload: bytes, **facts: object) -> tuple[Commit, Commit]:
    """A commit with these facts, and one that needs it."""
    first = Commit(lambda commit, error: None, inserts=[Insert(bare.message(payload, **facts))], external=True)
    return first, Commit(lambda commit, error: None, inserts=[Insert(bare.message(payload))], needs=first)


def test_what_needs_a_commit_that_a_full_disk_refuses_is_refused_and_not_kept(bare: Bare) -> None:
    room = full(bare, 0)
    first, then = needing(bare, b'"%s"' % (b"x" * 20_000))
    kept = Commit(lambda commit, error: None, inserts=[Insert(bare.message(b'"%s"' % (b"x" * 20_000)))])
    journal = bare.store.journal
    told = [verdict for group in ([kept, first], [then], []) for verdict in journal.apply(group).verdicts]
    room.let(100)
    told += journal.apply([]).verdicts
    assert [(commit, error and type(error)) for commit, error in told] == [
        (first, StoreFull),
        (kept, None),
        (then, StoreFull),
    ]
    assert bare.rows("SELECT count(*) FROM message") == [(1,)]


def test_what_needs_a_commit_that_cannot_be_written_is_refused_in_its_group(bare: Bare) -> None:
    first, then = needing(bare, b"1", key="\ud800")
    last = Commit(lambda commit, error: None, needs=then)
    other = Commit(lambda commit, error: None, inserts=[Insert(bare.message())])
    assert errors(bare.store.journal.apply([first, then, other, last])) == [
        RecordRefused,
        RecordRefused,
        None,
        RecordRefused,
    ]
    assert bare.rows("SELECT count(*) FROM message") == [(1,)]
