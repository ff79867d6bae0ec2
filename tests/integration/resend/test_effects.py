"""What the handler of a resent message asks others for has the effect of what was asked for the first time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from junctor import Flow, Park, Service, handler
from junctor.core.hop import delivery_of
from junctor.flows import wire
from junctor.messages import EFFECT, RESEND_OF, Kind, Message, Status
from junctor.node.node import Node, Plan
from junctor.runtime.effects import recall
from junctor.services import Target
from tests.integration.resend.shop import Order, Partner, Price, Shop


class World:
    """``script``: what becomes of the orders, one for each delivery; ``seen``: who was asked for what, and under which
    effect."""

    def __init__(self) -> None:
        self.script: list[str] = []
        self.seen: list[tuple[str, str, str]] = []

    def effects(self, who: str, order: str = "a") -> list[str]:
        return [effect for service, one, effect in self.seen if (service, one) == (who, order)]


class Bank(Service):
    """The other side."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world

    @handler
    async def on_order(self, order: Order) -> Price:
        self.world.seen.append((self.name, order.id, self.message.effect))
        return Price(order.amount)


class Gateway(Bank):
    """Asks the bank itself."""

    bank: Target[Order, Price]

    @handler
    async def on_order(self, order: Order) -> Price:
        self.world.seen.append((self.name, order.id, self.message.effect))
        return await self.bank.request(order)


class Orders(Bank):
    """Asks the bank once, or the gateway, and fails as the script says."""

    bank: Target[Order, Price]
    gate: Target[Order, Price]

    @handler
    async def on_order(self, order: Order) -> Price:
        what = self.world.script.pop(0)
        if what == "before":
            raise Park("not yet")
        if what == "other":
            await self.bank.request(Order("other"))
            raise Park("it asked for something else")
        price = await (self.gate if "gate" in what else self.bank).request(order)
        if "twice" in what:
            await self.bank.request(Order("b"))
        if "fails" in what:
            raise Park("after the request")
        return price


@asynccontextmanager
async def opened(directory: Path | None, world: World, **policies: Any) -> AsyncIterator[Shop]:
    flow = Flow("shop").add(Bank(world), name="bank")
    flow.add(Gateway(world), name="gateway", connect={"bank": "bank"})
    flow.add(Orders(world), name="orders", connect={"bank": "bank", "gate": "gateway"}, **policies)
    transport = "sqlite" if directory else "memory"
    async with Node(Plan(flows=[wire(flow)], transport=transport, directory=directory)) as node:
        yield Shop(node, Partner())


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture(params=["sqlite", "memory"])
async def shop(request: pytest.FixtureRequest, tmp_path: Path, world: World) -> AsyncIterator[Shop]:
    async with opened(tmp_path / "store" if request.param == "sqlite" else None, world) as shop:
        yield shop


async def order(shop: Shop, world: World, *script: str) -> int:
    """Let an order come to its end; its number."""
    world.script += script
    receipt = await shop.node.target("orders", Order).send(Order("a"))
    assert receipt is not None
    seq = int(receipt.id.rpartition("-")[2])
    await shop.until(lambda: shop.record(seq).status is Status.PARKED)
    return seq


async def again(shop: Shop, world: World, seq: int, script: str, **how: Any) -> int:
    """Send it again; the number of the new one."""
    world.script.append(script)
    await shop.resend(seq, **how)
    return max(one.message.seq for one in shop.all() if one.message.target == "shop/orders")


async def test_what_was_requested_keeps_its_effect_through_a_chain_of_resends(shop: Shop, world: World) -> None:
    first = await order(shop, world, "fails")
    second = await again(shop, world, first, "fails twice")
    third = await again(shop, world, second, "before")
    await again(shop, world, third, "twice")
    assert len(world.effects("bank")) == 3 and len(set(world.effects("bank"))) == 1
    [sent] = [one for one in shop.all() if one.message.id == world.effects("bank")[0]]
    assert sent.message.cause == first, "that of the request of the first message"
    assert len(set(world.effects("bank", "b"))) == 1, "that of the second one, which was the first to ask for it"
    assert len(world.effects("bank", "b")) == 2


async def test_on_purpose_it_is_another_effect(shop: Shop, world: World) -> None:
    first = await order(shop, world, "fails")
    await again(shop, world, first, "well", again=True)
    assert len(set(world.effects("bank"))) == 2


async def test_the_effect_goes_on_behind_the_one_that_was_asked(shop: Shop, world: World) -> None:
    first = await order(shop, world, "gate fails")
    await again(shop, world, first, "gate")
    assert len(set(world.effects("gateway"))) == 1 and len(world.effects("gateway")) == 2
    assert len(set(world.effects("bank"))) == 1 and len(world.effects("bank")) == 2


async def test_another_target_has_an_effect_of_its_own(shop: Shop, world: World) -> None:
    first = await order(shop, world, "fails")
    await again(shop, world, first, "gate")
    assert len(set(world.effects("bank"))) == 2


async def test_it_outlives_a_restart(tmp_path: Path, world: World) -> None:
    async with opened(tmp_path, world) as shop:
        first = await order(shop, world, "fails")
    async with opened(tmp_path, world) as shop:
        await again(shop, world, first, "well")
    assert len(set(world.effects("bank"))) == 1 and len(world.effects("bank")) == 2


async def test_the_word_of_a_damaged_message_is_not_taken(shop: Shop) -> None:
    headers = {RESEND_OF: "\x00", EFFECT: "\x00"}
    message = Message(9, "n1", 9, Kind.SEND, "shop/client", "shop/orders", "Order", b"{}", 1, headers=headers)
    delivery = delivery_of(message)
    delivery.damaged = True
    await recall(delivery, shop.node.engine.transport)
    assert delivery.special and delivery.effects is None
