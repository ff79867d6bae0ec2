"""The changing half of a record under its checksum, and what an opening does about damage."""

from __future__ import annotations

from pathlib import Path

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from junctor.core.records import Insert, Query, Settle
from junctor.messages import Message, Status
from junctor.store import mend as mending
from junctor.store import names, queues
from junctor.store.hops import PRIME, checksum_of, hop_checksum, set_status
from junctor.store.identity import DATABASE
from junctor.store.mend import mend
from tests.unit.store.conftest import Bare

DB = apsw.Connection(":memory:")
INT = st.integers(0, 2**63 - 1)
HOPS = st.tuples(INT, st.sampled_from(Status), st.integers(0, 2**31), INT)


@given(HOPS)
def test_sql_and_python_agree(hop: tuple[int, int, int, int]) -> None:
    [(found,)] = DB.execute(f"SELECT {checksum_of('?1', '?2', '?3', '?4')}", hop)
    assert found == hop_checksum(*hop)
    assert 0 <= found < PRIME


@given(HOPS, st.integers(0, 3), st.integers(0, 62))
def test_every_flipped_bit_is_noticed(hop: tuple[int, int, int, int], field: int, bit: int) -> None:
    changed = list(hop)
    changed[field] ^= 1 << bit
    assert hop_checksum(*changed) != hop_checksum(*hop)


@given(HOPS, st.sampled_from(Status))
def test_the_status_is_changed_without_a_look_at_the_rest(hop: tuple[int, int, int, int], status: Status) -> None:
    seq, before, attempt, due = hop
    table = "(SELECT ?1 AS status, ?2 AS checksum)"
    [changed] = DB.execute(
        f"SELECT {set_status(status).replace('status =', '', 1).replace('checksum =', '', 1)} FROM {table}",
        (before, hop_checksum(*hop)),
    )
    assert changed == (status, hop_checksum(seq, status, attempt, due))


def test_the_migration_computes_the_same(bare: Bare) -> None:
    from junctor.store.schema import MIGRATIONS

    statement = next(line for line in MIGRATIONS[1].split(";") if "UPDATE hop" in line)
    messages = filled(bare)
    bare.store._db.execute("UPDATE hop SET checksum = 0")
    bare.store._db.execute(statement.partition("UPDATE")[1] + statement.partition("UPDATE")[2])
    assert not any(bare.record(message).damaged for message in messages)


def filled(bare: Bare) -> list[Message]:
    """Records of every status, one of them with a key; the fifth was retried."""
    statuses = [Status.READY, Status.CLAIMED, Status.WAITING, Status.DONE, Status.WAITING, Status.PARKED]
    messages = [bare.message(key="k" if n == 0 else None) for n in range(len(statuses))]
    bare.commit(inserts=[Insert(message) for message in messages])
    bare.commit(
        claims=[messages[1].seq],
        settles=[
            Settle(message.seq, status, attempt=3, due=10**18 if status == Status.WAITING else 0)
            for message, status in zip(messages, statuses, strict=True)
            if status not in (Status.READY, Status.CLAIMED)
        ],
    )
    return messages


def test_a_sound_store_is_left_alone(bare: Bare) -> None:
    messages = filled(bare)
    before = [bare.record(message) for message in messages]
    assert mend(bare.store._db) == []
    assert [bare.record(message) for message in messages] == before
    assert not any(record.damaged for record in before)


@pytest.mark.parametrize("which", [0, 2, 4])
@pytest.mark.parametrize(
    "change", ["status = 3", "status = status ^ 4", "attempt = attempt + 64", "due = due + (1 << 40)", "checksum = 7"]
)
def test_a_damaged_status_is_parked_and_told(bare: Bare, which: int, change: str) -> None:
    message = filled(bare)[which]
    change = change.replace("status ^ 4", "status + 4")
    bare.store._db.execute(f"UPDATE hop SET {change} WHERE seq = ?", (message.seq,))
    [warning] = mend(bare.store._db)
    assert f"what became of 1 message ({message.seq}) is damaged" in warning
    record = bare.record(message)
    assert (record.message, record.status, record.damaged) == (message, Status.PARKED, False)
    assert record.failure is not None and record.failure.type == "StoreDamaged"
    assert [group.error for group in bare.store.archive.parked()] == ["StoreDamaged"]
    assert mend(bare.store._db) == []


def test_it_is_told_when_the_store_is_opened(tmp_path: Path) -> None:
    bare = Bare(tmp_path)
    message = filled(bare)[2]
    bare.store._db.execute("UPDATE hop SET status = 3 WHERE seq = ?", (message.seq,))
    bare.store.close()
    again = Bare(tmp_path)
    assert [warning for warning in again.store.opened.warnings if f"1 message ({message.seq})" in warning]
    assert [r.message for r in again.store.archive.search(Query(statuses=(Status.PARKED,)))][-1] == message
    again.store.close()


