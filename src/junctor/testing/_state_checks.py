"""Checks of state with versions, of mixed commits, and of bodies and texts of every shape."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from junctor.core.outcome import Failure, LogLine, Reply, StateWrite
from junctor.core.records import AlertRecord, HopLog, Insert, Settle
from junctor.errors import StateConflict
from junctor.messages import Status
from junctor.testing._bench import FAR, check

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable

    from junctor.core.records import Commit
    from junctor.testing._bench import Bench

SERVICE = "flow/counter"


def write(bench: Bench, *writes: StateWrite, service: str = SERVICE) -> asyncio.Future[Commit]:
    return bench.commit(writes=writes, source=service)


async def conflicts(commit: Awaitable[Commit]) -> bool:
    try:
        await commit
    except StateConflict:
        return True
    return False


@check()
async def state_is_read_back_with_its_version(bench: Bench) -> None:
    transport = bench.transport
    assert transport.state(SERVICE, "k") == {}
    await write(bench, StateWrite("k", "a", b"1", 0), StateWrite("k", "b", b"2", 0), StateWrite("", "a", b"3", 0))
    assert transport.state(SERVICE, "k") == {"a": (b"1", 1), "b": (b"2", 1)}
    await write(bench, StateWrite("k", "a", b"10", 1))
    await write(bench, StateWrite("k", "b", None, 1))
    assert transport.state(SERVICE, "k") == {"a": (b"10", 2)}
    assert transport.state(SERVICE, "") == {"a": (b"3", 1)}
    assert transport.state("flow/other", "k") == {}
    assert sorted(transport.state_keys(SERVICE)) == ["", "k"]
    assert transport.state_keys("flow/other") == []


@check()
async def a_view_of_state_does_not_change_under_its_reader(bench: Bench) -> None:
    await write(bench, StateWrite("k", "a", b"1", 0))
    view = bench.transport.state(SERVICE, "k")
    await write(bench, StateWrite("k", "a", b"2", 1))
    assert view == {"a": (b"1", 1)}
    assert bench.transport.state(SERVICE, "k") == {"a": (b"2", 2)}


@check()
async def deleted_state_begins_anew(bench: Bench) -> None:
    await write(bench, StateWrite("k", "a", b"1", 0))
    await write(bench, StateWrite("k", "a", None, 1))
    assert bench.transport.state(SERVICE, "k") == {}
    assert bench.transport.state_keys(SERVICE) == []
    await write(bench, StateWrite("k", "a", b"2", 0))
    assert bench.transport.state(SERVICE, "k") == {"a": (b"2", 1)}


@check()
async def a_stale_version_refuses_the_whole_commit(bench: Bench) -> None:
    request, draft = bench.message(), bench.message()
    await bench.accept(request)
    await write(bench, StateWrite("k", "a", b"1", 0))
    refused = bench.commit(
        inserts=[Insert(draft)],
        settles=[Settle(request.seq, Status.DONE, reply=Reply("R", b"1"), failure=Failure("E", "no"))],
        writes=[StateWrite("k", "new", b"9", 0), StateWrite("k", "a", b"2", 0)],
        logs=[HopLog(1, request.seq, SERVICE, LogLine(1, 20, "log", "text"))],
        alerts=[AlertRecord(1, "kind", SERVICE, "text")],
        source=SERVICE,
    )
    after = write(bench, StateWrite("k", "a", b"3", 1))
    assert await conflicts(refused)
    await after
    archive = bench.transport.archive
    assert bench.transport.state(SERVICE, "k") == {"a": (b"3", 2)}
    assert await bench.queued() == [request.seq]
    assert bench.status(draft) is None
    record = archive.record(request.seq)
    assert record is not None
    assert record.reply is None
    assert (archive.attempts([request.seq]), archive.logs(1), archive.alerts()) == ([], [], [])


@check()
async def of_two_writers_of_one_version_the_first_wins(bench: Bench) -> None:
    first = write(bench, StateWrite("k", "a", b"1", 0))
    second = write(bench, StateWrite("k", "a", b"2", 0))
    third = write(bench, StateWrite("k", "a", b"3", 1))
    await first
    assert await conflicts(second)
    await third
    assert bench.transport.state(SERVICE, "k") == {"a": (b"3", 2)}


@check("durable")
async def state_survives_a_crash(bench: Bench) -> None:
    await write(bench, StateWrite("k", "a", b"1", 0), StateWrite("k", "b", b"2", 0))
    await write(bench, StateWrite("k", "a", b"3", 1), StateWrite("k", "b", None, 1))
    await bench.crash()
    assert bench.transport.state(SERVICE, "k") == {"a": (b"3", 2)}
    assert await conflicts(write(bench, StateWrite("k", "a", b"4", 1)))


@check()
async def state_is_read_from_any_thread(bench: Bench) -> None:
    with ThreadPoolExecutor(4) as pool:
        for version in range(20):
            await write(bench, StateWrite("k", "a", b"%d" % version, version))
            seen = list(pool.map(lambda _: bench.transport.state(SERVICE, "k"), range(8)))
            assert seen == [{"a": (b"%d" % version, version + 1)}] * 8


@check()
async def a_mixed_commit_is_applied_whole(bench: Bench) -> None:
    request, draft, claimed = bench.message(), bench.message(session=5), bench.message()
    await bench.accept(request, claimed)
    line = HopLog(1, request.seq, SERVICE, LogLine(1, 20, "log", "text"))
    alert = AlertRecord(1, "kind", SERVICE, "text", "junctor parked", request.seq)
    await bench.commit(
        inserts=[Insert(draft)],
        settles=[Settle(request.seq, Status.DONE, 2, 0, 3, 4, Reply("R", b"1"))],
        claims=[claimed.seq],
        writes=[StateWrite("k", "a", b"1", 0)],
        logs=[line],
        alerts=[alert],
        source=SERVICE,
    )
    archive = bench.transport.archive
    assert [record.message for record in archive.session(5)] == [draft]
    assert (bench.status(request), bench.status(claimed)) == (Status.DONE, Status.CLAIMED)
    assert bench.transport.state(SERVICE, "k") == {"a": (b"1", 1)}
    assert (archive.logs(1), archive.alerts()) == ([line], [alert])


@check()
async def bodies_of_every_size_come_back(bench: Bench) -> None:
    sizes = (0, 1, 4096, 65_535, 65_536, 65_537, 1_000_000)
    messages = [bench.message(bytes([n]) * size) for n, size in enumerate(sizes)]
    shared = [bench.message(messages[-1].payload) for _ in range(3)]
    await bench.accept(*messages, *shared)
    assert [stored.message for stored in await bench.fetch()] == [*messages, *shared]
    assert not any(stored.damaged for stored in await bench.fetch())


@check("durable")
async def a_large_shared_body_is_there_after_a_crash(bench: Bench) -> None:
    body = bytes(range(256)) * 1000
    messages = [bench.message(body) for _ in range(3)]
    await bench.accept(*messages)
    opened = await bench.crash()
    assert [stored.message for stored in await bench.fetch()] == messages
    assert opened.depths[bench.target].bytes == 3 * len(body)


@check()
async def texts_of_every_script_come_back(bench: Bench) -> None:
    text = "Grüße, 你好, שלום, 👩‍🚀, \x00, \n'\"; DROP TABLE message; --"
    message = bench.message(
        f'"{text}"'.encode(),
        source=f"flow/{text}",
        type=text,
        key=text,
        headers={text: text, "idempotency-key": text},
    )
    await bench.accept(message)
    failure = Failure(text, text, text, text, (text,))
    await bench.commit(
        settles=[Settle(message.seq, Status.WAITING, failure=failure, reply=Reply(text, text.encode()))],
        writes=[StateWrite(text, text, text.encode(), 0)],
        logs=[HopLog(1, message.seq, text, LogLine(1, 2, text, text))],
        alerts=[AlertRecord(1, text, text, text, text)],
        source=text,
    )
    [stored] = await bench.fetch(now=FAR)
    assert stored.message == message
    assert not stored.damaged
    archive = bench.transport.archive
    assert archive.attempts([message.seq])[0].failure == failure
    assert bench.transport.state(text, text) == {text: (text.encode(), 1)}
    assert archive.logs(1)[0].line.text == archive.alerts()[0].text == text


@check()
async def a_failure_that_quotes_foreign_bytes_is_kept(bench: Bench) -> None:
    message = bench.message()
    await bench.accept(message)
    foreign = b"caf\xe9".decode(errors="surrogateescape")
    await bench.commit(
        settles=[Settle(message.seq, Status.PARKED, failure=Failure("OSError", foreign, foreign))],
        logs=[HopLog(1, message.seq, SERVICE, LogLine(1, 20, "log", foreign))],
        alerts=[AlertRecord(1, "kind", SERVICE, foreign)],
    )
    assert bench.status(message) == Status.PARKED
    archive = bench.transport.archive
    kept = (archive.attempts([message.seq])[0].failure.text, archive.logs(1)[0].line.text, archive.alerts()[0].text)
    assert all(text.startswith("caf") and len(text) > 3 for text in kept)


@check()
async def numbers_at_their_bounds_come_back(bench: Bench) -> None:
    messages = [
        bench.message(session=0, due=1, deadline=1, cause=0),
        bench.message(session=2**128 - 1, due=2**62, deadline=2**62, cause=2**62),
    ]
    await bench.accept(*messages)
    assert [stored.message for stored in await bench.fetch()] == messages
    assert [record.message for record in bench.transport.archive.session(2**128 - 1)] == messages[1:]
