"""Checks of acceptance, order, duplicates, claims, waiting and settlement."""

from __future__ import annotations

from typing import TYPE_CHECKING

from junctor.core.outcome import Failure, Reply, StateWrite
from junctor.core.records import Commit, Insert, Settle
from junctor.errors import NotRunning, StoreLocked
from junctor.messages import Kind, Status
from junctor.testing._bench import FAR, check

if TYPE_CHECKING:
    from junctor.testing._bench import Bench


def origin(counter: int, content: bytes = b"content") -> bytes:
    """As the engine makes them: the counter of a delivery, 0 for an idempotency key, then a hash of 12 bytes."""
    return counter.to_bytes(4, "big") + content[:12].ljust(12, b".")


# Acceptance and order ----------------------------------------------------------------------------------------


@check()
async def what_is_accepted_is_fetched_in_order(bench: Bench) -> None:
    messages = [bench.message(b'{"n":%d}' % n) for n in range(100)]
    for message in messages:
        bench.commit(inserts=[Insert(message)])
    await bench.commit()
    fetched = await bench.fetch()
    assert [stored.message for stored in fetched] == messages
    assert {(stored.status, stored.attempt, stored.damaged) for stored in fetched} == {(Status.READY, 0, False)}


@check()
async def fetch_goes_on_after_a_number_and_stops_at_a_limit(bench: Bench) -> None:
    messages = [bench.message() for _ in range(10)]
    await bench.accept(*messages)
    seqs = [message.seq for message in messages]
    assert [stored.message.seq for stored in await bench.fetch(limit=4)] == seqs[:4]
    assert [stored.message.seq for stored in await bench.fetch(after=seqs[3], limit=4)] == seqs[4:8]
    assert await bench.fetch(after=seqs[-1]) == []


@check()
async def fetch_asks_for_one_target_and_one_key(bench: Bench) -> None:
    mine = [bench.message(key=key) for key in ("a", "b", None, "a")]
    await bench.accept(*mine, bench.message(target="flow/other", key="a"))
    assert await bench.queued() == [message.seq for message in mine]
    assert [stored.message.seq for stored in await bench.fetch(key="a")] == [mine[0].seq, mine[3].seq]
    assert [stored.message.seq for stored in await bench.fetch(key="a", after=mine[0].seq)] == [mine[3].seq]
    assert await bench.fetch(key="none of this") == []
    assert await bench.transport.fetch("flow/nobody", 0, 10, 0) == []


@check()
async def done_comes_once_and_in_the_order_of_commit(bench: Bench) -> None:
    told: list[int] = []

    def done(commit: Commit, error: Exception | None) -> None:
        told.append(commit.tag)

    for index in range(200):
        inserts = [Insert(bench.message())] if index % 3 else []
        stale = [StateWrite("k", "a", b"1", 7)] if index % 5 == 0 else []
        bench.transport.commit(Commit(done, inserts=inserts, writes=stale, tag=index))
    await bench.commit()
    assert told == list(range(200))


@check()
async def numbers_rise(bench: Bench) -> None:
    numbers = [bench.transport.number() for _ in range(100)]
    assert numbers == sorted(set(numbers))


@check("durable")
async def numbers_rise_over_openings(bench: Bench) -> None:
    last = bench.message()
    await bench.accept(last)
    await bench.reopen()
    first = bench.message()
    assert first.seq > last.seq
    await bench.accept(first)
    await bench.crash()
    assert bench.transport.number() > first.seq


@check()
async def a_first_hop_has_no_queue(bench: Bench) -> None:
    tick, failed = bench.message(b"null", kind=Kind.TICK), bench.message(b"null", kind=Kind.ROUTE)
    await bench.commit(inserts=[Insert(tick, Status.DONE, 5, 7), Insert(failed, Status.FAILED, 6, 8)])
    assert await bench.queued(FAR) == []
    record = bench.transport.archive.record(tick.seq)
    assert record is not None
    assert (record.status, record.started, record.duration) == (Status.DONE, 5, 7)
    assert bench.status(failed) == Status.FAILED
    assert bench.transport.archive.depths() == {}


# Duplicates --------------------------------------------------------------------------------------------------


