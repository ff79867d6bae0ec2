"""What an order is, and what it comes to. The only code of the example's flow; all else is in flow.yaml."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated

from msgspec import Meta

from junctor import Service, Target, handler


@dataclass(frozen=True)
class Order:
    """A row of a file."""

    id: str
    customer: str
    item: str
    count: Annotated[int, Meta(ge=1)]
    price: Annotated[Decimal, Meta(description="of one piece")]


@dataclass(frozen=True)
class PricedOrder:
    """An order with what it comes to."""

    id: str
    customer: str
    item: str
    count: int
    total: Decimal


class Orders(Service):
    """Multiplies."""

    priced: Target[PricedOrder]

    @handler
    async def on_order(self, order: Order) -> None:
        total = order.count * order.price
        await self.priced.send(PricedOrder(order.id, order.customer, order.item, order.count, total))
