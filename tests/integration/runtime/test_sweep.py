"""What a running node forgets, and what it never does: days pass on a virtual clock, the store is a real one."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from junctor import Flow, Service, Target, handler
from junctor.clock import SECOND, VirtualClock
from junctor.core.outcome import Hold
from junctor.core.retention import DAY
from junctor.messages import Status
from junctor.node.node import Node
from junctor.runtime.sweep import Swept
from junctor.transports.base import Insert, Query

RETENTION = {"done": "7d", "failures": "30d", "keys": "10d"}


@dataclass(frozen=True)
class Job:
    n: int
    text: str = ""


@dataclass(frozen=True)
class Part:
    n: int


class Splits(Service):
    parts: Target[Part]

    @handler
    async def split(self, job: Job) -> None:
        self.log.info("job %s", job.n)
        for _ in range(2):
            await self.parts.send(Part(job.n))


class Works(Service):
    @handler
    async def work(self, part: Part) -> None:
        if part.n < 0:
            raise ValueError("negative")
        if part.n == 99:
            raise Hold("the other side is down")


def run(
    folder: Path, clock: VirtualClock, retention: Mapping[str, Any] = RETENTION, trace: Any = "all"
) -> AbstractAsyncContextManager[Node]:
    flow = Flow("f", retention=retention)
    flow.add(Splits(), "splits", trace=trace).add(Works(), "works", retry={"attempts": 1}, trace=trace)
    return flow.running(store=folder, clock=clock)


async def send(node: Node, *numbers: int, **options: Any) -> None:
    target = node.target("splits", Job)
    await asyncio.gather(*(target.send(Job(n), **options) for n in numbers))
    await settled(node)


async def settled(node: Node) -> None:
    """Wait until nothing is handed out, and nothing can be."""
    open_ones = Query(statuses=(Status.READY, Status.CLAIMED))
    while any(not node.is_held(record.message.target) for record in node.archive.search(open_ones)):
        await asyncio.sleep(0.005)


async def swept(node: Node) -> Swept:
    assert node.engine.sweep is not None
    return await node.engine.sweep.once()


async def pass_days(node: Node, clock: VirtualClock, days: int) -> int:
    """Let days pass and sweep on each; how many records went."""
    removed = 0
    for _ in range(days):
        clock.go_to(clock.time_ns() + int(DAY) * SECOND)
        removed += (await swept(node)).removed
    return removed


def stored(node: Node) -> int:
    return len(node.archive.search(Query(limit=100_000)))


def tables(node: Node, *names: str) -> list[int]:
    with node._transport._store.readers.connection() as db:  # type: ignore[attr-defined]
        return [db.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in names]  # type: ignore[index]


async def test_what_ended_well_goes_after_its_age_with_all_that_belongs_to_it(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with run(tmp_path, clock) as node:
        await send(node, *range(50))
        assert await pass_days(node, clock, 6) == 0
        await send(node, 1000)
        assert await pass_days(node, clock, 2) == 150
        assert stored(node) == 3
        assert tables(node, "message", "hop", "log") == [3, 3, 1]


async def test_a_session_with_a_failure_stays_whole_and_longer(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with run(tmp_path, clock) as node:
        await send(node, 1, -1, 2)
        await pass_days(node, clock, 8)
        assert stored(node) == 3
        session = node.archive.search(Query())[0].message.session
        assert len(node.archive.session(session)) == 3
        await pass_days(node, clock, 31)
        found = node.archive.search(Query())
        assert [record.status for record in found] == [Status.PARKED, Status.PARKED]


async def test_what_is_owed_or_parked_stays_for_ever(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with run(tmp_path, clock, {"done": 0, "failures": 0, "keys": 0}) as node:
        await node.target("splits", Job).send(Job(5), delay=400 * DAY)
        await send(node, -1)
        await send(node, 99)
        await pass_days(node, clock, 20)
        found = node.archive.search(Query())
        assert len(found) == 5  # the delayed one, two that failed, two of which the head is held
        assert all(record.status < Status.DONE or record.status == Status.PARKED for record in found)


async def test_a_key_is_known_for_as_long_as_the_flow_says(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with run(tmp_path, clock) as node:
        first = await node.target("splits", Job).send(Job(1), idempotency_key="a")
        await settled(node)
        await pass_days(node, clock, 9)
        again = await node.target("splits", Job).send(Job(1), idempotency_key="a")
        assert again.id == first.id
        await pass_days(node, clock, 2)
        anew = await node.target("splits", Job).send(Job(1), idempotency_key="a")
        assert anew.id != first.id
        await settled(node)


async def test_what_an_unfinished_cause_sent_stays_so_that_it_is_not_sent_twice(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with run(tmp_path, clock, {"done": 0, "failures": 0, "keys": 0}) as node:
        transport, target = node.engine.transport, node.target("splits", Job)
        await target.send(Job(5), delay=400 * DAY)
        [cause] = node.archive.search(Query())
        part = Insert(_child(node, cause.message.seq, transport.number()), Status.DONE)
        await node.engine.committed(inserts=(part,))
        await pass_days(node, clock, 20)
        assert part.message.seq in [record.message.seq for record in node.archive.search(Query())]


def _child(node: Node, cause: int, seq: int) -> Any:
    [record] = node.archive.search(Query())
    return msgspec.structs.replace(
        record.message, seq=seq, cause=cause, origin=b"\0\0\0\1" + bytes(8), due=0, target="f/works"
    )


async def test_services_that_record_less_leave_nothing_of_what_ended_well(tmp_path: Path) -> None:
    for trace, left in (("failures", 2), ("off", 2)):
        clock = VirtualClock()
        async with run(tmp_path / trace, clock, RETENTION, trace) as node:
            await send(node, *range(40), -1)
            clock.go_to(clock.time_ns() + SECOND)
            await swept(node)
            found = node.archive.search(Query(limit=1000))
            assert len(found) == left and all(record.status == Status.PARKED for record in found)


async def test_a_long_queue_does_not_hold_back_what_is_behind_it(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with run(tmp_path, clock, RETENTION, "off") as node:
        await send(node, 99)
        await send(node, *range(20))
        clock.go_to(clock.time_ns() + SECOND)
        await swept(node)
        assert stored(node) == 2 + 40  # works is held: what it has waits, what splits did is gone


async def test_a_store_above_its_budget_gives_up_the_oldest_first_and_says_when_it_cannot(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with run(tmp_path, clock, {"disk": "32MiB"}) as node:
        await send(node, -1)
        for n in range(45):
            await node.target("splits", Job).send(Job(1000 + n, "x" * 1_000_000))
        await settled(node)
        done = await swept(node)
        assert done.size <= done.limit < 32 << 20
        numbers = [message["n"] for message in _bodies(node) if message["n"] >= 1000]
        assert 0 < len(numbers) < 45 and numbers == list(range(1045 - len(numbers), 1045))
        assert {record.status for record in node.archive.search(Query(limit=1000))} >= {Status.PARKED}
        assert _alerts(node, "store-budget") == 0
        room = node.engine.transport.room()
        assert room is not None and room.database < 45 << 20
        for n in range(30):
            await node.target("splits", Job).send(Job(2000 + n, "y" * 1_000_000), delay=400 * DAY)
        for _ in range(3):
            await swept(node)
        assert _alerts(node, "store-budget") == 1


def _bodies(node: Node) -> list[dict[str, Any]]:
    """The bodies of all messages, oldest first."""
    records = node.archive.search(Query(limit=1000, type="Job"))
    return [msgspec.json.decode(record.message.payload) for record in reversed(records)]


def _alerts(node: Node, kind: str) -> int:
    return sum(alert.kind == kind for alert in node.archive.alerts(1000))


async def test_a_clock_ten_years_ahead_removes_nothing(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with run(tmp_path, clock) as node:
        await send(node, *range(20))
        await swept(node)
        clock._begin += int(3650 * DAY) * SECOND
        for _ in range(5):
            done = await swept(node)
            assert (done.removed, done.ages) == (0, False)
        assert _alerts(node, "clock") == 1
        await send(node, 21)
        clock._begin -= int(3650 * DAY) * SECOND
        assert (await swept(node)).ages
        assert await pass_days(node, clock, 8) == 60
        assert stored(node) == 3  # stamped by the wrong clock; what comes after them will tell their age
        await send(node, 22)
        await pass_days(node, clock, 8)
        assert stored(node) == 0


async def test_a_restart_with_a_wrong_clock_removes_nothing_either(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with run(tmp_path, clock) as node:
        await send(node, *range(5))
        await swept(node)
        clock._begin += int(3650 * DAY) * SECOND
        assert not (await swept(node)).ages
        await send(node, 6)
    for _ in range(2):
        async with run(tmp_path, clock) as node:
            assert (await swept(node)) == Swept(0, node.engine.sweep.last.size, node.engine.sweep.last.limit, False)
    async with run(tmp_path, clock) as node:
        await swept(node)
        assert await pass_days(node, clock, 2) == 15


async def test_a_clock_that_is_wrong_before_the_first_sweep_removes_nothing(tmp_path: Path) -> None:
    """What was accepted by then does not make it look right."""
    clock = VirtualClock()
    async with run(tmp_path, clock) as node:
        await send(node, *range(5))
        clock._begin += int(3650 * DAY) * SECOND
        await send(node, 6)
        assert not (await swept(node)).ages
        clock._begin -= int(3650 * DAY) * SECOND
    clock._begin += int(3650 * DAY) * SECOND
    async with run(tmp_path, clock) as node:
        await send(node, 7)
        done = await swept(node)
        assert (done.removed, done.ages) == (0, False)


async def test_a_restart_years_later_removes_nothing_whatever_is_accepted_first(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with run(tmp_path, clock) as node:
        await send(node, *range(5))
    clock._begin += int(3650 * DAY) * SECOND
    async with run(tmp_path, clock) as node:
        await send(node, 7)
        done = await swept(node)
        assert (done.removed, done.ages) == (0, False)


async def test_old_alerts_go_and_the_database_shrinks(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with run(tmp_path, clock) as node:
        await send(node, -1)
        await asyncio.gather(*(node.target("splits", Job).send(Job(n, "x" * 200_000)) for n in range(90)))
        await settled(node)
        before = node.engine.transport.room()
        assert _alerts(node, "parked") > 0
        for _ in range(31):
            await pass_days(node, clock, 1)
        after = node.engine.transport.room()
        assert _alerts(node, "parked") == 0
        assert before is not None and after is not None and after.database < 12 << 20