@check()
async def the_same_origin_is_accepted_once(bench: Bench) -> None:
    first, again = bench.message(origin=origin(1), cause=7), bench.message(origin=origin(1), cause=7)
    assert (await bench.accept(first)).duplicates is None
    assert (await bench.accept(again)).duplicates == {again.seq: first.seq}
    assert await bench.queued() == [first.seq]
    assert bench.status(again) is None


@check()
async def a_duplicate_does_not_hold_back_its_neighbours(bench: Bench) -> None:
    first = bench.message(origin=origin(1), cause=7)
    again = bench.message(origin=origin(1), cause=7)
    others = [bench.message(origin=origin(n), cause=7) for n in range(2, 80)]
    bench.commit(inserts=[Insert(first), Insert(again), *(Insert(other) for other in others[:40])])
    commit = await bench.commit(inserts=[Insert(bench.message(origin=origin(1), cause=7)), *map(Insert, others[40:])])
    assert await bench.queued() == [first.seq, *(other.seq for other in others)]
    assert list((commit.duplicates or {}).values()) == [first.seq]


@check()
async def other_content_under_the_same_counter_is_new(bench: Bench) -> None:
    first, other = bench.message(origin=origin(1, b"one"), cause=7), bench.message(origin=origin(1, b"two"), cause=7)
    await bench.accept(first)
    assert not (await bench.accept(other)).duplicates
    assert await bench.queued() == [first.seq, other.seq]


@check()
async def an_idempotency_key_counts_whoever_sends(bench: Bench) -> None:
    first, again = bench.message(origin=origin(0), cause=7), bench.message(origin=origin(0), cause=8)
    await bench.accept(first)
    assert (await bench.accept(again)).duplicates == {again.seq: first.seq}


@check("durable")
async def origins_are_known_after_a_crash(bench: Bench) -> None:
    first = bench.message(origin=origin(1), cause=7)
    await bench.accept(first)
    await bench.settle(first, Status.DONE)
    await bench.crash()
    again = bench.message(origin=origin(1), cause=7)
    assert (await bench.accept(again)).duplicates == {again.seq: first.seq}


# Claims and waiting ------------------------------------------------------------------------------------------


@check()
async def what_is_claimed_is_not_handed_out(bench: Bench) -> None:
    inserted, claimed, free = (bench.message() for _ in range(3))
    await bench.commit(inserts=[Insert(inserted, Status.CLAIMED), Insert(claimed), Insert(free)])
    await bench.commit(claims=[claimed.seq])
    assert await bench.queued() == [free.seq]
    assert bench.status(claimed) == bench.status(inserted) == Status.CLAIMED


@check("durable")
async def claims_are_suspects_after_a_crash(bench: Bench) -> None:
    inserted, claimed, free = (bench.message() for _ in range(3))
    await bench.commit(inserts=[Insert(inserted, Status.CLAIMED), Insert(claimed), Insert(free)])
    await bench.commit(claims=[claimed.seq])
    opened = await bench.crash()
    assert not opened.clean
    assert [stored.message for stored in opened.suspects] == [inserted, claimed]
    assert {stored.status for stored in opened.suspects} == {Status.CLAIMED}
    assert await bench.queued() == [free.seq]


@check("durable")
async def a_clean_stop_gives_claims_back(bench: Bench) -> None:
    message = bench.message()
    await bench.accept(message, status=Status.CLAIMED)
    opened = await bench.reopen()
    assert opened.clean
    assert opened.suspects == []
    assert await bench.queued() == [message.seq]


@check("durable")
async def waiting_retries_are_suspects_and_delayed_sends_are_not(bench: Bench) -> None:
    retried, held, delayed = bench.message(), bench.message(), bench.message(due=500)
    await bench.commit(inserts=[Insert(retried), Insert(held), Insert(delayed, Status.WAITING)])
    await bench.settle(retried, Status.WAITING, attempt=2, due=900)
    await bench.settle(held, Status.WAITING, attempt=0, due=800)
    opened = await bench.crash()
    facts = [(stored.message.seq, stored.attempt, stored.due) for stored in opened.suspects]
    assert facts == [(retried.seq, 2, 900), (held.seq, 0, 800)]
    assert opened.next_due == 500


