"""An outage is not a failure: the service is held, its head probes, nothing is spent, nothing changes places."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from junctor.clock import VirtualClock
from junctor.core.lifecycle import State
from junctor.core.policy import HoldPolicy, RetryPolicy
from junctor.messages import Status
from junctor.observe.logs import noted
from tests.unit.runtime.flowkit import Away, Item, Me, Store, running, service

HOLDING = {"retry": RetryPolicy(attempts=2, on={"ConnectionError": "hold"})}
PROBES = HoldPolicy(initial=1, factor=2, max=4, jitter=0)


class Outage:
    """The other side: away until it is said to be back."""

    def __init__(self, clock: VirtualClock) -> None:
        self.away = True
        self.tried: list[tuple[int, float]] = []
        self.done: list[int] = []
        self._clock = clock

    async def take(self, me: Me, item: Item) -> None:
        self.tried.append((item.n, round(self._clock.monotonic(), 3)))
        await asyncio.sleep(0)
        if self.away:
            raise Away("nobody there")
        self.done.append(item.n)

    @property
    def times(self) -> list[float]:
        return [at for _, at in self.tried]


def held(outage: Outage, **policies: Any) -> Any:
    return service("sink", outage.take, hold=PROBES, **HOLDING, **policies)


async def test_the_head_probes_with_back_off_and_the_rest_flows_in_order_when_it_passes(
    store: Store, clock: VirtualClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    outage = Outage(clock)
    async with running(store, held(outage), clock=clock) as node:
        await node.send_all("sink", [Item(n) for n in range(5)])
        await node.advance(8)
        assert outage.tried == [(0, 0), (0, 1), (0, 3), (0, 7)], "waits of 1, 2, 4; only the head"
        assert node.host("sink").lifecycle.state is State.HELD
        assert len(node.alerts("held")) == 1, "one alert for the whole outage"
        outage.away = False
        await node.advance(3.5)
        assert outage.done == [0, 1, 2, 3, 4]
        assert node.host("sink").lifecycle.state is State.RUNNING
        assert [record.attempt for record in node.records("sink")] == [1] * 5, "no attempt was spent"
    told = [one for one in caplog.records if one.getMessage().startswith(("flow/sink is held", "flow/sink flows"))]
    assert [noted(one).service for one in told] == ["flow/sink"] * 2, "`junctor logs --service` finds both"


async def test_an_operator_lets_it_try_at_once(store: Store, clock: VirtualClock) -> None:
    outage = Outage(clock)
    async with running(store, held(outage), clock=clock) as node:
        await node.send_all("sink", [Item(n) for n in range(3)])
        await node.advance(3.5)
        host = node.host("sink")
        assert host.next_probe > clock.time_ns()
        assert host.probe()
        assert not host.probe(), "one probe at a time"
        await node.advance(0.1)
        assert outage.times == [0, 1, 3, 3.5]
        outage.away = False
        assert host.probe()
        await node.advance(0.1)
        assert outage.done == [0, 1, 2]
        assert host.next_probe == 0


async def test_messages_that_come_during_the_hold_wait_behind(store: Store, clock: VirtualClock) -> None:
    outage = Outage(clock)
    async with running(store, held(outage), clock=clock) as node:
        await node.send("sink", Item(0))
        await node.advance(0.5)
        await node.send_all("sink", [Item(n) for n in range(1, 4)])
        await node.advance(0.25)
        assert outage.times == [0]
        outage.away = False
        await node.advance(0.5)
        assert outage.done == [0, 1, 2, 3]


@pytest.mark.parametrize("key", [None, "key"])
async def test_with_a_pool_several_may_be_held_and_the_probes_go_on(
    store: Store, clock: VirtualClock, key: str | None
) -> None:
    outage = Outage(clock)
    async with running(store, held(outage, pool=3, key=key), clock=clock) as node:
        await node.send_all("sink", [Item(n, f"k{n}") for n in range(6)])
        await node.advance(20)
        assert sorted(n for n, at in outage.tried if at == 0) == [0, 1, 2]
        probes = [at for _, at in outage.tried if at > 0]
        assert len(probes) >= 4 and len(set(probes)) == len(probes), "one probe at a time, again and again"
        assert {n for n, at in outage.tried if at > 0} == {0}, "the head probes"
        assert len(node.alerts("held")) == 1
        outage.away = False
        await node.advance(5)
        assert sorted(outage.done) == list(range(6))
        assert node.host("sink").lifecycle.state is State.RUNNING


async def test_with_keys_the_order_of_each_key_is_kept_over_a_hold(store: Store, clock: VirtualClock) -> None:
    outage = Outage(clock)
    async with running(store, held(outage, pool=3, key="key"), clock=clock) as node:
        await node.send_all("sink", [Item(n, f"k{n % 3}") for n in range(30)])
        await node.advance(8)
        outage.away = False
        await node.advance(5)
        assert len(outage.done) == 30
        for key in range(3):
            assert [n for n in outage.done if n % 3 == key] == list(range(key, 30, 3))


async def test_a_probe_that_fails_otherwise_ends_the_hold(store: Store, clock: VirtualClock) -> None:
    tried: list[int] = []
    errors: list[Exception] = [Away("away"), ValueError("there, but the message is bad"), ValueError("still bad")]

    async def take(me: Me, item: Item) -> None:
        tried.append(item.n)
        if item.n == 0 and errors:
            raise errors.pop(0)

    async with running(store, service("sink", take, hold=PROBES, **HOLDING), clock=clock) as node:
        await node.send_all("sink", [Item(0), Item(1)])
        await node.advance(1)
        assert node.host("sink").lifecycle.state is State.RUNNING
        await node.advance(1)
        assert tried == [0, 0, 0, 1], "in order: the head spends its two attempts and is parked, then the next"
        assert node.statuses("sink") == ["PARKED", "DONE"]


async def test_a_running_delivery_that_ends_well_does_not_end_the_hold(store: Store, clock: VirtualClock) -> None:
    """It began before the outage was noticed, so it proves nothing; one alert a hold, no early probe."""
    outage = Outage(clock)

    async def take(me: Me, item: Item) -> None:
        if item.n == 9:
            await me.port.sleep(0.5)
        else:
            await outage.take(me, item)

    spec = service("sink", take, hold=PROBES, pool=2, **HOLDING)
    async with running(store, spec, clock=clock) as node:
        await node.send_all("sink", [Item(9), Item(0), Item(1)])
        await node.advance(3)
        assert outage.tried == [(0, 0), (0, 1), (0, 3)]
        assert len(node.alerts("held")) == 1


async def test_a_hold_survives_the_end_of_the_node_with_its_order(durable: Store, clock: VirtualClock) -> None:
    outage = Outage(clock)
    async with running(durable, held(outage), clock=clock) as node:
        await node.send_all("sink", [Item(n) for n in range(3)])
        await node.advance(2)
    before = len(outage.tried)
    async with running(durable, held(outage), clock=clock) as node:
        await node.send("sink", Item(3))
        await node.advance(4)
        assert {n for n, _ in outage.tried[before:]} == {0}
        assert node.host("sink").lifecycle.state is State.HELD
        outage.away = False
        await node.advance(5)
        assert outage.done == [0, 1, 2, 3]
        assert [record.attempt for record in node.records("sink", Status.DONE)] == [1] * 4


async def test_a_held_message_is_not_handed_out_by_the_look_for_due_ones(store: Store, clock: VirtualClock) -> None:
    outage = Outage(clock)
    async with running(store, held(outage), service("other", outage.take), clock=clock) as node:
        outage.away = False
        await node.send("other", Item(100), delay=1.01)
        await node.send("other", Item(101), delay=3.01)
        outage.away = True
        await node.send("sink", Item(0))
        await node.advance(0.9)
        outage.away = False
        await node.advance(5, step=0.05)
        assert outage.done == [0, 100, 101]


async def test_a_service_that_fails_while_it_is_held_probes_on_after_its_restart(
    store: Store, clock: VirtualClock
) -> None:
    outage = Outage(clock)
    falls: list[int] = []

    async def main(me: Me) -> None:
        await me.port.sleep(2.5)
        if not falls and not me.port.stopping:
            falls.append(1)
            raise RuntimeError("the loop fails during the hold")

    async with running(store, held(outage, main=main), clock=clock) as node:
        await node.send_all("sink", [Item(n) for n in range(3)])
        await node.advance(10)
        assert falls == [1]
        outage.away = False
        await node.advance(10)
        assert outage.done == [0, 1, 2]
