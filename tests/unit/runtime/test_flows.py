"""Several flows in one node: each has its own names, types and subscribers; messages cross by the full address."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from junctor.core.spec import FlowPlan, ServicePlan
from junctor.errors import ConfigurationError
from junctor.messages import TypeRegistry
from junctor.runtime.engine import Engine
from tests.unit.runtime.flowkit import Answer, Item, Me, Node, Seen, Store, service


async def two_flows(store: Store, north: Seen, south: Seen) -> Node:
    async def across(me: Me, answer: Answer) -> None:
        await me.send("south/sink", Item(answer.n))
        await me.port.publish(Item(answer.n * 10))

    engine = Engine(store.transport())
    await engine.open()
    for name, seen in (("north", north), ("south", south)):
        specs = service("sink", seen.take, subscribes=True), service("across", across, accepts=Answer)
        plans = tuple(ServicePlan(spec=spec) for spec in specs)
        engine.add(FlowPlan(name=name, types=TypeRegistry(), services=plans))
    await engine.start()
    return Node(engine, None)


async def test_messages_cross_by_address_and_events_stay_in_their_flow(store: Store) -> None:
    north, south = Seen(), Seen()
    node = await two_flows(store, north, south)
    await node.engine.client("north").publish(Item(1))
    await node.until(lambda: north == [1])
    client = node.engine.client("north")
    await client.send(client.link_to("across", Answer), Answer(2))
    await node.until(lambda: (north, south) == ([1, 20], [2]))
    await node.engine.stop()


async def test_the_same_type_name_may_mean_another_class_in_another_flow(store: Store) -> None:
    @dataclass(frozen=True)
    class Other:
        text: str

    Other.__name__ = Other.__qualname__ = "Item"
    texts: list[str] = []

    async def take(me: Me, other: Other) -> None:
        texts.append(other.text)

    seen = Seen()
    engine = Engine(store.transport())
    await engine.open()
    for name, spec in (("a", service("sink", seen.take)), ("b", service("sink", take, accepts=Other))):
        engine.add(FlowPlan(name=name, types=TypeRegistry(), services=(ServicePlan(spec=spec),)))
    await engine.start()
    a, b = engine.client("a"), engine.client("b")
    await a.send(a.link_to("sink", Item), Item(1))
    await b.send(b.link_to("sink", Other), Other("x"))
    await Node(engine, None).until(lambda: (seen, texts) == ([1], ["x"]))
    await engine.stop()


async def test_two_flows_of_one_name_are_refused(memory: Store) -> None:
    engine = Engine(memory.transport())
    await engine.open()
    engine.add(FlowPlan(name="a", types=TypeRegistry(), services=()))
    with pytest.raises(ConfigurationError, match="two flows called 'a'"):
        engine.add(FlowPlan(name="a", types=TypeRegistry(), services=()))
    await engine.start()
    await engine.stop()