@check()
async def what_is_delayed_comes_when_it_is_due(bench: Bench) -> None:
    later, sooner = bench.message(due=900), bench.message(due=500)
    assert await bench.transport.next_due() == 0
    await bench.commit(inserts=[Insert(later, Status.WAITING), Insert(sooner, Status.WAITING)])
    assert await bench.transport.next_due() == 500
    assert await bench.queued(now=499) == []
    assert await bench.queued(now=500) == [sooner.seq]
    assert await bench.queued(now=900) == [sooner.seq, later.seq]
    assert [stored.status for stored in await bench.fetch(after=later.seq, now=900)] == [Status.WAITING] * 2
    await bench.commit(claims=[sooner.seq])
    assert await bench.transport.next_due() == 900


@check()
async def what_is_due_next_is_asked_from_a_moment_on(bench: Bench) -> None:
    past, sooner, later = bench.message(due=100), bench.message(due=500), bench.message(due=900)
    ready = bench.message()
    await bench.commit(inserts=[Insert(each, Status.WAITING) for each in (later, past, sooner)])
    await bench.commit(inserts=[Insert(ready)])
    asked = [await bench.transport.next_due(after) for after in (0, 99, 100, 499, 500, 900, FAR)]
    assert asked == [100, 100, 500, 500, 900, 0, 0]
    await bench.settle(sooner, Status.WAITING, attempt=1, due=700)
    assert await bench.transport.next_due(100) == 700
    await bench.settle(sooner, Status.DONE)
    assert await bench.transport.next_due(after=100) == 900


@check()
async def the_last_word_about_a_record_counts(bench: Bench) -> None:
    first, second = bench.message(), bench.message()
    bench.commit(inserts=[Insert(first), Insert(second)])
    bench.commit(claims=[first.seq, second.seq])
    bench.commit(settles=[Settle(first.seq, Status.WAITING, 3, 700)])
    bench.commit(settles=[Settle(second.seq, Status.WAITING, 3, 700)])
    await bench.commit(claims=[first.seq])
    record = bench.transport.archive.record(first.seq)
    assert record is not None
    assert (record.status, record.attempt) == (Status.CLAIMED, 3)
    assert await bench.queued(FAR) == [second.seq]


# Settlement --------------------------------------------------------------------------------------------------


@check()
async def what_is_final_leaves_the_queue(bench: Bench) -> None:
    final = (Status.DONE, Status.PARKED, Status.EXPIRED, Status.FAILED)
    messages = {status: bench.message() for status in final}
    stays = bench.message()
    await bench.accept(*messages.values(), stays)
    for status, message in messages.items():
        await bench.settle(message, status, attempt=2, started=11, duration=22)
        record = bench.transport.archive.record(message.seq)
        assert record is not None
        assert (record.status, record.attempt, record.started, record.duration) == (status, 2, 11, 22)
    assert await bench.queued(FAR) == [stays.seq]


@check()
async def what_goes_back_keeps_its_place(bench: Bench) -> None:
    first, second = bench.message(), bench.message()
    await bench.accept(first, second, status=Status.CLAIMED)
    await bench.settle(second, Status.READY, attempt=0)
    await bench.settle(first, Status.READY, attempt=1)
    fetched = await bench.fetch()
    assert [(stored.message.seq, stored.attempt) for stored in fetched] == [(first.seq, 1), (second.seq, 0)]


@check()
async def failures_are_kept_as_attempts(bench: Bench) -> None:
    message = bench.message()
    await bench.accept(message)
    first = Failure("ValueError", "bad", "trace", "abc", ("ValueError", "Exception"), None, 1.5)
    second = Failure("KeyError", "worse")
    await bench.settle(message, Status.WAITING, attempt=1, due=5, started=3, duration=4, failure=first)
    await bench.settle(message, Status.PARKED, attempt=2, started=6, duration=7, failure=second)
    attempts = bench.transport.archive.attempts([message.seq])
    assert [(each.attempt, each.started, each.duration, each.settlement) for each in attempts] == [
        (1, 3, 4, "WAITING"),
        (2, 6, 7, "PARKED"),
    ]
    assert [each.failure for each in attempts] == [first, second]
    record = bench.transport.archive.record(message.seq)
    assert record is not None
    assert record.failure == second
    assert bench.transport.archive.attempts([]) == []


