"""Search in a store: which index a question goes by, what it reads, and that it ends."""

from __future__ import annotations

from typing import Any

import apsw
import pytest

from junctor.core.outcome import Failure
from junctor.core.records import FieldTerm, Insert, Query, Settle
from junctor.errors import SearchTooLong, StoreError
from junctor.messages import Message, Status
from junctor.store import search
from junctor.store.spans import SHIFT, drop_empty_spans
from tests.unit.store.conftest import Bare

BLOCK = 1 << SHIFT


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (Query(statuses=(Status.PARKED,)), "hop_ended"),
        (Query(statuses=(Status.RESENT, Status.DISCARDED), type="Reading"), "hop_ended"),
        (Query(statuses=(Status.READY, Status.WAITING)), "hop_queue"),
        (Query(session=1), "message_session"),
        (Query(session=1, statuses=(Status.PARKED,), error="E"), "message_session"),
        (Query(error="E"), "attempt_error"),
        (Query(error="E", statuses=(Status.PARKED,)), "attempt_seq"),
        (Query(type="Reading"), "SEARCH span USING PRIMARY KEY"),
        (Query(type="Reading", service="flow/sink", text="x"), "SEARCH span USING PRIMARY KEY"),
        (Query(text="x"), "SEARCH h USING INTEGER PRIMARY KEY"),
    ],
)
def test_a_question_goes_by_its_index(bare: Bare, query: Query, index: str) -> None:
    bare.commit(inserts=[Insert(bare.message())])
    steps = plan(bare, query)
    assert index in steps
    if "INTEGER" in index or "span" in index:
        assert "ORDER BY" not in steps, "the records come in their order already"


def plan(bare: Bare, query: Query) -> str:
    made = search.plan_of(bare.store._db, query)
    assert made is not None
    values = [1 if isinstance(value, search.Bound) else value for value in made.values]
    rows = bare.store._db.execute(f"EXPLAIN QUERY PLAN {made.sql}", values)
    return " / ".join(row[3].replace(" s USING", " span USING") for row in rows)


def found(bare: Bare, query: Query) -> list[int]:
    return [record.message.seq for record in bare.store.archive.search(query)]


def spans(bare: Bare) -> set[tuple[str, int]]:
    return set(bare.rows("SELECT w.text, s.block FROM span AS s JOIN word AS w ON w.id = s.word"))


def at(bare: Bare, seq: int, **fields: Any) -> Message:
    bare._number = seq
    return bare.message(**fields)


def test_each_word_is_written_once_a_block(bare: Bare) -> None:
    bare.commit(inserts=[Insert(at(bare, seq)) for seq in (1, 2, BLOCK - 1)])
    bare.commit(inserts=[Insert(at(bare, 5, type="Other")), Insert(at(bare, BLOCK, source=""))])
    bare.commit(inserts=[Insert(at(bare, 50 * BLOCK, headers={"a": "b"}))])
    block = {("flow/source", 0), ("flow/sink", 0), ("Reading", 0), ("Other", 0)}
    next_block = {("", 1), ("flow/sink", 1), ("Reading", 1)}
    assert spans(bare) == block | next_block | {(word, 50) for word in ("flow/source", "flow/sink", "Reading")}


def test_words_of_a_commit_that_failed_are_written_with_the_next(bare: Bare) -> None:
    bare.commit(inserts=[Insert(at(bare, 1))])
    with pytest.raises(StoreError, match="exists already"):
        bare.commit(inserts=[Insert(at(bare, 7, type="New")), Insert(at(bare, 1, headers={"a": "b"}))])
    assert ("New", 0) not in spans(bare)
    bare.commit(inserts=[Insert(at(bare, 8, type="Newer")), Insert(at(bare, 9, type="New"))])
    assert {("New", 0), ("Newer", 0)} <= spans(bare)
    assert found(bare, Query(type="New")) == [9]


def test_a_store_goes_on_in_the_middle_of_a_block(bare: Bare) -> None:
    bare.commit(inserts=[Insert(at(bare, 1))])
    bare.store.close()
    again = Bare(bare.store.directory)
    again.commit(inserts=[Insert(at(again, 2)), Insert(at(again, 3, type="New"))])
    assert found(again, Query(type="Reading")) == [2, 1]
    assert found(again, Query(type="New")) == [3]
    bare.store = again.store


