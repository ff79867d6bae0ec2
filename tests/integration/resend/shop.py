"""A shop whose partner refuses what the test says, for the tests of what becomes of parked messages."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import msgspec

from junctor import Flow, Hold, Park, Sensitive, Service, handler
from junctor.clock import Clock
from junctor.flows import wire
from junctor.messages import Status
from junctor.node.control.operations import perform
from junctor.node.node import Node, Plan
from junctor.node.resend import ResendView
from junctor.transports.base import Query, Record


@dataclass(frozen=True)
class Order:
    id: str
    amount: int = 1
    customer: str = "someone"


@dataclass(frozen=True)
class Price:
    cents: int


@dataclass(frozen=True)
class Payment:
    id: str
    card: Sensitive[str]


class Partner:
    """``refused`` are the orders that fail; ``done`` those that were handled, with the effect key of the message."""

    def __init__(self) -> None:
        self.refused: set[str] = set()
        self.away = False
        self.slow = asyncio.Event()
        self.slow.set()
        self.done: list[tuple[str, str]] = []
        self.seen: list[Order | Payment] = []


class Billing(Service):
    """Hands orders to the partner."""

    partner: ClassVar[Partner]

    @handler
    async def on_order(self, order: Order) -> Price:
        partner = self.partner
        await partner.slow.wait()
        if partner.away:
            raise Hold("the partner is away", delay=60)
        if order.id in partner.refused or "*" in partner.refused:
            raise Park(f"the partner refuses {order.customer}")
        partner.done.append((order.id, self.message.effect))
        partner.seen.append(order)
        return Price(order.amount * 100)


class Archive(Service):
    """Takes orders too."""

    partner: ClassVar[Partner]

    @handler
    async def on_order(self, order: Order) -> None:
        self.partner.done.append((f"archived {order.id}", self.message.effect))


class Till(Service):
    """Takes payments."""

    partner: ClassVar[Partner]

    @handler
    async def on_payment(self, payment: Payment) -> None:
        if payment.id in self.partner.refused:
            raise Park(f"{payment.card} is no card")
        self.partner.seen.append(payment)


class Printer(Service):
    @handler
    async def on_text(self, price: Price) -> None: ...


class Shop:
    """A running node with the shop. ``ask`` does an operation as the command line does."""

    def __init__(self, node: Node, partner: Partner) -> None:
        self.node = node
        self.partner = partner

    async def ask(self, operation: str, who: str = "ada", **arguments: Any) -> Any:
        raw = {name: msgspec.Raw(msgspec.json.encode(value)) for name, value in arguments.items()}
        return await perform(self.node, operation, raw, who=who)

    async def parked(self, *orders: Order | Payment, service: str = "billing") -> list[int]:
        """Let these orders be parked; their numbers."""
        self.partner.refused |= {order.id for order in orders}
        target = self.node.target(service, type(orders[0]))
        receipts = [await target.send(order) for order in orders]
        seqs = [int(receipt.id.rpartition("-")[2]) for receipt in receipts if receipt is not None]
        await self.until(lambda: all(self.record(seq).status is Status.PARKED for seq in seqs))
        self.partner.refused -= {order.id for order in orders}
        return seqs

    async def resend(self, *messages: int, **arguments: Any) -> ResendView:
        """Send again and wait for the end of the job."""
        if messages:
            arguments["messages"] = [str(seq) for seq in messages]
        return await self.ended(await self.ask("resend", **arguments))

    async def ended(self, view: ResendView) -> ResendView:
        while view.state == "running":
            view = await self.ask("resend-progress", job=view.job, seen=view.changes, wait=10)
        return view

    def record(self, seq: int) -> Record:
        record = self.node.archive.record(seq)
        assert record is not None
        return record

    def newest(self) -> Record:
        return self.all()[0]

    def all(self, **query: Any) -> list[Record]:
        return self.node.archive.search(Query(limit=10_000, **query))

    async def until(self, true: Any) -> None:
        async with asyncio.timeout(10):
            while not true():
                await asyncio.sleep(0.005)


@asynccontextmanager
async def open_shop(
    store: Path | None = None, transport: Any = None, clock: Clock | None = None, **billing: Any
) -> AsyncIterator[Shop]:
    """The shop on a store, or in memory."""
    partner = Billing.partner = Archive.partner = Till.partner = Partner()
    flow = Flow("shop")
    others = (("archive", Archive), ("till", Till), ("printer", Printer))
    for name, kind, policies in (("billing", Billing, billing), *((*each, {}) for each in others)):
        flow.add(kind(), name=name, **policies)
    given = transport or ("sqlite" if store else "memory")
    async with Node(Plan(flows=[wire(flow)], transport=given, directory=store, clock=clock)) as node:
        yield Shop(node, partner)
