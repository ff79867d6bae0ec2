"""Checks of what operators read: search, sessions, parked groups, logs and alerts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from junctor.core.outcome import Failure, LogLine, Reply
from junctor.core.records import AlertRecord, FieldTerm, HopLog, Insert, Note, Query, Settle
from junctor.messages import Kind, Message, Status
from junctor.testing._bench import FAR, check

if TYPE_CHECKING:
    from junctor.testing._bench import Bench


def found(bench: Bench, query: Query) -> list[int]:
    return [record.message.seq for record in bench.transport.archive.search(query)]


def newest_first(*messages: Message) -> list[int]:
    return sorted((message.seq for message in messages), reverse=True)


@check()
async def a_session_is_listed_whole_and_oldest_first(bench: Bench) -> None:
    first = bench.message(session=9, kind=Kind.ROUTE)
    hops = [bench.message(session=9, cause=first.seq, target=f"flow/{n}") for n in range(5)]
    await bench.commit(inserts=[Insert(first, Status.DONE), *(Insert(hop) for hop in hops)])
    await bench.accept(bench.message(session=10))
    await bench.settle(hops[2], Status.PARKED, failure=Failure("E", "no"))
    records = bench.transport.archive.session(9)
    assert [record.message for record in records] == [first, *hops]
    assert [record.status for record in records][:4] == [Status.DONE, Status.READY, Status.READY, Status.PARKED]
    assert records[3].failure == Failure("E", "no")
    assert bench.transport.archive.session(11) == []


@check()
async def sessions_are_found_by_their_first_and_last_digits(bench: Bench) -> None:
    ids = [0xABC << 116 | 1, 0xABD << 116 | 0xABC, 0x0AB << 116 | 0xFFF]
    await bench.accept(*(bench.message(session=session) for session in ids for _ in range(2)))
    archive = bench.transport.archive
    assert archive.sessions("abc") == [ids[0], ids[1]]
    assert archive.sessions("ab") == [ids[0], ids[1]]
    assert archive.sessions("0ab") == [ids[2]]
    assert archive.sessions("01") == [ids[0]]
    assert archive.sessions("f") == [ids[2]]
    assert archive.sessions("ab", 1) == [ids[0]]
    assert archive.sessions(f"{ids[1]:032x}") == [ids[1]]
    assert archive.sessions("dead") == []


@check()
async def addresses_are_those_of_messages(bench: Bench) -> None:
    assert bench.transport.archive.addresses() == []
    await bench.accept(bench.message(source="flow/b"), bench.message(source="", target="flow/a", type="Reading"))
    assert bench.transport.archive.addresses() == sorted({"flow/a", "flow/b", bench.target})


@check()
async def search_finds_by_each_condition(bench: Bench) -> None:
    a = bench.message(b'{"name":"anna"}', source="flow/a", session=1)
    b = bench.message(b'{"name":"bert"}', target="flow/a", session=2, type="Other")
    c = bench.message(b'{"name":"anna"}', session=2)
    await bench.accept(a, b, c)
    await bench.settle(a, Status.DONE)
    await bench.settle(b, Status.PARKED, failure=Failure("E", "no"))
    assert found(bench, Query()) == newest_first(a, b, c)
    assert found(bench, Query(limit=2)) == newest_first(b, c)
    assert found(bench, Query(before=c.seq)) == newest_first(a, b)
    assert found(bench, Query(service="flow/a")) == newest_first(a, b)
    assert found(bench, Query(service="flow/nobody")) == []
    assert found(bench, Query(type="Other")) == [b.seq]
    assert found(bench, Query(statuses=(Status.PARKED,))) == [b.seq]
    assert found(bench, Query(statuses=(Status.READY, Status.CLAIMED))) == [c.seq]
    assert found(bench, Query(statuses=(Status.DONE, Status.PARKED))) == newest_first(a, b)
    assert found(bench, Query(statuses=())) == []
    assert found(bench, Query(session=2)) == newest_first(b, c)
    assert found(bench, Query(session=2, service="flow/a", type="Other", text="bert")) == [b.seq]
    assert found(bench, Query(text="anna")) == newest_first(a, c)
    assert found(bench, Query(since=b.time)) == newest_first(b, c)
    assert found(bench, Query(until=b.time)) == [a.seq]
    assert found(bench, Query(since=b.time, until=c.time)) == [b.seq]
    assert found(bench, Query(since=c.time + 1)) == []


@check()
async def search_by_time_finds_in_a_long_list(bench: Bench) -> None:
    messages = [bench.message() for _ in range(500)]
    await bench.accept(*messages)
    for low, high in ((0, 1), (0, 500), (60, 70), (63, 129), (255, 256), (499, 500)):
        since, until = messages[low].time, messages[high - 1].time + 1
        assert found(bench, Query(since=since, until=until, limit=1000)) == newest_first(*messages[low:high])
        assert found(bench, Query(since=since, limit=1000)) == newest_first(*messages[low:])
        assert found(bench, Query(until=until, limit=1000)) == newest_first(*messages[:high])


@check()
async def search_finds_by_the_error_of_any_attempt(bench: Bench) -> None:
    a, b, c = bench.message(), bench.message(type="Other"), bench.message()
    await bench.accept(a, b, c)
    await bench.settle(a, Status.WAITING, failure=Failure("TimeoutError", 'no answer from "mail"'), due=FAR)
    await bench.settle(a, Status.DONE)
    await bench.settle(b, Status.PARKED, failure=Failure("ValueError", "a TimeoutError came before"))
    assert found(bench, Query(error="TimeoutError")) == newest_first(a, b)
    assert found(bench, Query(error="Timeout")) == [b.seq]
    assert found(bench, Query(error='from "mail"')) == [a.seq]
    assert found(bench, Query(error="ValueError", statuses=(Status.PARKED,))) == [b.seq]
    assert found(bench, Query(error="ValueError", type="Other", session=1)) == [b.seq]
    assert found(bench, Query(error="TimeoutError", type="Other")) == [b.seq]
    assert found(bench, Query(error="ValueError", statuses=(Status.DONE,))) == []
    assert found(bench, Query(error="KeyError")) == []


@check()
async def search_finds_by_fields_of_the_body(bench: Bench) -> None:
    large = b'{"order":{"id":7},"fill":"' + b"x" * 100_000 + b'"}'
    bodies = (
        b'{"order":{"id":500,"name":"Anna"},"paid":true,"lines":[{"sku":"A"},{"sku":"B"}]}',
        large,
        b"no {json",
        b"7",
    )
    messages = [bench.message(body) for body in bodies]
    await bench.accept(*messages)
    first, other, *_ = (message.seq for message in messages)
    for term, expected in (
        (FieldTerm(("order", "id"), "=", 500), [first]),
        (FieldTerm(("order", "id"), "=", 500.0), [first]),
        (FieldTerm(("order", "id"), "=", "500"), []),
        (FieldTerm(("order", "id"), "!=", 500), [other]),
        (FieldTerm(("order", "id"), ">", 7), [first]),
        (FieldTerm(("order", "id"), ">=", 7), [other, first]),
        (FieldTerm(("order", "id"), "~", "50"), [first]),
        (FieldTerm(("order", "name"), "~", "nn"), [first]),
        (FieldTerm(("order", "name"), "<", "B"), [first]),
        (FieldTerm(("paid",), "=", True), [first]),
        (FieldTerm(("paid",), "=", 1), []),
        (FieldTerm(("lines", 1, "sku"), "=", "B"), [first]),
        (FieldTerm(("lines", 2, "sku"), "!=", "B"), []),
        (FieldTerm(("nothing",), "!=", None), []),
        (FieldTerm((), "=", 7), [messages[3].seq]),
    ):
        assert found(bench, Query(fields=(term,))) == expected, term
    both = (FieldTerm(("paid",), "=", True), FieldTerm(("order", "id"), "<", 501))
    assert found(bench, Query(fields=both, type="Reading", text="Anna")) == [first]
    assert found(bench, Query(fields=(*both, FieldTerm(("order", "id"), "<", 500)))) == []


@check()
async def parked_messages_are_grouped_by_cause(bench: Bench) -> None:
    one, other = Failure("ValueError", "bad 1", "", "place-1"), Failure("ValueError", "bad", "", "place-2")
    messages = [bench.message() for _ in range(5)]
    await bench.accept(*messages)
    for message in messages[:3]:
        again = Failure("ValueError", f"bad {message.seq}", "", "place-1")
        await bench.settle(message, Status.WAITING, failure=one)
        await bench.settle(message, Status.PARKED, failure=again, started=message.time)
    await bench.settle(messages[3], Status.PARKED, failure=other, started=77)
    groups = bench.transport.archive.parked()
    assert [(group.error, group.fingerprint, group.count) for group in groups] == [
        ("ValueError", "place-1", 3),
        ("ValueError", "place-2", 1),
    ]
    first = groups[0]
    assert (first.service, first.type) == (bench.target, "Reading")
    assert (first.text, first.latest_seq) == (f"bad {messages[2].seq}", messages[2].seq)
    assert (first.first, first.last) == (messages[0].time, messages[2].time)
    assert (groups[1].first, groups[1].last) == (77, 77)


@check()
async def a_parked_message_that_was_resent_is_no_longer_parked(bench: Bench) -> None:
    message = bench.message()
    await bench.accept(message)
    await bench.settle(message, Status.PARKED, failure=Failure("E", "no"))
    await bench.commit(settles=[Settle(message.seq, Status.DONE)])
    assert bench.transport.archive.parked() == []


@check()
async def logs_are_listed_by_session_and_alerts_newest_first(bench: Bench) -> None:
    lines = [HopLog(3, n, "flow/a", LogLine(10 - n, 20, "log", f"line {n}")) for n in range(3)]
    stranger = HopLog(4, 9, "flow/b", LogLine(1, 20, "log", "elsewhere"))
    alerts = [AlertRecord(n, "kind", "flow/a", f"alert {n}", "junctor parked", n) for n in range(5)]
    await bench.commit(logs=[*lines, stranger], alerts=alerts)
    assert bench.transport.archive.logs(3) == lines[::-1]
    assert bench.transport.archive.logs(5) == []
    assert bench.transport.archive.alerts() == alerts[::-1]
    assert bench.transport.archive.alerts(2) == alerts[:2:-1]


@check()
async def notes_stay_with_their_record(bench: Bench) -> None:
    message = bench.message()
    await bench.accept(message)
    notes = [Note(message.seq, 5, "ann", "seen"), Note(message.seq, 4, "bob", "later, though the clock says earlier")]
    for note in notes:
        await bench.commit(notes=[note])
    assert bench.transport.archive.notes([message.seq]) == notes
    assert bench.transport.archive.notes([message.seq + 1]) == []


@check()
async def what_ended_twice_keeps_what_belongs_to_it(bench: Bench) -> None:
    """An expired message that is sent again ends a second time: as long as it is kept, all of it is, and a removal
    leaves nothing."""
    kept, removed = bench.message(), bench.message()
    await bench.accept(kept, removed)
    for message in (kept, removed):
        await bench.settle(message, Status.EXPIRED, failure=Failure("E", "too late"))
    await _others(bench, 1200)
    for message in (kept, removed):
        await bench.settle(message, Status.RESENT)
    notes = [Note(message.seq, 5, "ann", "sent again") for message in (kept, removed)]
    await bench.commit(notes=notes, removes=[removed.seq])
    archive = bench.transport.archive
    assert archive.record(removed.seq) is None
    await _others(bench, 900)
    if archive.record(kept.seq) is not None:  # a transport may forget what has ended, and then all of it
        assert [attempt.failure.text for attempt in archive.attempts([kept.seq])] == ["too late"]
        assert archive.notes([kept.seq]) == notes[:1]


async def _others(bench: Bench, count: int) -> None:
    await bench.commit(inserts=[Insert(bench.message(session=2), Status.DONE) for _ in range(count)])


@check()
async def what_is_removed_is_gone_with_all_that_belongs_to_it(bench: Bench) -> None:
    one, other = bench.message(b'"' + b"x" * 100_000 + b'"'), bench.message(b'"' + b"x" * 100_000 + b'"')
    await bench.accept(one, other)
    await bench.settle(one, Status.WAITING, failure=Failure("E", "once"))
    await bench.commit(
        settles=[Settle(one.seq, Status.DONE, 2, reply=Reply("R", b"1")), Settle(other.seq, Status.DONE)],
        logs=[HopLog(one.session, seq, "f/a", LogLine(1, 20, "log", str(seq))) for seq in (one.seq, other.seq)],
        notes=[Note(one.seq, 1, "ann", "fine")],
    )
    await bench.commit(removes=[one.seq])
    archive = bench.transport.archive
    assert archive.record(one.seq) is None
    assert archive.attempts([one.seq]) == []
    assert archive.notes([one.seq]) == []
    assert [log.seq for log in archive.logs(one.session)] == [other.seq]
    (left,) = archive.session(one.session)
    assert left.message.body == other.body
    await bench.commit(settles=[Settle(one.seq, Status.DONE)], removes=[one.seq, 12345])
    assert archive.record(one.seq) is None


@check()
async def what_is_owed_or_parked_is_not_removed(bench: Bench) -> None:
    messages = [bench.message() for _ in range(4)]
    await bench.accept(*messages)
    await bench.settle(messages[0], Status.PARKED, failure=Failure("E", "no"))
    await bench.settle(messages[1], Status.WAITING, due=FAR)
    await bench.commit(claims=[messages[2].seq])
    await bench.commit(removes=[message.seq for message in messages])
    assert [record.message for record in bench.transport.archive.session(1)] == messages
    part = bench.transport.archive.session(1, messages[0].seq, 2)
    assert [record.message for record in part] == messages[1:3]
    await bench.settle(messages[0], Status.RESENT)
    await bench.commit(removes=[messages[0].seq])
    assert bench.transport.archive.record(messages[0].seq) is None


@check()
async def an_unknown_record_is_none(bench: Bench) -> None:
    assert bench.transport.archive.record(12345) is None
    assert bench.transport.archive.search(Query(session=77)) == []
    assert bench.transport.archive.depths() == {}
