"""How a conversation ends: in its first callback, by an operator, and what comes for it afterwards."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from junctor import Conversation, Flow, Service, Target, handler, on_reply, on_timer, subscribe
from junctor.core.run import CANCEL, Run, RunQuery, RunStatus
from junctor.errors import RequestFailed
from junctor.testing import RunningFlow, running
from tests.integration.conversations.travel import Booking, SlowHotel, Trip, agency

TRANSPORTS = pytest.mark.parametrize("durable", [False, True], ids=["memory", "sqlite"])


@dataclass(frozen=True)
class Question:
    way: str


class Desk(Conversation):
    """Ends in its first callback, in whichever way it is asked to."""

    @handler
    async def on_question(self, question: Question) -> str:
        if question.way == "reply":
            self.reply("early")
        elif question.way == "go on":
            self.reply("early")
            self.timer("1h", name="more")
        elif question.way == "fail":
            self.fail("no such way")
        elif question.way == "stop":
            next(iter(()))
        elif question.way == "return":
            return "at once"

    @on_timer
    async def more(self, name: str) -> None:
        self.reply("too late")


def runs(plant: RunningFlow) -> list[Run]:
    return plant.node.archive.runs(RunQuery(limit=1000))


@TRANSPORTS
async def test_in_the_first_callback(tmp_path: Path, durable: bool) -> None:
    async with running(Flow("f").add(Desk), store=tmp_path / "store" if durable else None) as plant:
        assert await plant.request("desk", Question("return")) == "at once"
        assert await plant.request("desk", Question("reply")) == "early"
        assert await plant.request("desk", Question("go on")) == "early"
        with pytest.raises(RequestFailed, match="no such way"):
            await plant.request("desk", Question("fail"))
        statuses = [RunStatus.FAILED, RunStatus.OPEN, RunStatus.DONE, RunStatus.DONE]
        assert [run.status for run in runs(plant)] == statuses
        await plant.advance("1h")
        assert runs(plant)[1].status is RunStatus.DONE
        assert any("replied already" in log.text for log in plant.logs)


async def test_without_the_reply_that_is_declared_the_message_is_parked() -> None:
    async with running(Flow("f").add(Desk)) as plant:
        with plant.expect_parked("EncodeError", match="the handler declares str and returned NoneType"):
            with pytest.raises(RequestFailed):
                await plant.request("desk", Question("nothing"))
        assert runs(plant) == []


async def test_a_stop_iteration_of_a_callback_is_an_error_like_any_other() -> None:
    async with running(Flow("f").add(Desk)) as plant:
        with plant.expect_parked("RuntimeError"):
            await plant.send("desk", Question("stop"))
            await plant.advance("1h")


@pytest.mark.parametrize("name", ["1", "{node}-1"])
async def test_an_operator_cancels_it(name: str) -> None:
    async with running(agency(Booking, SlowHotel)) as plant:
        target = plant.node.target("booking", Trip, Any)
        asked = asyncio.create_task(_asked(target.request(Trip(7), timeout="30d")))
        await plant.idle()
        key = name.format(node=plant.messages[0].node)
        await _asked(plant.node.target("booking", Any, handler=CANCEL).send("a mistake", key=key))
        await plant.idle()
        with pytest.raises(RequestFailed, match="a mistake"):
            await asked
        assert [run.status for run in runs(plant)] == [RunStatus.OPEN, RunStatus.CANCELLED]
        await plant.advance("3h")
        assert any("came late for conversation" in log.text for log in plant.logs)


async def _asked(pending: Any) -> Any:
    return await pending


@TRANSPORTS
async def test_a_reply_that_comes_twice_counts_once(tmp_path: Path, durable: bool) -> None:
    async with running(agency(Booking, SlowHotel), store=tmp_path / "store" if durable else None) as plant:
        await plant.send("booking", Trip(7))
        (flight,) = [message for message in plant.messages if message.type == "BookFlight"]
        await plant.resend(flight, again=True)
        assert [run.turns for run in runs(plant)] == [1, 2]
        await plant.advance("3h")
        booking = runs(plant)[-1]
        assert (booking.status, booking.turns) == (RunStatus.DONE, 3)


async def test_events_sends_and_time_are_those_of_any_service() -> None:
    @dataclass(frozen=True)
    class Noted:
        text: str

    class Board(Service):
        @subscribe
        async def on_noted(self, noted: Noted) -> None:
            self.state[noted.text] = 1

    class Echo(Service):
        @handler
        async def on_text(self, text: str) -> str:
            return text.upper()

    class Reporter(Conversation):
        echo: Target[str, str]

        @handler
        async def on_question(self, question: Question) -> None:
            self.echo.ask(f"{self.now():%Y} {self.message.type}")
            await self.publish(Noted("begun"))

        @on_reply
        async def heard(self, text: str) -> None:
            await self.publish(Noted(text))

    flow = Flow("f").add(Board).add(Echo).add(Reporter)
    async with running(flow) as plant:
        await plant.send("reporter", Question("x"))
        assert plant.state("board") == {"begun": 1, "2030 QUESTION": 1}
        assert [run.status for run in runs(plant)] == [RunStatus.DONE]
