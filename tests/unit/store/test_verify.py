"""A whole store read against its checksums."""

from __future__ import annotations

from pathlib import Path

import apsw
import pytest

from junctor.core.outcome import Failure, Reply
from junctor.core.records import Insert, Settle
from junctor.errors import StoreError, StoreTooNew
from junctor.messages import Message, Status
from junctor.store.identity import DATABASE
from junctor.store.verify import Verified, verify
from tests.unit.store.conftest import Bare


def filled(bare: Bare) -> list[Message]:
    """Five records: one parked, one with a reply, one with a large body."""
    messages = [bare.message(b'{"n":%d}' % n if n else b"x" * 100_000) for n in range(5)]
    bare.commit(inserts=[Insert(message) for message in messages])
    bare.commit(settles=[Settle(messages[1].seq, Status.PARKED, failure=Failure("E", "no"))])
    bare.commit(settles=[Settle(messages[2].seq, Status.DONE, reply=Reply("R", b"1"))])
    return messages


def verified(bare: Bare) -> Verified:
    return verify(bare.store.directory / DATABASE)


def test_a_sound_store(bare: Bare) -> None:
    filled(bare)
    found = verified(bare)
    assert found == Verified(5)
    assert found.sound


@pytest.mark.parametrize(
    ("statement", "which"),
    [
        ("UPDATE message SET payload = x'7b7d' WHERE seq = ?", 3),
        ("UPDATE body SET data = zeroblob(100000)", 0),
        ("UPDATE reply SET payload = x'32' WHERE seq = ?", 2),
        ("UPDATE attempt SET failure = x'7b' WHERE seq = ?", 1),
        ("UPDATE hop SET status = 66 WHERE seq = ?", 4),
        ("DELETE FROM message WHERE seq = ?", 4),
    ],
)
def test_what_is_not_as_it_was_written_is_named(bare: Bare, statement: str, which: int) -> None:
    messages = filled(bare)
    bare.store._db.execute(statement, (messages[which].seq,) * statement.count("?"))
    found = verified(bare)
    assert (found.records, found.damaged, found.problems) == (5, [messages[which].seq], [])
    assert not found.sound


def test_a_message_without_its_hop_is_a_problem(bare: Bare) -> None:
    bare.store._db.execute("DELETE FROM hop WHERE seq = ?", (filled(bare)[4].seq,))
    assert verified(bare) == Verified(4, [], ["1 messages have no status"])


def test_broken_pages_are_problems_and_the_rest_is_read(tmp_path: Path) -> None:
    bare = Bare(tmp_path)
    messages = [bare.message(b'"%s"' % (b"x" * 2000)) for _ in range(200)]
    bare.commit(inserts=[Insert(message) for message in messages])
    bare.store.close()
    path = tmp_path / DATABASE
    data = bytearray(path.read_bytes())
    place = data.rindex(b"x" * 2000) // 4096 * 4096
    data[place : place + 4096] = bytes(4096)
    path.write_bytes(data)
    found = verify(path)
    assert found.problems
    assert 0 < len(found.damaged) < 10


def test_what_is_no_store_of_today_is_refused(tmp_path: Path) -> None:
    path = tmp_path / DATABASE
    with pytest.raises(StoreError):
        verify(path)
    apsw.Connection(str(path)).execute("CREATE TABLE bookmarks (url)")
    with pytest.raises(StoreError, match="no store"):
        verify(path)
    path.unlink()
    bare = Bare(tmp_path)
    for version, error in ((99, StoreTooNew), (1, StoreError)):
        bare.store._db.pragma("user_version", version)
        with pytest.raises(error, match=f"version {version}"):
            verify(path)
    bare.store.close()
