"""Reading while the node is down, beside a running one, and through the state cache."""

from __future__ import annotations

from pathlib import Path

import apsw
import pytest

from junctor.core.outcome import Failure, StateWrite
from junctor.core.records import Insert, Query, Settle
from junctor.errors import NodeNotFound, StoreError, StoreTooNew
from junctor.messages import Status
from junctor.store import state
from junctor.store.reader import open_archive
from tests.unit.store.conftest import Bare


def test_the_archive_of_a_node_that_is_down(tmp_path: Path) -> None:
    bare = Bare(tmp_path)
    message = bare.message()
    bare.commit(inserts=[Insert(message)])
    bare.commit(settles=[Settle(message.seq, Status.PARKED, failure=Failure("E", "no"))])
    bare.store.close()
    archive = open_archive(tmp_path)
    assert [record.message for record in archive.search(Query())] == [message]
    assert archive.parked()[0].error == "E"
    archive.close()
    archive.close()
    with pytest.raises(StoreError, match="closed"):
        archive.search(Query())


def test_the_archive_beside_a_running_node_sees_each_commit(bare: Bare) -> None:
    archive = open_archive(bare.store.directory)
    for _ in range(3):
        message = bare.message()
        bare.commit(inserts=[Insert(message)])
        assert archive.search(Query(limit=1))[0].message == message
    archive.close()


def test_a_folder_without_a_store(tmp_path: Path) -> None:
    with pytest.raises(NodeNotFound, match="no store"):
        open_archive(tmp_path)


def test_a_store_that_was_never_completed(tmp_path: Path) -> None:
    apsw.Connection(str(tmp_path / "junctor.db")).close()
    (tmp_path / "junctor.db").touch()
    with pytest.raises(NodeNotFound, match="never completed"):
        open_archive(tmp_path)


def test_an_archive_of_a_newer_store_is_refused(tmp_path: Path) -> None:
    bare = Bare(tmp_path)
    bare.store._db.pragma("user_version", 99)
    bare.store.close()
    with pytest.raises(StoreTooNew, match="version 99"):
        open_archive(tmp_path)


def test_an_archive_of_an_older_store_says_how_to_bring_it_up(tmp_path: Path) -> None:
    bare = Bare(tmp_path)
    bare.store._db.pragma("user_version", 1)
    bare.store.close()
    with pytest.raises(StoreError, match="version 1 of an older Junctor.*Start its node"):
        open_archive(tmp_path)


def test_queries_use_their_indexes(bare: Bare) -> None:
    """A scan of all records would pass every other test and be too slow with a million of them."""
    from junctor.store import queues, reader, search

    statements = {
        queues._READY: "hop_queue",
        queues._READY_LINE: "hop_line",
        queues._DUE: "hop_timer",
        queues._NEXT_DUE: "hop_timer",
        queues._DEPTHS: "hop_queue",
        queues._SUSPECTS: "hop_queue",
        queues._SENT: "message_origin",
        queues._SENT_WITH_KEY: "message_session",
        reader._PARKED: "hop_ended",
        search.FROM: "message_time",
        search.TO: "message_time",
    }
    for sql, index in statements.items():
        values = (1,) * sql.count("?") if "?1" not in sql else (1,)
        plan = " / ".join(row[3] for row in bare.store._db.execute(f"EXPLAIN QUERY PLAN {sql}", values))
        assert index in plan, f"{sql}\n{plan}"


def test_state_of_many_keys_and_of_large_values(bare: Bare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "CACHED_KEYS", 3)
    monkeypatch.setattr(state, "CACHED_BYTES", 100)
    committed = bare.store.state
    for round_ in range(3):
        for key in "abcdef":
            value = b"%d" % round_ if key != "f" else b"x" * 200
            bare.commit(writes=[StateWrite(key, "n", value, round_)], source="f/s")
            assert committed.read("f/s", key) == {"n": (value, round_ + 1)}
    assert len(committed._cache) <= 3
    assert committed.keys("f/s") == list("abcdef")
