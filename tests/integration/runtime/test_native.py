"""The same promises through the door that users take: classes, targets wired by type, policies as they are written."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from junctor import Service, Target, every, handler, subscribe
from junctor.flows.model import FlowModel
from junctor.flows.wiring import wire
from junctor.runtime.engine import Engine
from tests.unit.runtime.flowkit import Node, Store


@dataclass
class Order:
    number: int
    customer: str


@dataclass
class Price:
    number: int
    cents: int


@dataclass
class Invoiced:
    number: int
    total: int


class Pricing(Service):
    asked: list[int] = []

    @handler
    def price(self, order: Order) -> Price:
        type(self).asked.append(order.number)
        return Price(order.number, order.number * 100)


class Invoices(Service):
    pricing: Target[Order, Price]
    attempts: list[int] = []

    @handler
    async def on_order(self, order: Order) -> None:
        price = await self.pricing.request(order)
        self.state["total"] = self.state.get("total", 0) + price.cents
        await self.publish(Invoiced(order.number, self.state["total"]))
        type(self).attempts.append(order.number)
        if order.number == 2 and type(self).attempts.count(2) < 3:
            raise ConnectionError("the printer is away")
        if order.number == 3 and type(self).attempts.count(3) < 2:
            raise ValueError("once")


class Ledger(Service):
    lines: list[tuple[int, int]] = []
    ticked: list[int] = []

    @subscribe
    async def on_invoice(self, invoiced: Invoiced) -> None:
        type(self).lines.append((invoiced.number, invoiced.total))

    @every("10ms")
    def tick(self) -> None:
        type(self).ticked.append(1)


@asynccontextmanager
async def flow(store: Store) -> AsyncIterator[Node]:
    model = FlowModel("flow")
    model.add(Pricing())
    model.add(
        Invoices(),
        pool=3,
        key="customer",
        retry={"attempts": 3, "initial": "10ms", "on": {"ConnectionError": "hold"}},
        hold={"initial": "10ms"},
        connect={"pricing": "pricing"},
    )
    model.add(Ledger())
    engine = Engine(store.transport())
    await engine.open()
    engine.add(wire(model).plan)
    await engine.start()
    try:
        yield Node(engine, None)
    finally:
        await engine.stop(2)


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
async def test_orders_become_invoices_whatever_fails_in_between(kind: str, tmp_path: Path) -> None:
    for kept in (Pricing.asked, Invoices.attempts, Ledger.lines, Ledger.ticked):
        kept.clear()
    async with flow(Store(kind, tmp_path)) as node:
        await node.send_all("invoices", [Order(n, f"customer {n % 2}") for n in range(1, 7)])
        await node.until(lambda: len(Ledger.lines) == 6)
        await node.until(lambda: node.statuses("invoices") == ["DONE"] * 6)
        assert sorted(Pricing.asked) == [1, 2, 3, 4, 5, 6], "each price was asked for once"
        even, odd = ([line for line in Ledger.lines if line[0] % 2 == rest] for rest in (0, 1))
        assert even == [(2, 200), (4, 600), (6, 1200)], "order and state of one customer"
        assert odd == [(1, 100), (3, 400), (5, 900)]
        assert [record.attempt for record in node.records("invoices")] == [1, 1, 2, 1, 1, 1]
        assert Invoices.attempts.count(2) == 3, "held twice, no attempt spent"
        await node.until(lambda: len(Ledger.ticked) > 2)
