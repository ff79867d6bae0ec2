"""What travels between the items of the production."""

from dataclasses import dataclass, field

from iop import Message


@dataclass
class Shipment(Message):
    """A parcel, and the style of the process that is to find out what it costs."""

    kilograms: float
    to: str
    style: str = "asyncio"


@dataclass
class PriceRequest(Message):
    kilograms: float
    to: str


@dataclass
class Price(Message):
    carrier: str
    euros: float


@dataclass
class Offer(Message):
    """The best price, and all of them."""

    best: str
    euros: float
    prices: list[Price] = field(default_factory=list)
