"""A flow that changes while it runs: what is replaced loses nothing, what is not replaced does not notice."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Collection
from dataclasses import dataclass, make_dataclass
from functools import partial
from typing import Any

import pytest

from junctor.clock import VirtualClock
from junctor.core.lifecycle import State
from junctor.core.policy import QueuePolicy, RetryPolicy
from junctor.core.spec import FlowPlan, ServicePlan, ServiceSpec, TargetSpec, Wire
from junctor.errors import ConfigurationError, UnknownTarget, WiringError
from junctor.messages import TypeRegistry
from junctor.runtime.change import Change, Hosts
from tests.unit.runtime.flowkit import Answer, Gate, Item, Me, Node, Seen, Store, running, service


async def nothing(gone: Hosts, come: Hosts) -> None:
    return None


def plan(*services: ServiceSpec | ServicePlan, name: str = "flow") -> FlowPlan:
    plans = tuple(one if isinstance(one, ServicePlan) else ServicePlan(spec=one) for one in services)
    return FlowPlan(name=name, types=TypeRegistry(), services=plans)


async def change(
    node: Node, *services: ServiceSpec | ServicePlan, replaced: Collection[str] = (), grace: float = 2.0
) -> Change:
    made = Change(node.engine, [plan(*services)], {f"flow/{name}" for name in replaced})
    made.build()
    await made.make(nothing, grace)
    return made


async def test_what_waits_is_handled_by_the_new_one_in_its_order(store: Store) -> None:
    old, new, gate = Seen(), Seen(), Gate()

    async def slow(me: Me, item: Item) -> None:
        await gate.wait()
        old.append(item.n)

    async with running(store, service("sink", slow)) as node:
        await node.send_all("sink", [Item(n) for n in range(200)])
        await node.until(lambda: gate.inside == 1)
        changing = asyncio.ensure_future(change(node, service("sink", new.take), replaced=["sink"]))
        await asyncio.sleep(0)
        sent = asyncio.ensure_future(node.send_all("sink", [Item(n) for n in range(200, 300)]))
        gate.open()
        await asyncio.gather(changing, sent)
        await node.until(lambda: len(old) + len(new) == 300)
        assert old == [0]
        assert new == list(range(1, 300))
        await node.idle()
        assert node.statuses("sink") == ["DONE"] * 300
        assert node.host("sink").depth.count == 0


async def test_what_does_not_end_in_time_is_delivered_to_the_new_one(store: Store) -> None:
    new = Seen()

    async def hangs(me: Me, item: Item) -> None:
        await asyncio.sleep(3600)

    async with running(store, service("sink", hangs)) as node:
        await node.send_all("sink", [Item(n) for n in range(3)])
        await node.until(lambda: node.host("sink").in_flight == 1)
        await change(node, service("sink", new.take), replaced=["sink"], grace=0.05)
        await node.until(lambda: new == [0, 1, 2])
        await node.idle()
        assert [record.attempt for record in node.records("sink")] == [1, 1, 1]


@pytest.mark.parametrize("blocking", [False, True])
async def test_others_are_not_touched(store: Store, clock: VirtualClock, blocking: bool) -> None:
    ticks: list[float] = []
    seen = Seen()

    def tick_blocking(me: Me) -> None:
        ticks.append(clock.monotonic())

    async def tick_on_loop(me: Me) -> None:
        ticks.append(clock.monotonic())

    def ticked(number: int) -> bool:
        return len(ticks) > number

    tick = tick_blocking if blocking else tick_on_loop
    steady = service("steady", seen.take, every=1.0, tick=tick)
    async with running(store, steady, service("sink", Seen().take), clock=clock) as node:
        host, instance = node.host("steady"), node.host("steady").slots[0].instance
        for number in range(10):
            await node.advance(1.0)
            await node.until(partial(ticked, number))  # threads end in real time
            await change(node, steady, service("sink", Seen().take), replaced=["sink"])
        assert node.host("steady") is host
        assert host.slots[0].instance is instance
        assert host.restarts == 0
        assert len(ticks) == host.counters.ticks >= 10
        if not blocking:  # a thread looks at the clock when it comes to it
            assert ticks == [float(n) for n in range(len(ticks))]
        await node.send("steady", Item(1))
        await node.until(lambda: seen == [1])


class Target:
    """A service that sends by a declared target, whose link it holds from its start on."""

    def __init__(self) -> None:
        self.spec = ServiceSpec(
            name="source",
            build=self.build,
            targets=(TargetSpec(name="to", request=Item, reply=Answer),),
            policies=service("x").policies,
        )

    def build(self, context: Any) -> Any:
        self.port = context.port
        self.links = context.port.links("to")
        return object()

    def plan(self, to: str = "sink") -> ServicePlan:
        return ServicePlan(spec=self.spec, connect={"to": (Wire(f"flow/{to}"),)})

    async def ask(self, n: int) -> int:
        answer = await self.port.request(self.links[0], Item(n))
        return int(answer.n)


async def test_links_of_others_lead_to_the_new_one(store: Store) -> None:
    async def once(me: Me, item: Item) -> Answer:
        return Answer(item.n)

    async def twice(me: Me, item: Item) -> Answer:
        return Answer(item.n * 2)

    source = Target()
    async with running(store) as node:
        await change(node, source.plan(), service("sink", once, replies=Answer, timeout=5.0))
        assert await source.ask(4) == 4
        held = source.links[0]
        await change(node, source.plan(), service("sink", twice, replies=Answer, timeout=7.0), replaced=["sink"])
        assert await source.ask(4) == 8
        assert source.links[0] is held
        assert held.wait == 7_000_000_000
        assert node.host("source").restarts == 0


async def test_a_class_that_was_loaded_anew_gets_its_own_objects(store: Store) -> None:
    """Objects that wait in memory may be of the class as it was before."""
    first = make_dataclass("Order", [("n", int)], frozen=True)
    second = make_dataclass("Order", [("n", int)], frozen=True)
    got: list[Any] = []
    gate = Gate()

    async def slow(me: Me, order: Any) -> None:
        await gate.wait()
        got.append(type(order))

    async def take(me: Me, order: Any) -> None:
        got.append(type(order))

    async with running(store, service("sink", slow, accepts=first)) as node:
        await node.send_all("sink", [first(n) for n in range(3)])
        await node.until(lambda: gate.inside == 1)
        changing = asyncio.ensure_future(change(node, service("sink", take, accepts=second), replaced=["sink"]))
        await asyncio.sleep(0)
        gate.open()
        await changing
        await node.send("sink", first(3))  # a program outside still has the old class
        await node.send("sink", second(4))
        await node.until(lambda: len(got) == 5)
        assert got == [first, second, second, second, second]


async def test_a_service_that_goes_keeps_its_messages_until_it_is_back(store: Store, clock: VirtualClock) -> None:
    back, other = Seen(), service("other", Seen().take)
    gate = Gate()

    async def first(me: Me, item: Item) -> None:
        if item.n == 0:
            await gate.wait()

    async with running(store, service("sink", first), other, clock=clock) as node:
        pending = [node.send("sink", Item(n), delay=5.0 if n == 3 else 0.0) for n in range(4)]
        for one in pending:
            await one
        await node.until(lambda: gate.inside == 1)
        leaving = asyncio.ensure_future(change(node, other))
        await asyncio.sleep(0)
        gate.open()
        await leaving
        assert list(node.engine.hosts) == ["flow/other"]
        with pytest.raises(UnknownTarget, match="flow/other"):
            node.client.link_to("sink", Item)
        await node.advance(10)
        assert node.bodies("sink") == [0, 1, 2, 3]
        await change(node, other, service("sink", back.take))
        await node.until(lambda: len(back) == 3)
        assert sorted(back) == [1, 2, 3]
        assert back.index(1) < back.index(2)


async def test_who_sends_to_a_service_that_goes_is_told(store: Store) -> None:
    async with running(store, service("sink", Seen().take), service("other", Seen().take)) as node:
        link = node.client.link_to("sink", Item)
        await change(node, service("other", Seen().take))
        with pytest.raises(UnknownTarget, match="flow/sink"):
            await node.client.send(link, Item(1))


async def test_a_constructor_that_fails_changes_nothing(store: Store) -> None:
    seen = Seen()

    def fails(context: Any) -> Any:
        raise OSError("no such device")

    sink = service("sink", seen.take)
    async with running(store, sink, service("other", Seen().take)) as node:
        hosts = dict(node.engine.hosts)
        broken = ServiceSpec(name="other", build=fails)
        with pytest.raises(ConfigurationError, match=r"flow/other: its constructor failed: OSError: no such device"):
            await change(node, service("sink", Seen().take), broken, replaced=["sink", "other"])
        assert node.engine.hosts == hosts
        await node.send("sink", Item(1))
        await node.until(lambda: seen == [1])


async def test_a_refused_switch_changes_nothing(store: Store) -> None:
    seen = Seen()

    async def refuse(gone: Hosts, come: Hosts) -> None:
        assert [host.address for host in gone] == ["flow/sink"] == [host.address for host in come]
        raise ConfigurationError("two services want GET /")

    async with running(store, service("sink", seen.take)) as node:
        made = Change(node.engine, [plan(service("sink", Seen().take))], {"flow/sink"})
        made.build()
        with pytest.raises(ConfigurationError, match="GET /"):
            await made.make(refuse, 1.0)
        assert node.host("sink").lifecycle.state is State.RUNNING
        await node.send("sink", Item(1))
        await node.until(lambda: seen == [1])


async def test_a_target_that_would_lead_to_nothing_is_refused(store: Store) -> None:
    source = Target()

    async def reply(me: Me, item: Item) -> Answer:
        return Answer(item.n)

    async with running(store) as node:
        await change(node, source.plan(), service("sink", reply, replies=Answer))
        with pytest.raises(WiringError, match=r"flow/source.to: there is no service 'flow/sink'"):
            await change(node, source.plan())
        assert await source.ask(3) == 3


async def test_one_whose_start_fails_is_supervised(memory: Store) -> None:
    errors = [RuntimeError("not yet")]
    seen = Seen()

    async def start(me: Me) -> None:
        if errors:
            raise errors.pop()

    async with running(memory, service("sink", Seen().take)) as node:
        await change(node, service("sink", seen.take, start=start), replaced=["sink"])
        await node.send("sink", Item(1))
        await node.until(lambda: seen == [1])
        assert node.host("sink").restarts == 1


async def test_a_held_service_tries_at_once_when_it_is_changed(store: Store, clock: VirtualClock) -> None:
    seen = Seen()

    async def away(me: Me, item: Item) -> None:
        raise ConnectionError("nobody answers")

    on = RetryPolicy(on={"ConnectionError": "hold"})
    async with running(store, service("sink", away, retry=on), clock=clock) as node:
        await node.send_all("sink", [Item(n) for n in range(3)])
        await node.until(lambda: node.host("sink").lifecycle.state is State.HELD)
        await change(node, service("sink", seen.take, retry=on), replaced=["sink"])
        await node.until(lambda: seen == [0, 1, 2])
        assert node.host("sink").lifecycle.state is State.RUNNING


async def test_a_sender_that_waits_for_room_gets_it_from_the_new_one(store: Store) -> None:
    gate, seen = Gate(), Seen()
    queue = QueuePolicy(limit=2)

    async def slow(me: Me, item: Item) -> None:
        await gate.wait()
        seen.append(item.n)

    async with running(store, service("sink", slow, queue=queue)) as node:
        await node.send_all("sink", [Item(0), Item(1)])
        third = asyncio.ensure_future(node.send_all("sink", [Item(2)]))
        await node.until(lambda: node.host("sink").mailbox.senders.waiting == 1)
        gate.open()
        await change(node, service("sink", seen.take, queue=QueuePolicy(limit=10)), replaced=["sink"])
        await third
        await node.until(lambda: seen == [0, 1, 2])


LAYOUTS: list[dict[str, Any]] = [
    {},
    {"pool": 3},
    {"pool": 2, "key": "key"},
    {"order": "skip"},
    {"pool": 2, "key": "key", "order": "skip"},
]


@pytest.mark.parametrize("seed", range(12))
async def test_other_lines_lose_nothing_and_keep_the_order_of_keys(store: Store, seed: int) -> None:
    """Random changes of pool, key and order under load, with failures. A failure prints the seed as its parameter.

    The senders give the keys: a field named by the flow counts for what is accepted from then on.
    """
    chance = random.Random(seed)
    done: list[Item] = []
    tried: set[int] = set()
    retry = RetryPolicy(initial=0.01, max=0.02, attempts=50)

    async def act(me: Me, item: Item) -> None:
        await asyncio.sleep(chance.choice([0, 0, 0.001]))
        if item.n not in tried and chance.random() < 0.1:
            tried.add(item.n)
            raise ValueError(item.n)
        done.append(item)

    def sink(**layout: Any) -> ServiceSpec:
        return service("sink", act, retry=retry, **layout)

    keyed: dict[str, Any] = {"pool": 2, "key": "key"}
    layouts = [chance.choice(LAYOUTS) for _ in range(4)] if seed % 2 else [keyed, {}, {"pool": 4, "key": "key"}, {}]
    total = 400
    async with running(store, sink(**keyed)) as node:
        if store.durable:
            box = node.host("sink").mailbox
            box._window = box._size = 50

        async def send() -> None:
            for start in range(0, total, 20):
                group = [node.send("sink", Item(n, f"k{n % 5}"), key=f"k{n % 5}") for n in range(start, start + 20)]
                for one in group:
                    await one

        sending = asyncio.ensure_future(send())
        for layout in layouts:
            await asyncio.sleep(chance.random() * 0.02)
            await change(node, sink(**layout), replaced=["sink"])
        await sending
        end = time.monotonic() + 45
        while len({item.n for item in done}) < total and time.monotonic() < end:
            await asyncio.sleep(0.005)
        await node.idle()
        assert sorted(item.n for item in done) == list(range(total))
        assert set(node.statuses("sink")) == {"DONE"}
        assert node.host("sink").depth.count == 0
        if all(layout.get("order") is None and layout != {"pool": 3} for layout in layouts):
            for key in range(5):
                mine = [item.n for item in done if item.n % 5 == key]
                assert mine == sorted(mine)


async def test_messages_of_an_earlier_run_wait_for_a_service_that_comes_later(durable: Store) -> None:
    seen = Seen()

    async def hangs(me: Me, item: Item) -> None:
        await asyncio.sleep(3600)

    async with running(durable, service("sink", hangs), grace=0.05) as node:
        await node.send_all("sink", [Item(n) for n in range(5)])
        await node.until(lambda: node.host("sink").in_flight == 1)
    async with running(durable, service("other", Seen().take)) as node:
        await change(node, service("other", Seen().take), service("sink", seen.take))
        await node.until(lambda: seen == [0, 1, 2, 3, 4])


@dataclass(frozen=True)
class Reading:
    value: float


async def test_flows_may_have_different_classes_of_one_name(store: Store) -> None:
    theirs = make_dataclass("Reading", [("value", float)], frozen=True)
    got: list[Any] = []
    source = ServiceSpec(
        name="source", build=lambda context: context, targets=(TargetSpec(name="to", request=Reading, reply=Answer),)
    )
    other_answer = make_dataclass("Answer", [("n", int)], frozen=True)

    async def take(me: Me, reading: Any) -> Any:
        got.append(reading)
        return other_answer(int(reading.value))

    async with running(store) as node:
        flows = [
            plan(ServicePlan(spec=source, connect={"to": (Wire("other/sink"),)}), name="one"),
            plan(service("sink", take, accepts=theirs, replies=other_answer), name="other"),
        ]
        made = Change(node.engine, flows, ())
        made.build()
        await made.make(nothing, 1.0)
        port = node.engine.hosts["one/source"].port
        answer = await port.request(port.links("to")[0], Reading(3.0))
        assert answer == Answer(3)
        assert got == [theirs(3.0)]


async def test_what_waits_for_a_service_that_is_gone_is_looked_for_ever_more_rarely(
    store: Store, clock: VirtualClock
) -> None:
    seen, other = Seen(), service("other", Seen().take)
    async with running(store, service("sink", seen.take), other, clock=clock) as node:
        await node.send("sink", Item(1), delay=1.0)
        await change(node, other)
        looks = 0
        ask = node.engine.transport.next_due

        async def counted(after: int = 0) -> int:
            nonlocal looks
            looks += after == 0
            return await ask(after)

        node.engine.transport.next_due = counted  # type: ignore[method-assign]
        await node.advance(120)
        assert 1 <= looks < 15
        await change(node, other, service("sink", seen.take))
        await node.until(lambda: seen == [1])
