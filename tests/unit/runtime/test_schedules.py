"""Ticks: in their rhythm, never two of one schedule at a time, missed ones are left out, a bad one does no harm."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime

import msgspec
import pytest

from junctor.clock import VirtualClock
from junctor.core.lifecycle import State
from junctor.core.spec import ServiceSpec
from junctor.messages import Kind
from tests.unit.runtime.flowkit import Item, Me, Seen, Store, running, schedule, service


class Ticks:
    """When a schedule ticked, in seconds from the start; each tick takes as long as ``lasts`` says."""

    def __init__(self, clock: VirtualClock, *lasts: float) -> None:
        self.at: list[float] = []
        self._clock = clock
        self._lasts = list(lasts)

    async def tick(self, me: Me) -> None:
        self.at.append(round(self._clock.monotonic(), 3))
        if self._lasts:
            await me.port.sleep(self._lasts.pop(0))


async def test_ticks_keep_the_rhythm_of_the_first(store: Store, clock: VirtualClock) -> None:
    ticks = Ticks(clock)
    async with running(store, service("timer", every=2, tick=ticks.tick), clock=clock) as node:
        await node.advance(7)
    assert ticks.at == [0, 2, 4, 6]


async def test_a_long_tick_leaves_out_those_it_overran_and_the_rhythm_stays(memory: Store, clock: VirtualClock) -> None:
    ticks = Ticks(clock, 0, 5, 0, 1.5)
    async with running(memory, service("timer", every=2, tick=ticks.tick), clock=clock) as node:
        await node.advance(15)
    assert ticks.at == [0, 2, 8, 10, 12, 14]


async def test_the_first_tick_waits_as_long_as_it_is_told(memory: Store, clock: VirtualClock) -> None:
    ticks = Ticks(clock)
    spec = msgspec.structs.replace(service("timer"), schedules=(schedule("tick", ticks.tick, every=2, initial=3),))
    async with running(memory, spec, clock=clock) as node:
        await node.advance(6)
    assert ticks.at == [3, 5]


async def test_schedules_of_one_service_do_not_wait_for_each_other(memory: Store, clock: VirtualClock) -> None:
    slow, quick = Ticks(clock, 100), Ticks(clock)
    specs = schedule("slow", slow.tick, every=1), schedule("quick", quick.tick, every=1)
    spec = msgspec.structs.replace(service("timer"), schedules=specs)
    async with running(memory, spec, clock=clock) as node:
        await node.advance(3.5)
    assert (slow.at, quick.at) == ([0], [0, 1, 2, 3])


async def test_a_tick_that_raises_is_recorded_and_the_next_one_comes(store: Store, clock: VirtualClock) -> None:
    at: list[float] = []
    errors: list[BaseException] = [ValueError("first"), SystemExit(1), KeyboardInterrupt(), asyncio.CancelledError()]

    async def tick(me: Me) -> None:
        at.append(clock.monotonic())
        if errors:
            raise errors.pop(0)

    async with running(store, service("timer", every=1, tick=tick), clock=clock) as node:
        await node.advance(5.5)
        assert at == [0, 1, 2, 3, 4, 5]
        host = node.host("timer")
        assert (host.lifecycle.state, host.restarts, host.counters.failed) == (State.RUNNING, 0, 4)
        records = [one for one in node.engine.transport.archive.search(query()) if one.message.kind is Kind.TICK]
        assert [record.status.name for record in records] == ["FAILED"] * 4
        assert {record.failure.type for record in records if record.failure} == {
            "ValueError",
            "SystemExit",
            "KeyboardInterrupt",
            "CancelledError",
        }


async def test_a_tick_that_did_nothing_leaves_no_record_and_one_that_sent_does(
    store: Store, clock: VirtualClock
) -> None:
    seen, at = Seen(), list[int]()

    async def tick(me: Me) -> None:
        at.append(1)
        if len(at) == 2:
            await me.send("sink", Item(2))

    specs = service("sink", seen.take), service("timer", every=1, tick=tick)
    async with running(store, *specs, clock=clock) as node:
        await node.advance(3.5)
        assert (len(at), seen) == (4, [2])
        records = [one for one in node.engine.transport.archive.search(query()) if one.message.kind is Kind.TICK]
        assert [record.status.name for record in records] == ["DONE"]
        (sent,) = node.records("sink")
        assert (sent.message.cause, sent.message.session) == (records[0].message.seq, records[0].message.session)


@pytest.mark.parametrize("joins", [True, False])
async def test_what_a_tick_sends_before_it_raises_stays_where_sends_do_not_join(
    store: Store, clock: VirtualClock, joins: bool
) -> None:
    seen, stored = Seen(), list[int]()

    async def tick(me: Me) -> None:
        for number in (1, 2):
            await me.send("sink", Item(number))
            stored.append(len(node.records("sink")))
        raise ValueError("the third cannot be read")

    ticking = schedule("tick", tick, every=1, initial=0.1, joins=joins)
    timer = msgspec.structs.replace(service("timer"), schedules=(ticking,))
    async with running(store, service("sink", seen.take), timer, clock=clock) as node:
        await node.advance(0.5)
        assert (stored, seen) == (([0, 0], []) if joins else ([1, 2], [1, 2]))
        (record,) = (one for one in node.engine.transport.archive.search(query()) if one.message.kind is Kind.TICK)
        assert record.status.name == "FAILED"
        sent = [(one.message.cause, one.message.session) for one in node.records("sink")]
        assert sent == ([] if joins else [(record.message.seq, record.message.session)] * 2)


async def test_cron_ticks_on_the_minute_in_its_zone() -> None:
    from pathlib import Path

    clock = VirtualClock(datetime(2030, 6, 1, 11, 58, 30, tzinfo=UTC))
    at: list[str] = []

    async def tick(me: Me) -> None:
        at.append(datetime.fromtimestamp(clock.time_ns() / 1e9, UTC).strftime("%H:%M:%S"))

    specs = [
        schedule("every_two", tick, cron="*/2 * * * *", zone="UTC"),
        schedule("vienna", tick, cron="1 14 * * *", zone="Europe/Vienna"),
    ]
    spec: ServiceSpec = msgspec.structs.replace(service("timer"), schedules=tuple(specs))
    async with running(Store("memory", Path()), spec, clock=clock) as node:
        await node.advance(300, step=5)
    assert at == ["12:00:00", "12:01:00", "12:02:00"]


async def test_no_ticks_while_the_service_is_down_or_stops(memory: Store, clock: VirtualClock) -> None:
    ticks = Ticks(clock)
    falls = [RuntimeError("once")]

    async def main(me: Me) -> None:
        if await me.port.sleep(1.5):
            return
        if falls:
            raise falls.pop()

    from junctor.core.policy import RestartPolicy

    restart = RestartPolicy(initial=3, jitter=0)
    spec = service("timer", every=1, tick=ticks.tick, main=main, restart=restart)
    async with running(memory, spec, clock=clock) as node:
        await node.advance(6, step=0.25)
    assert ticks.at == [0, 1, 4.5, 5.5], "with the service its schedules begin anew"


async def test_a_blocking_tick_runs_in_a_thread_and_is_let_end_by_the_stop(store: Store) -> None:
    seen, begun = Seen(), list[int]()

    def tick(me: Me) -> None:
        begun.append(1)
        time.sleep(0.02)
        me.send("sink", Item(1))

    async with running(store, service("timer", every=3600, tick=tick), service("sink", seen.take)) as node:
        await node.until(lambda: begun)
    assert len(node.records("sink")) == 1 if not store.durable else True


async def test_a_tick_that_cannot_send_because_a_queue_is_full_waits_visibly_for_room(
    store: Store, clock: VirtualClock
) -> None:
    from junctor.core.policy import QueuePolicy
    from tests.unit.runtime.flowkit import Gate

    gate = Gate()

    async def wait(me: Me, item: Item) -> None:
        await gate.wait()

    async def tick(me: Me) -> None:
        await me.send("sink", Item(9))

    specs = service("sink", wait, queue=QueuePolicy(limit=1)), service("timer", every=10, tick=tick)
    async with running(store, *specs, clock=clock) as node:
        await node.idle()
        await node.advance(11)
        outage = node.host("timer").away.outage
        assert outage is not None and outage.error.startswith("QueueFull")
        assert (len(node.alerts("away")), node.host("timer").counters.failed) == (1, 0)
        gate.open()


@pytest.mark.parametrize("loop", ["shared", "own"])
async def test_ticks_and_handlers_share_the_instance(memory: Store, loop: str) -> None:
    seen: list[int] = []

    async def tick(me: Me) -> None:
        seen.append(id(me))

    async def act(me: Me, item: Item) -> None:
        seen.append(id(me))

    async with running(memory, service("both", act, every=3600, tick=tick, loop=loop)) as node:
        await node.send("both", Item(1))
        await node.until(lambda: len(seen) == 2)
    assert seen[0] == seen[1]


def query() -> object:
    from junctor.core.records import Query

    return Query(limit=1000)
