"""Rows and checksums: what goes in comes out, and no field can change without being noticed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from junctor.core.outcome import Failure, Reply
from junctor.core.records import Insert, Record, Settle
from junctor.messages import Kind, Message, Status
from junctor.store.journal import Journal
from junctor.store.records import read_failure
from junctor.store.store import Store
from tests.unit.store.conftest import Bare

INT = st.integers(0, 2**63 - 1)
TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)
MESSAGES = st.builds(
    Message,
    seq=st.just(0),
    node=TEXT,
    session=st.integers(0, 2**128 - 1),
    kind=st.sampled_from(Kind),
    source=TEXT,
    target=TEXT,
    type=TEXT,
    payload=st.binary(max_size=300),
    time=INT,
    cause=INT,
    version=st.integers(0, 2**31),
    key=st.none() | TEXT,
    deadline=INT,
    due=INT,
    origin=st.none() | st.binary(min_size=16, max_size=16),
    headers=st.dictionaries(TEXT, TEXT, max_size=3),
)


@given(st.lists(MESSAGES, max_size=8))
def test_messages_come_back_as_they_were(lasting: Bare, drawn: list[Message]) -> None:
    messages = [structs.replace(message, seq=lasting.number()) for message in drawn]
    commit = lasting.commit(inserts=[Insert(message, Status.READY, 3, 4) for message in messages])
    for message in messages:
        record = lasting.store.archive.record(message.seq)
        if record is None:
            assert message.seq in (commit.duplicates or {})
            continue
        assert record.message == message
        assert (record.status, record.started, record.duration, record.damaged) == (Status.READY, 3, 4, False)


FIELDS = {
    "message": (
        "node",
        "session",
        "cause",
        "kind",
        "version",
        "time",
        "due",
        "deadline",
        "origin",
        "headers",
        "payload",
    ),
    "hop": ("source", "target", "type", "key", "status", "attempt", "due", "checksum"),
}
CHANGES = [(table, column) for table, columns in FIELDS.items() for column in columns]


def changed(value: Any) -> Any:
    """Another value of the same type."""
    if isinstance(value, bytes):
        return bytes([value[0] ^ 1]) + value[1:]
    return value + 1 if isinstance(value, int) else value.replace('"', "'") if '"' in value else f"{value}x"


@pytest.mark.parametrize(("table", "column"), CHANGES, ids=lambda value: str(value))
def test_a_changed_field_is_noticed(bare: Bare, table: str, column: str) -> None:
    message = bare.message(key="k", origin=b"\0\0\0\1" + bytes(12), headers={"a": "b"}, due=5, deadline=6, cause=7)
    bare.commit(inserts=[Insert(message)])
    [(value,)] = bare.rows(f"SELECT {column} FROM {table} WHERE seq = {message.seq}")
    bare.store._db.execute(f"UPDATE {table} SET {column} = ? WHERE seq = ?", (changed(value), message.seq))
    assert bare.record(message).damaged


def test_a_changed_name_is_noticed_in_every_record_that_has_it(bare: Bare) -> None:
    messages = [bare.message() for _ in range(3)]
    bare.commit(inserts=[Insert(message) for message in messages])
    bare.store._db.execute("UPDATE word SET text = 'flow/other' WHERE text = 'flow/sink'")
    assert all(bare.record(message).damaged for message in messages)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE hop SET key = CAST(x'ff6b' AS TEXT)",
        "UPDATE message SET headers = CAST(x'ff6b' AS TEXT)",
        "UPDATE message SET headers = 'no json'",
        "UPDATE message SET kind = 77",
        "UPDATE hop SET status = 66",
        "UPDATE message SET body = x'00', payload = NULL",
        "DELETE FROM message",
        "DELETE FROM word",
    ],
)
def test_what_cannot_be_read_is_marked_and_keeps_its_number(bare: Bare, statement: str) -> None:
    sound, broken = bare.message(), bare.message(key="k", headers={"a": "b"})
    bare.commit(inserts=[Insert(sound), Insert(broken)])
    bare.store._db.execute(f"{statement} WHERE seq = {broken.seq}" if "word" not in statement else statement)
    record = bare.record(broken)
    assert record.damaged
    assert record.message.seq == broken.seq
    if "word" not in statement:
        assert bare.record(sound) == Record(sound, Status.READY)


def test_a_changed_large_body_is_noticed(bare: Bare) -> None:
    message = bare.message(b"x" * 100_000)
    bare.commit(inserts=[Insert(message)])
    assert not bare.record(message).damaged
    bare.store._db.execute("UPDATE body SET data = zeroblob(100000)")
    assert bare.record(message).damaged


def test_a_large_body_is_stored_once(bare: Bare) -> None:
    body = b"x" * 100_000
    bare.commit(inserts=[Insert(bare.message(body)) for _ in range(3)])
    bare.commit(inserts=[Insert(bare.message(body))])
    assert bare.rows("SELECT count(*), sum(length(data)) FROM body") == [(1, 100_000)]
    assert bare.rows("SELECT count(*) FROM message WHERE payload IS NULL") == [(4,)]


def test_a_changed_reply_is_noticed(bare: Bare) -> None:
    message = bare.message()
    bare.commit(inserts=[Insert(message)])
    bare.commit(settles=[Settle(message.seq, Status.DONE, reply=Reply("R", b"12"))])
    bare.store._db.execute("UPDATE reply SET payload = x'3133'")
    record = bare.record(message)
    assert record.damaged
    assert record.reply != Reply("R", b"13")


def test_an_unreadable_failure_does_not_hide_its_record(bare: Bare) -> None:
    assert read_failure(b"{").type == "StoreDamaged"
    message = bare.message()
    bare.commit(inserts=[Insert(message)])
    bare.commit(settles=[Settle(message.seq, Status.PARKED, failure=Failure("E", "no"))])
    bare.store._db.execute("UPDATE attempt SET failure = x'00'")
    assert bare.record(message).failure is not None
    assert len(bare.store.archive.parked()) == 1


def test_the_idempotency_key_has_a_column_for_display(bare: Bare) -> None:
    bare.commit(inserts=[Insert(bare.message(headers={"idempotency-key": "order 7"}))])
    assert bare.rows("SELECT idempotency FROM message") == [("order 7",)]


def test_the_columns_for_hub_and_cluster_are_there(bare: Bare) -> None:
    bare.commit(inserts=[Insert(bare.message())])
    sql = "SELECT m.epoch, w.text, m.release, h.link FROM message m JOIN hop h USING (seq) JOIN word w ON w.id = m.flow"
    assert bare.rows(sql) == [(1, "flow", None, None)]


def test_stores_can_be_opened_without_a_loop(tmp_path: Path) -> None:
    store = Store(tmp_path, reserve=0)
    assert isinstance(store.journal, Journal)
    store.close()
