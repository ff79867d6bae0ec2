"""A conversation from its begin to its end: replies, failures, timers, restarts; many at once."""

from __future__ import annotations

import asyncio
import json
import threading
from pathlib import Path
from typing import Any

import pytest

from junctor import Target
from junctor.core.run import Run, RunQuery, RunStatus
from junctor.core.snapshot import read_snapshot, shown_attributes
from junctor.errors import RequestFailed
from junctor.services.conversation import Asked, on_complete, on_reply
from junctor.testing import RunningFlow, running
from tests.integration.conversations.travel import (
    Blocking,
    BookFlight,
    BookHotel,
    Booking,
    Careful,
    Confirmation,
    Itinerary,
    Patient,
    SlowHotel,
    Trip,
    agency,
)

TRANSPORTS = pytest.mark.parametrize("durable", [False, True], ids=["memory", "sqlite"])


def runs(plant: RunningFlow) -> list[Run]:
    return plant.node.archive.runs(RunQuery(limit=1000))


async def ask(plant: RunningFlow, trip: Trip, timeout: str = "30d") -> Itinerary:
    reply: Itinerary = await plant.node.target("booking", Trip, Itinerary).request(trip, timeout=timeout)
    return reply


@TRANSPORTS
@pytest.mark.parametrize("kind", [Booking, Blocking])
async def test_two_hundred_conversations_do_not_mix(tmp_path: Path, durable: bool, kind: type[Booking]) -> None:
    async with running(agency(kind), store=tmp_path / "store" if durable else None) as plant:
        replies = await asyncio.gather(*(ask(plant, Trip(number)) for number in range(200)))
        assert replies == [Itinerary(each, [f"flight {each}", f"hotel {each}"]) for each in range(200)]
        assert {(run.status, run.turns) for run in runs(plant)} == {(RunStatus.DONE, 3)}
        assert set(plant.state("hotel").values()) == {1}


@pytest.mark.parametrize("kind", [Booking, Blocking])
async def test_it_goes_on_behind_a_kill_between_its_callbacks(tmp_path: Path, kind: type[Booking]) -> None:
    async with running(agency(kind, SlowHotel), store=tmp_path / "store") as plant:
        await plant.send("booking", Trip(7))
        for _ in range(3):
            await plant.restart()
            assert [(run.status, run.turns) for run in runs(plant)] == [(RunStatus.OPEN, 1), (RunStatus.OPEN, 2)]
        await plant.advance("3h")
        await plant.restart()
        slow, booking = runs(plant)
        assert (slow.status, slow.turns, booking.status, booking.turns) == (RunStatus.DONE, 2, RunStatus.DONE, 3)
        assert reply_of(plant, booking) == {"number": 7, "parts": ["flight 7", "slow hotel 7"]}
        assert plant.state("airline") == {"7": 1}


async def test_what_was_asked_is_an_object_behind_a_restart_too(tmp_path: Path) -> None:
    class Curious(Booking):
        @on_reply("hotel")
        async def hotel_booked(self, reply: Confirmation, asked: Asked) -> None:
            self.confirmed.append(f"{asked.request}")

    async with running(agency(Curious, SlowHotel), store=tmp_path / "store") as plant:
        await plant.send("booking", Trip(7))
        await plant.restart()
        await plant.advance("3h")
        assert attributes(plant)["confirmed"][1:] == [str(BookHotel(7, "Seeblick"))]


async def test_a_failure_is_a_callback_and_the_same_request_may_be_made_again() -> None:
    async with running(agency(Careful)) as plant:
        with plant.expect_parked("Park", match="no room"):
            assert await ask(plant, Trip(7, "Full")) == Itinerary(7, ["flight 7", "hotel 7"])
        (run,) = runs(plant)
        assert run.snapshot is not None
        assert b'"tried":["RequestFailed"]' in run.snapshot


async def test_a_failure_that_no_callback_takes_ends_it() -> None:
    async with running(agency()) as plant:
        with (
            plant.expect_parked("Park"),
            pytest.raises(RequestFailed, match="the request 'hotel' failed.*no room"),
        ):
            await ask(plant, Trip(7, "Full"))
        (run,) = runs(plant)
        assert run.status is RunStatus.FAILED
        assert "no room" in run.error
        assert any("came late for conversation" in log.text for log in plant.logs), "the flight was booked for nothing"


async def test_an_early_reply_comes_now_and_the_conversation_goes_on() -> None:
    async with running(agency(Patient, SlowHotel)) as plant:
        asked = asyncio.create_task(ask(plant, Trip(7)))
        await plant.advance("2h")
        assert await asked == Itinerary(7, ["early"])
        assert statuses(plant) == [RunStatus.OPEN, RunStatus.OPEN]
        await plant.advance("1h")
        assert statuses(plant) == [RunStatus.DONE, RunStatus.DONE]
        assert attributes(plant)["confirmed"] == ["slow hotel 7"]


