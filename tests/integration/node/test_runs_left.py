"""A change or a start that takes the service from open runs is told of, with their number and what to do."""

from __future__ import annotations

import json

from tests.crash.node.node import until
from tests.integration.node.conftest import Junctor

TRIPS = """
from dataclasses import dataclass
from junctor import Conversation, Flow, Service, Workflow, handler


@dataclass(frozen=True)
class Trip:
    number: int


class Booking(Workflow):
    @handler(key="number")
    async def on_trip(self, trip: Trip) -> str:
        await self.sleep("1h")
        return "booked"


class Talking(Conversation):
    @handler(key="number")
    def on_trip(self, trip: Trip):
        self.timer("1h")


class Other(Service):
    @handler
    async def on_trip(self, trip: Trip): ...
"""
FLOW = "flow: travel\nservices:\n  booking: {class: trips:Booking}\n  other: {class: trips:Other}\n"


def test_a_change_is_refused_unless_the_user_says_so(junctor: Junctor) -> None:
    (junctor.folder / "trips.py").write_text(TRIPS)
    flow = junctor.folder / "flow.yaml"
    flow.write_text(FLOW)
    junctor.start("flow.yaml")
    for number in (1, 2):
        junctor.here("send", "booking", json.dumps({"number": number}), "--type", "Trip")
    flow.write_text(FLOW.replace("booking:", "bookings:"))
    for words in (("apply",), ("apply", "--dry-run"), ("apply", "flow.yaml")):
        said = junctor.here(*words, code=1)
        assert "no service would be there for 2 open runs of travel/booking" in said
        assert "New there: bookings; of a service that is renamed keep the name" in said
    flow.write_text(FLOW.replace("trips:Booking", "trips:Talking"))
    assert "2 open runs of travel/booking" in junctor.here("apply", code=1), "of another kind it cannot go on"
    flow.write_text(FLOW.replace("  other: {class: trips:Other}\n", ""))
    assert "- other" in junctor.here("apply"), "nothing durable is lost"
    flow.write_text(FLOW.replace("booking:", "bookings:"))
    assert "- booking" in junctor.here("apply", "--yes", "--dry-run")
    assert "applied" in junctor.here("apply", "--yes")
    runs = junctor.json("workflows", "--status", "open")
    assert len(runs) == 2, "they wait"
    junctor.here("stop")
    junctor.start("flow.yaml")
    told = [alert["text"] for alert in junctor.json("alerts")["history"] if alert["kind"] == "runs-left"]
    assert told == ["2 open runs of travel/booking cannot go on: no workflow or conversation runs there"]
    until(lambda: told[0] in junctor.here("logs"), "the log has it")
    for run in runs:
        assert "is cancelled" in junctor.here("workflows", "cancel", str(run["seq"]), "--now")
