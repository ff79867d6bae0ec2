"""A travel agency: a booking that asks a hotel and an airline, and what they answer."""

from __future__ import annotations

import asyncio
import threading
import time
from dataclasses import dataclass, field

from junctor import Flow, Park, Service, Target, handler, setting
from junctor.errors import RequestError
from junctor.services.conversation import Asked, Conversation, on_complete, on_failure, on_reply, on_timer


@dataclass(frozen=True)
class Trip:
    number: int
    hotel: str = "Seeblick"


@dataclass(frozen=True)
class BookHotel:
    number: int
    name: str


@dataclass(frozen=True)
class BookFlight:
    number: int


@dataclass(frozen=True)
class Confirmation:
    id: str


@dataclass
class Itinerary:
    number: int
    parts: list[str] = field(default_factory=list)


class Hotel(Service):
    """Refuses guests of the house Full."""

    @handler
    async def on_book(self, booking: BookHotel) -> Confirmation:
        if booking.name == "Full":
            raise Park("no room")
        self.state[str(booking.number)] = self.state.get(str(booking.number), 0) + 1
        return Confirmation(f"hotel {booking.number}")


class SlowHotel(Conversation):
    """Thinks it over: it answers after a while, as a conversation of its own."""

    delay: str = setting("3h")
    booking: BookHotel

    @handler
    async def on_book(self, booking: BookHotel) -> Confirmation:
        self.booking = booking
        self.timer(self.delay, name="think")

    @on_timer("think")
    async def thought(self) -> Confirmation:
        return Confirmation(f"slow hotel {self.booking.number}")


class Airline(Service):
    @handler
    async def on_book(self, booking: BookFlight) -> Confirmation:
        self.state[str(booking.number)] = self.state.get(str(booking.number), 0) + 1
        return Confirmation(f"flight {booking.number}")


class Booking(Conversation):
    """Asks both and answers when it has both."""

    hotel: Target[BookHotel, Confirmation]
    flight: Target[BookFlight, Confirmation]
    trip: Trip
    confirmed: list[str] = []

    @handler
    async def on_trip(self, trip: Trip) -> Itinerary:
        self.trip = trip
        self.hotel.ask(BookHotel(trip.number, trip.hotel))
        self.flight.ask(BookFlight(trip.number))

    @on_reply("hotel")
    async def hotel_booked(self, reply: Confirmation) -> None:
        self.confirmed.append(reply.id)

    @on_reply
    async def booked(self, reply: Confirmation, asked: Asked) -> None:
        assert isinstance(asked.request, BookFlight)
        self.confirmed.append(reply.id)

    @on_complete
    async def done(self) -> Itinerary:
        return Itinerary(self.trip.number, sorted(self.confirmed))


class Blocking(Booking):
    """The same with callbacks that block, use threads and event loops of their own."""

    @handler
    def on_trip(self, trip: Trip) -> Itinerary:
        self.trip = trip
        thread = threading.Thread(target=self.ask_hotel)
        thread.start()
        thread.join()
        asyncio.run(self.ask_flight())

    def ask_hotel(self) -> None:
        self.hotel.ask(BookHotel(self.trip.number, self.trip.hotel))

    async def ask_flight(self) -> None:
        await asyncio.sleep(0)
        self.flight.ask(BookFlight(self.trip.number))

    @on_reply("hotel")
    def hotel_booked(self, reply: Confirmation) -> None:
        before = len(self.confirmed)
        time.sleep(0.001)
        assert len(self.confirmed) == before
        self.confirmed.append(reply.id)


class Careful(Booking):
    """Books another hotel where the first one fails, and gives up after a while."""

    tried: list[str] = []

    @on_failure("hotel")
    async def hotel_failed(self, error: RequestError) -> None:
        self.tried.append(type(error).__name__)
        if len(self.tried) < 2:
            self.hotel.ask(BookHotel(self.trip.number, "Seeblick"))
        else:
            self.fail(error)


class Patient(Booking):
    """Answers after two hours with what it has, and takes what comes later as well."""

    late: list[str] = []

    @handler
    async def on_trip(self, trip: Trip) -> Itinerary:
        self.trip = trip
        self.hotel.ask(BookHotel(trip.number, trip.hotel), timeout="4h")
        self.timer("2h", name="patience")

    @on_timer("patience")
    async def too_late(self) -> None:
        self.reply(Itinerary(self.trip.number, ["early"]))

    @on_failure
    async def failed(self, error: RequestError) -> None:
        self.late.append(type(error).__name__)

    @on_complete
    async def done(self) -> Itinerary:
        return Itinerary(self.trip.number, [*self.confirmed, *self.late])


def agency(booking: type[Conversation] = Booking, hotel: type[Service] | Service = Hotel) -> Flow:
    flow = Flow("agency")
    flow.add(hotel, name="hotel")
    flow.add(Airline())
    flow.add(booking, name="booking", connect={"hotel": "hotel", "flight": "airline"})
    return flow