async def test_a_reply_after_its_timeout_is_late_and_ignored() -> None:
    async with running(agency(Patient, SlowHotel(delay="5h"))) as plant:
        asked = asyncio.create_task(ask(plant, Trip(7)))
        await plant.advance("4h")
        assert await asked == Itinerary(7, ["early"])
        assert attributes(plant) == {
            "trip": {"number": 7, "hotel": "Seeblick"},
            "confirmed": [],
            "late": ["RequestTimeout"],
        }
        before = plant.node.archive.run(runs(plant)[-1].seq)
        await plant.advance("1h")
        assert statuses(plant) == [RunStatus.DONE, RunStatus.DONE]
        assert plant.node.archive.run(runs(plant)[-1].seq) == before
        assert any("came late for conversation" in log.text for log in plant.logs)


async def test_a_callback_that_raises_parks_its_message_and_goes_on_when_it_is_sent_again() -> None:
    class Fussy(Booking):
        opened: list[str] = []

        @on_reply("hotel")
        async def hotel_booked(self, reply: Confirmation) -> None:
            self.opened.append("never stored")
            self.flight.ask(BookFlight(99))
            if not repaired:
                raise ValueError("no such room")
            self.confirmed.append(reply.id)

    repaired: list[bool] = []
    async with running(agency(Fussy)) as plant:
        asked = asyncio.create_task(ask(plant, Trip(7)))
        with plant.expect_parked(ValueError):
            await plant.advance("10m")
        assert attributes(plant)["opened"] == []
        assert plant.state("airline") == {"7": 1}
        assert statuses(plant) == [RunStatus.OPEN]
        repaired.append(True)
        await plant.resend(plant.parked[0])
        assert await asked == Itinerary(7, ["flight 7", "flight 99", "hotel 7"])


async def test_a_request_that_is_made_inside_a_callback_waits_there() -> None:
    class Impatient(Blocking):
        @on_complete
        def done(self) -> Itinerary:
            more = self.hotel.request(BookHotel(8, "Seeblick"), timeout="5s").result()
            self.flight.send(BookFlight(9))
            return Itinerary(self.trip.number, [*sorted(self.confirmed), more.id])

    async with running(agency(Impatient)) as plant:
        assert await ask(plant, Trip(7)) == Itinerary(7, ["flight 7", "hotel 7", "hotel 8"])
        await plant.idle()
        assert plant.state("airline") == {"7": 1, "9": 1}


async def test_a_callback_that_is_repeated_behind_a_savepoint_asks_once() -> None:
    class Twice(Blocking):
        @on_complete
        def done(self) -> Itinerary | None:
            if "flight 50" in self.confirmed:
                return Itinerary(self.trip.number, sorted(self.confirmed))
            self.flight.ask(BookFlight(50))
            self.airline.send(BookFlight(51))
            self.confirmed.append(self.hotel.request(BookHotel(52, "Seeblick"), timeout="5s").result().id)
            attempts.append(1)
            if len(attempts) < 3:
                raise ConnectionError("once more")
            return None

        @property
        def airline(self) -> Target[BookFlight, Confirmation]:
            return self.target("airline", BookFlight, Confirmation)

    attempts: list[int] = []
    async with running(agency(Twice)) as plant:
        asked = asyncio.create_task(ask(plant, Trip(7)))
        await plant.advance("10s")
        assert await asked == Itinerary(7, ["flight 50", "flight 7", "hotel 52", "hotel 7"])
        assert plant.state("airline") == {"7": 1, "50": 1, "51": 1}
        assert plant.state("hotel") == {"7": 1, "52": 1}
        assert len(attempts) == 3


async def test_coroutines_beside_blocking_callbacks_run_in_the_thread_too() -> None:
    class Mixed(Blocking):
        loops: list[bool] = []

        @on_complete
        async def done(self) -> Itinerary:
            await asyncio.sleep(0)
            more = await self.hotel.request(BookHotel(8, "Seeblick"), timeout="5s")
            await self.flight.send(BookFlight(9))
            self.loops.append(threading.current_thread() is threading.main_thread())
            return Itinerary(self.trip.number, [*sorted(self.confirmed), more.id])

    async with running(agency(Mixed)) as plant:
        assert await ask(plant, Trip(7)) == Itinerary(7, ["flight 7", "hotel 7", "hotel 8"])
        await plant.idle()
        assert attributes(plant)["loops"] == [False]
        assert plant.state("airline") == {"7": 1, "9": 1}


async def test_what_belongs_to_a_conversation_is_one_session() -> None:
    async with running(agency(Careful)) as plant:
        with plant.expect_parked("Park"):
            receipt = await plant.send("booking", Trip(7, "Full"))
        assert len({message.session for message in plant.messages}) == 1
        assert [hop.message.type for hop in plant.trace(receipt).hops].count("Confirmation") == 2


def reply_of(plant: RunningFlow, run: Run) -> Any:
    record = plant.node.archive.record(run.seq)
    assert record is not None
    assert record.reply is not None
    return json.loads(bytes(record.reply.payload))


def statuses(plant: RunningFlow) -> list[RunStatus]:
    return [run.status for run in runs(plant)]


def attributes(plant: RunningFlow) -> dict[str, Any]:
    """Those of the oldest conversation."""
    return shown_attributes(read_snapshot(runs(plant)[-1].snapshot))
