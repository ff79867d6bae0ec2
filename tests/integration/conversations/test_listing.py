"""A conversation among the runs: what it waits for, and what it keeps."""

from __future__ import annotations

import msgspec

from junctor.node.control.operations import perform
from junctor.node.views.runs import RunHistory, RunView
from junctor.testing import running
from tests.integration.conversations.travel import SlowHotel, Trip, agency


async def test_a_conversation_is_listed_and_shown() -> None:
    async with running(agency(hotel=SlowHotel)) as plant:
        await plant.send("booking", Trip(7))
        await plant.idle()
        listed: list[RunView] = await perform(plant.node, "runs", {})
        booking = next(run for run in listed if run.service.endswith("booking"))
        assert [wait.what for wait in booking.waits] == ["request hotel to hotel"]
        slow = next(run for run in listed if run.service.endswith("hotel"))
        assert [wait.what for wait in slow.waits] == ["timer think"]
        which = msgspec.Raw(msgspec.json.encode(str(booking.seq)))
        shown: RunHistory = await perform(plant.node, "run", {"which": which})
        assert shown.attributes["trip"] == {"number": 7, "hotel": "Seeblick"}
        await plant.advance("4h")
