"""One business process in three styles: each asks all carriers at the same time and answers with the best price."""

import asyncio

from iop import BusinessProcess
from messages import Offer, Price, PriceRequest, Shipment

CARRIERS = ("Snail", "Courier", "Rocket")


def offer_of(prices: list[Price]) -> Offer:
    best = min(prices, key=lambda price: price.euros)
    return Offer(best.carrier, best.euros, sorted(prices, key=lambda price: price.euros))


class AsyncioQuotes(BusinessProcess):
    """With asyncio: the callback waits for the answers."""

    def on_message(self, request: Shipment) -> Offer:
        return offer_of(asyncio.run(self.ask(PriceRequest(request.kilograms, request.to))))

    async def ask(self, question: PriceRequest) -> list[Price]:
        return await asyncio.gather(*(self.send_request_async_ng(name, question) for name in CARRIERS))


class CallbackQuotes(BusinessProcess):
    """With callbacks: nothing waits. The attributes of the process survive the end of the node between two answers."""

    def on_message(self, request: Shipment) -> None:
        self.prices = []
        for name in CARRIERS:
            self.send_request_async(name, PriceRequest(request.kilograms, request.to), completion_key=name)

    def on_response(self, request, response, call_request, call_response, completion_key):
        self.prices.append(call_response)

    def on_complete(self, request: Shipment, response) -> Offer:
        return offer_of(self.prices)


class MultiQuotes(BusinessProcess):
    """With one call for all."""

    def on_message(self, request: Shipment) -> Offer:
        question = PriceRequest(request.kilograms, request.to)
        answers = self.send_multi_request_sync([(name, question) for name in CARRIERS], timeout=30)
        return offer_of([response for _, _, response, status in answers if status == 1])
