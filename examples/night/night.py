"""Orders become sales at a partner, who is not always there. The two services of examples/night/flow.yaml."""

import json
import urllib.request
from dataclasses import dataclass

from junctor import Service, Target, handler, setting

PIECES = {"piece": 1, "box": 12, "pallet": 480}


@dataclass(frozen=True)
class Order:
    number: int
    unit: str
    amount: int


@dataclass(frozen=True)
class Sale:
    number: int
    pieces: int


class Orders(Service):
    """Counts in pieces. A unit that it does not know is an error of the order: a second attempt will not help."""

    sales: Target[Sale]

    @handler
    async def on_order(self, order: Order) -> None:
        await self.sales.send(Sale(order.number, order.amount * PIECES[order.unit]))


class Partner(Service):
    """Books sales at the partner. The key lets it book a sale once, however often it is sent."""

    url: str = setting("http://127.0.0.1:9100/sales", doc="Where the partner takes sales")

    @handler
    def on_sale(self, sale: Sale) -> None:
        headers = {"Content-Type": "application/json", "Idempotency-Key": self.message.effect}
        request = urllib.request.Request(self.url, json.dumps(vars(sale)).encode(), headers)
        with urllib.request.urlopen(request, timeout=10):
            self.log.info("sale %s is booked", sale.number)
