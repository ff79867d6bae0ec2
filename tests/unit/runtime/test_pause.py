"""A paused service rests and loses nothing; a restarted one begins anew."""

from __future__ import annotations

import asyncio
import time

import pytest

from junctor.clock import VirtualClock
from junctor.core.lifecycle import State
from junctor.core.policy import RestartPolicy
from junctor.core.spec import Activity
from junctor.messages import Kind
from junctor.runtime.host import Host
from tests.unit.runtime.flowkit import Gate, Item, Me, Seen, Store, running, service


def state(host: Host) -> str:
    return host.lifecycle.state.value


async def test_deliveries_and_ticks_rest_and_the_queue_fills(store: Store, clock: VirtualClock) -> None:
    seen, ticks = Seen(), []

    async def tick(me: Me) -> None:
        ticks.append(clock.monotonic())

    async with running(store, service("sink", seen.take, every=1.0, tick=tick), clock=clock) as node:
        await node.send("sink", Item(0))
        await node.advance(1.5)
        assert len(ticks) == 2
        node.host("sink").pause("by anna")
        await node.send_all("sink", [Item(n) for n in range(1, 30)])
        await node.advance(5.0)
        host = node.host("sink")
        assert (host.lifecycle.state, host.lifecycle.reason) == (State.PAUSED, "by anna")
        assert (seen, len(ticks), host.depth.count) == ([0], 2, 29)
        await host.resume()
        await node.until(lambda: seen == list(range(30)))
        await node.advance(1.0)
        assert ticks[2:] == [7.0]
        assert host.lifecycle.state is State.RUNNING


async def test_what_runs_comes_to_its_end(store: Store) -> None:
    gate, seen, asked = Gate(), Seen(), []

    async def slow(me: Me, item: Item) -> None:
        await gate.wait()
        asked.append(me.port.stopping)
        seen.append(item.n)

    async with running(store, service("sink", slow)) as node:
        await node.send_all("sink", [Item(0), Item(1)])
        await node.until(lambda: gate.inside == 1)
        node.host("sink").pause("by anna")
        gate.open()
        await node.until(lambda: seen == [0])
        await node.idle()
        assert (seen, asked) == ([0], [False])
        await node.host("sink").resume()
        await node.until(lambda: seen == [0, 1])


@pytest.mark.parametrize("kind", ["async", "blocking", "endless"])
async def test_loop_ends_and_is_called_again(store: Store, kind: str) -> None:
    turns: list[int] = []

    async def on_loop(me: Me) -> None:
        while not me.port.stopping:
            turns.append(1)
            await me.port.sleep(0.005)

    def blocking(me: Me) -> None:
        while not me.port.stopping:
            turns.append(1)
            time.sleep(0.005)

    async def endless(me: Me) -> None:
        while True:
            turns.append(1)
            await asyncio.sleep(0.005)

    main = {"async": on_loop, "blocking": blocking, "endless": endless}[kind]
    spec = service("sink", Seen().take, main=main)
    if kind == "endless":
        bind = spec.main.bind if spec.main is not None else None
        assert bind is not None
        import msgspec

        spec = msgspec.structs.replace(spec, main=Activity(bind=bind, cancel=True))
    async with running(store, spec) as node:
        host = node.host("sink")
        await node.until(lambda: len(turns) > 2)
        host.pause("by anna")
        await node.until(lambda: host._main_task is not None and host._main_task.done())
        before = len(turns)
        await asyncio.sleep(0.05)
        assert len(turns) == before
        await host.resume()
        await node.until(lambda: len(turns) > before + 2)


async def test_a_loop_that_returns_at_once_does_not_spin(memory: Store) -> None:
    turns: list[int] = []

    async def main(me: Me) -> None:
        turns.append(1)

    async with running(memory, service("sink", Seen().take, main=main)) as node:
        await node.until(lambda: len(turns) >= 3)
        assert len(turns) < 10


async def test_calls_are_answered_while_it_rests(store: Store) -> None:
    async def answer() -> int:
        return 42

    async with running(store, service("sink", Seen().take)) as node:
        host = node.host("sink")
        host.pause("by anna")
        entered = await host.enter(Kind.ROUTE, "read", answer, False)
        assert entered.value == 42


async def test_a_failed_one_starts_paused_and_a_restart_forgets_the_failures(store: Store) -> None:
    fail = True
    seen = Seen()

    async def start(me: Me) -> None:
        if fail:
            raise RuntimeError("no")

    policy = RestartPolicy(limit=1, initial=0.001)
    async with running(store, service("sink", seen.take, start=start, restart=policy)) as node:
        host = node.host("sink")
        await node.until(lambda: host.lifecycle.state is State.FAILED)
        host.pause("by anna")
        assert state(host) == "failed"
        await node.send("sink", Item(1))
        fail = False
        await host.restart(1.0)
        assert state(host) == "paused"
        await host.resume()
        await node.until(lambda: seen == [1])
        assert host._history.recent == 0


async def test_restart_makes_a_new_instance_and_loses_nothing(store: Store) -> None:
    stops, seen = [], Seen()

    async def stop(me: Me) -> None:
        stops.append(me)

    async def take(me: Me, item: Item) -> None:
        await asyncio.sleep(0.001)
        seen.append(item.n)

    async with running(store, service("sink", take, stop=stop)) as node:
        sending = asyncio.ensure_future(node.send_all("sink", [Item(n) for n in range(200)]))
        instances = {id(node.host("sink").slots[0].instance)}
        kept = [node.host("sink").slots[0].instance]
        for _ in range(5):
            await node.host("sink").restart(1.0)
            kept.append(node.host("sink").slots[0].instance)
            instances.add(id(kept[-1]))
        await sending
        await node.until(lambda: len(seen) == 200)
        assert seen == list(range(200))
        assert len(instances) == 6
        assert stops == kept[:5]
        assert node.host("sink").restarts == 5
