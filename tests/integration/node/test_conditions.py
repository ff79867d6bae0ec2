"""Conditions as a user meets them: a flow file, a node in a process, a message that cannot be judged, a kill."""

from __future__ import annotations

import signal
import time
from typing import Any

from tests.integration.node.conftest import PATIENCE, Junctor

SERVICES = """
from dataclasses import dataclass, field
from junctor import Service, Target, action, get, handler


@dataclass(frozen=True)
class Reading:
    sensor: str
    value: float
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Verdict:
    by: str


class Monitor(Service):
    readings: Target[Reading]
    judges: Target[Reading, Verdict]

    @action
    async def measure(self, value: float, room: str = "") -> str:
        sent = await self.readings.send(Reading("cpu", value, {"room": room} if room else {}))
        return "accepted" if sent else "nowhere"

    @action
    def judge(self, value: float) -> str:
        return self.judges.request(Reading("cpu", value)).result().by


class Alarm(Service):
    @handler
    async def on_reading(self, reading: Reading) -> None: ...


class High(Service):
    @handler
    async def judge(self, reading: Reading) -> Verdict:
        return Verdict("high")
"""

FLOW = """flow: plant
services:
  monitor:
    class: rooms:Monitor
    connect:
      readings:
        - to: alarm
          when: body.value > 80 && body.tags.room == "a"
      judges: {to: high, when: body.value > 80}
  alarm: {class: rooms:Alarm}
  high: {class: rooms:High}
"""


def written(junctor: Junctor) -> None:
    (junctor.folder / "rooms.py").write_text(SERVICES)
    (junctor.folder / "flow.yaml").write_text(FLOW)


def parked(junctor: Junctor, count: int) -> list[Any]:
    """The groups of parked messages, when there are so many of these."""
    until = time.monotonic() + PATIENCE
    while True:
        found: list[Any] = junctor.json("parked")
        if sum(group["count"] for group in found) >= count:
            return found
        assert time.monotonic() < until, found
        time.sleep(0.02)


def test_a_message_that_no_condition_can_judge_is_parked_and_survives_a_kill(junctor: Junctor) -> None:
    written(junctor)
    node = junctor.start("flow.yaml", "--port", "0")
    assert 'readings -> alarm  (Reading, by name, when body.value > 80 && body.tags.room == "a")' in node.said
    way = [{"to": "plant/alarm", "when": 'body.value > 80 && body.tags.room == "a"'}]
    assert junctor.json("services")[0]["connections"]["readings"] == way
    assert junctor.json("status")["services"][0]["connections"]["readings"] == way
    assert "judges leads to plant/high when body.value > 80" in junctor.here("services")
    assert junctor.here("call", "monitor", "measure", "value=10").strip() == "nowhere"
    assert junctor.here("call", "monitor", "measure", "value=90", "room=a").strip() == "accepted"
    for number in range(5):
        assert junctor.here("call", "monitor", "measure", f"value={90 + number}").strip() == "accepted"
    node.signal(signal.SIGKILL)
    node.ends(-signal.SIGKILL)
    junctor.start("flow.yaml", "--port", "0")
    (group,) = parked(junctor, 5)
    assert group["count"] == 5 and "ConditionFailed" in group["error"] and "monitor.readings (flow.yaml:" in str(group)
    junctor.here("stop")


def test_a_request_that_fits_nowhere_is_an_error_of_the_caller(junctor: Junctor) -> None:
    written(junctor)
    junctor.start("flow.yaml", "--port", "0")
    assert junctor.here("call", "monitor", "judge", "value=90").strip() == "high"
    said = junctor.here("call", "monitor", "judge", "value=1", code=1)
    assert "monitor.judges: none of its conditions holds: `body.value > 80`. Give the target a connection" in said
    junctor.here("stop")


def test_nobody_outside_parks_a_message_by_a_header(junctor: Junctor) -> None:
    written(junctor)
    junctor.start("flow.yaml", "--port", "0")
    body = '{"sensor": "cpu", "value": 1}'
    for header in ("junctor-condition=made up", "Junctor-Condition=made up", "junctor-handler=judge"):
        for command in ("send", "request"):
            said = junctor.here(command, "alarm", body, "--header", header, code=1)
            assert f'the header "{header.partition("=")[0]}" is reserved' in said
    junctor.here("send", "alarm", body, "--header", "who=me")
    assert junctor.json("parked") == []
    junctor.here("stop")


def test_check_and_run_refuse_the_same_conditions(junctor: Junctor) -> None:
    written(junctor)
    (junctor.folder / "flow.yaml").write_text(FLOW.replace("body.value > 80 &&", "body.valu > 80 &&"))
    for command in ("check", "run"):
        said = junctor(command, "flow.yaml", code=78)
        assert 'the body has no field "valu"' in said and 'Did you mean "value"?' in said