def test_filters_together_read_blocks_that_have_all(bare: Bare) -> None:
    for block in range(6):
        types = ["Common", "Rare"] if block in (1, 4) else ["Common"]
        target = "flow/a" if block % 2 else "flow/b"
        bare.commit(
            inserts=[Insert(at(bare, block * BLOCK + n + 1, type=t, target=target)) for n, t in enumerate(types)]
        )
    assert found(bare, Query(type="Rare")) == [4 * BLOCK + 2, BLOCK + 2]
    assert found(bare, Query(type="Rare", service="flow/a")) == [BLOCK + 2]
    assert found(bare, Query(type="Rare", service="flow/a", before=BLOCK + 2)) == []
    assert found(bare, Query(type="Common", service="flow/a", limit=2)) == [5 * BLOCK + 1, 3 * BLOCK + 1]
    assert found(bare, Query(type="Rare", service="flow/source", fields=(FieldTerm(("n",), "=", 1),), limit=1)) == [
        4 * BLOCK + 2
    ]


def test_spans_of_empty_blocks_can_be_dropped(bare: Bare) -> None:
    messages = [at(bare, block * BLOCK + 1) for block in range(4)]
    bare.commit(inserts=[Insert(message, Status.DONE) for message in messages])
    bare.commit(removes=[messages[0].seq, messages[2].seq])
    assert drop_empty_spans(bare.store._db, 0, 2 * BLOCK - 1) == 1
    assert {block for _, block in spans(bare)} == {1, 2, 3}
    assert drop_empty_spans(bare.store._db, 0, messages[-1].seq) == 1
    assert found(bare, Query(type="Reading")) == [messages[3].seq, messages[1].seq]


def test_words_that_look_like_parts_of_a_statement(bare: Bare) -> None:
    message = bare.message(b'{"low":"high"}')
    bare.commit(inserts=[Insert(message)])
    bare.commit(settles=[Settle(message.seq, Status.PARKED, failure=Failure("low", 'a "high" limit\n'))])
    for error in ("low", "high", "limit", '"high"', "limit\n"):
        assert found(bare, Query(error=error)) == [message.seq]
    assert found(bare, Query(error='high"limit')) == []
    assert found(bare, Query(fields=(FieldTerm(("low",), "=", "high"),))) == [message.seq]
    assert found(bare, Query(error="\udcff")) == []


def test_a_failure_that_cannot_be_read_has_no_text(bare: Bare) -> None:
    message = bare.message()
    bare.commit(inserts=[Insert(message)])
    bare.commit(settles=[Settle(message.seq, Status.PARKED, failure=Failure("E", "no way"))])
    bare.store._db.execute("UPDATE attempt SET failure = CAST('{\"text\": no way' AS BLOB)")
    assert found(bare, Query(error="no way")) == []
    assert found(bare, Query(error="E")) == [message.seq]


def test_a_search_that_takes_too_long_says_how_far_it_came(bare: Bare) -> None:
    body = b'{"n":0,"list":[%s]}' % b",".join([b"[1]"] * 10_000)
    for _ in range(3):
        bare.commit(inserts=[Insert(bare.message(body)) for _ in range(3 * search.FIRST_PIECE // 3)])
    nowhere = Query(fields=(FieldTerm(("n",), "=", 1),))
    with pytest.raises(SearchTooLong, match=r"stopped after 0.01 s. Narrow it with --since"):
        search.search(bare.store._db, nowhere, 0.01)
    assert search.search(bare.store._db, Query(limit=1), 5), "the connection goes on"


def test_the_text_of_a_search_that_was_stopped_leads_on() -> None:
    assert str(search._too_long(5, 4711, 0)) == (
        "the search was stopped after 5 s; it found nothing down to message 4711. Go on with --before 4711, or narrow"
        " it with --since, --until, --type, --service or --session."
    )
    assert "See those with --limit 3, go on with --before 4711" in str(search._too_long(5, 4711, 3))


def test_other_interruptions_are_errors_of_the_store(bare: Bare) -> None:
    with pytest.raises(StoreError, match="refuses"), bare.store.readers.connection():
        raise apsw.InterruptError("elsewhere")


def test_sessions_are_found_in_their_index(bare: Bare) -> None:
    bare.commit(inserts=[Insert(bare.message(session=0xAB << 120))])
    for sql in (search._BEGINS, search._ENDS):
        values = (b"", b"", 1)[: sql.count("?") if "?1" not in sql else 2]
        steps = " / ".join(row[3] for row in bare.store._db.execute(f"EXPLAIN QUERY PLAN {sql}", values))
        assert "USING COVERING INDEX message_session" in steps


def test_pages_of_many_are_read_in_order(bare: Bare, monkeypatch: pytest.MonkeyPatch) -> None:
    messages = [bare.message() for _ in range(10)]
    bare.commit(inserts=[Insert(message) for message in messages])
    bare.commit(settles=[Settle(message.seq, Status.DONE) for message in messages[::2]])
    owed = Query(statuses=(Status.READY,), limit=2)
    newest = [message.seq for message in messages[:4:-2]]
    assert "hop_queue" in plan(bare, owed)
    few = found(bare, owed)
    monkeypatch.setattr(search, "FEW", 3)
    assert "hop_queue" not in plan(bare, owed)
    assert found(bare, owed) == few == newest[:2]