@check()
async def a_reply_is_recorded(bench: Bench) -> None:
    request = bench.message(kind=Kind.REQUEST, deadline=99)
    late = bench.message(kind=Kind.REQUEST)
    await bench.accept(request, late)
    await bench.settle(request, Status.DONE, reply=Reply("Answer", b'{"a":1}', 2))
    await bench.settle(late, Status.DONE, reply=Reply("Answer", b"{}"), late=True)
    record, record_late = (bench.transport.archive.record(message.seq) for message in (request, late))
    assert record is not None
    assert record_late is not None
    assert (record.reply, record.late) == (Reply("Answer", b'{"a":1}', 2), False)
    assert (record_late.reply, record_late.late) == (Reply("Answer", b"{}"), True)


@check()
async def an_expired_request_is_recorded(bench: Bench) -> None:
    request = bench.message(kind=Kind.REQUEST, deadline=99)
    await bench.accept(request)
    await bench.settle(request, Status.EXPIRED, attempt=0)
    assert bench.status(request) == Status.EXPIRED
    assert await bench.queued(FAR) == []


@check()
async def what_a_delivery_sent_before_is_told(bench: Bench) -> None:
    cause = bench.message()
    sent = [bench.message(cause=cause.seq, origin=origin(n)) for n in (1, 2)]
    stranger = bench.message(cause=cause.seq + 1000, origin=origin(1))
    await bench.accept(cause, *sent, stranger)
    await bench.settle(sent[0], Status.DONE, reply=Reply("Answer", b"1"))
    await bench.settle(sent[1], Status.PARKED, failure=Failure("E", "no"))
    found = await bench.transport.sent_by(cause.seq)
    assert [(each.seq, each.origin, each.status) for each in found] == [
        (sent[0].seq, origin(1), Status.DONE),
        (sent[1].seq, origin(2), Status.PARKED),
    ]
    assert found[0].reply == Reply("Answer", b"1")
    assert found[1].failure == Failure("E", "no")
    assert await bench.transport.sent_by(stranger.seq) == []


# Openings ----------------------------------------------------------------------------------------------------


@check("durable")
async def everything_accepted_is_there_after_a_crash(bench: Bench) -> None:
    messages = [bench.message(b"%d" % n) for n in range(200)]
    for message in messages:
        bench.commit(inserts=[Insert(message)])
    await bench.commit()
    opened = await bench.crash()
    assert not opened.clean
    assert [stored.message for stored in await bench.fetch()] == messages


@check("durable")
async def an_opening_counts_what_is_owed(bench: Bench) -> None:
    mine = [bench.message(b"x" * 10) for _ in range(3)]
    other, done = bench.message(b"y" * 7, target="flow/other"), bench.message()
    await bench.accept(*mine, other, done)
    await bench.commit(claims=[mine[0].seq], settles=[Settle(mine[1].seq, Status.WAITING, 1, 9)])
    await bench.settle(done, Status.DONE)
    opened = await bench.crash()
    counted = {target: (depth.count, depth.bytes) for target, depth in opened.depths.items()}
    assert counted == {"flow/sink": (3, 30), "flow/other": (1, 7)}
    assert {t: (d.count, d.bytes) for t, d in bench.transport.archive.depths().items()} == counted


@check("durable")
async def openings_are_counted_and_the_node_keeps_its_name(bench: Bench) -> None:
    first = bench.opened
    second, third = await bench.reopen(), await bench.crash()
    assert (first.clean, second.clean, third.clean) == (True, True, False)
    assert first.epoch < second.epoch < third.epoch
    assert first.node == second.node == third.node


@check("durable")
async def a_second_opener_is_refused(bench: Bench) -> None:
    if bench.transport.capabilities.shared:
        return
    second = bench.site.make()
    try:
        await second.open(bench.failures.append)
    except StoreLocked:
        await second.aclose()
    else:
        raise AssertionError("two transports opened one journal")
    await bench.accept(bench.message())


@check()
async def closing_applies_what_was_given_and_refuses_the_rest(bench: Bench) -> None:
    given = [bench.commit(inserts=[Insert(bench.message())]) for _ in range(5)]
    await bench.transport.aclose()
    await bench.transport.aclose()
    assert all(future.done() and future.exception() is None for future in given)
    if bench.transport.capabilities.durable:
        try:
            await bench.commit()
        except NotRunning:
            return
        raise AssertionError("a closed transport took a commit")