@pytest.mark.parametrize(("which", "index"), [(0, "hop_queue"), (0, "hop_line"), (2, "hop_timer"), (5, "hop_ended")])
def test_a_damaged_index_is_made_anew(bare: Bare, which: int, index: str) -> None:
    """The row is changed behind the back of one index, as damage to it would."""
    message = filled(bare)[which]
    db = bare.store._db
    db.pragma("writable_schema", 1)
    [(sql,)] = db.execute("SELECT sql FROM sqlite_schema WHERE name = ?", (index,))
    unfit = f"{sql} AND seq != {message.seq}"
    db.execute("UPDATE sqlite_schema SET sql = ? WHERE name = ?", (unfit, index))
    db.pragma("writable_schema", "RESET")
    db.execute(f"REINDEX {index}")
    db.pragma("writable_schema", 1)
    db.execute("UPDATE sqlite_schema SET sql = ? WHERE name = ?", (sql, index))
    db.pragma("writable_schema", "RESET")
    [warning] = mend(db)
    assert index in warning
    assert f"missing were 1 record ({message.seq}), wrong none" in warning
    assert mend(db) == []
    assert db.pragma("integrity_check") == "ok"


@pytest.mark.parametrize(
    ("table", "text"), [("hop", "the status of 1 message"), ("message", "the content of 1 message")]
)
def test_half_a_record_is_told(bare: Bare, table: str, text: str) -> None:
    message = filled(bare)[3]
    bare.store._db.execute(f"DELETE FROM {table} WHERE seq = ?", (message.seq,))
    [warning] = mend(bare.store._db)
    assert f"{text} ({message.seq}) is lost" in warning


def test_a_hop_that_is_damaged_is_never_removed(bare: Bare) -> None:
    message = filled(bare)[0]
    bare.store._db.execute("UPDATE hop SET status = 3 WHERE seq = ?", (message.seq,))
    bare.commit(removes=[message.seq])
    assert bare.record(message).damaged


def test_an_index_that_leads_to_another_service_delivers_nothing(bare: Bare, monkeypatch: pytest.MonkeyPatch) -> None:
    message = filled(bare)[0]
    monkeypatch.setattr(queues, "_READY", queues._READY.replace("target = ?", "target != ?"))
    [stored] = queues.fetch(bare.store.readers, "flow/other", 0, 1, 0, None)
    assert stored.message == message
    assert stored.damaged


def test_a_table_that_cannot_be_read_does_not_keep_the_store_from_opening(
    bare: Bare, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> list[object]:
        raise apsw.CorruptError("database disk image is malformed")

    filled(bare)
    monkeypatch.setattr(mending, "select", broken)  # as SQLite says it of a page that is torn
    [warning] = mend(bare.store._db)
    assert "cannot be verified" in warning


@pytest.mark.parametrize("place", ["table", "index"])
@pytest.mark.parametrize("damage", [(0, 1), (0, 128), (12, ord("y") ^ ord("z"))], ids=["other", "no text", "another's"])
def test_a_name_that_is_damaged_in_one_place_is_put_right(tmp_path: Path, place: str, damage: tuple[int, int]) -> None:
    bare = Bare(tmp_path)
    messages = [bare.message(source="flow/unlikelz", target="flow/unlikely") for _ in range(3)]
    bare.commit(inserts=[Insert(message) for message in messages])
    bare.store.close()
    path = tmp_path / DATABASE
    data = bytearray(path.read_bytes())
    places = [at for at in range(len(data)) if data.startswith(b"flow/unlikely", at)]
    page = 4096
    leaf = 13  # of a table; an index has 10
    for at in places:
        if (data[at // page * page] == leaf) == (place == "table"):
            data[at + damage[0]] ^= damage[1]
    path.write_bytes(data)
    again = Bare(tmp_path)
    assert any('"flow/unlikely" was damaged' in warning for warning in again.store.opened.warnings)
    found = queues.fetch(again.store.readers, "flow/unlikely", 0, 10, 0, None)
    assert [stored.message for stored in found] == messages
    assert not any(stored.damaged for stored in found)
    again.store.close()


def test_a_name_that_nobody_confirms_stays_as_the_table_has_it(bare: Bare) -> None:
    bare.commit(inserts=[Insert(bare.message())])
    db = bare.store._db
    db.execute("UPDATE word SET text = 'flow/sinc' WHERE text = 'flow/sink'")
    [(number,)] = db.execute("SELECT id FROM word WHERE text = 'flow/sinc'")
    assert 'reads "flow/sinc" now' in names.put_right(db, number, b"flow/sinc", set())
