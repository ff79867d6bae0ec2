"""Business operations: each carrier has a tariff of its own."""

from iop import BusinessOperation
from messages import Price, PriceRequest


class Carrier(BusinessOperation):
    """Answers what a parcel costs. Name and tariff are settings of the item."""

    title = "carrier"
    base = 4.0
    per_kilogram = 1.0

    def on_init(self):
        self.log_info(f"{self.title}: {self.base:.2f} and {self.per_kilogram:.2f} a kilogram")

    def on_price(self, request: PriceRequest) -> Price:
        return Price(self.title, round(self.base + self.per_kilogram * request.kilograms, 2))
