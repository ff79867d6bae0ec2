"""The flow that runs for long: numbered orders that must come without a gap and without a second one.

Each service checks by itself what it was given, in the line of the producer: nothing has to be kept or read back by
whoever watches, however many messages there were.

These variables change it: STEADY_KEEP (how long finished messages stay), STEADY_SLOW (seconds a delivery takes),
STEADY_QUEUE (messages that a queue holds), STEADY_WAIT (how long a sender waits for room in it).
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass

from junctor import Flow, Hold, Service, Target, handler

SLOW = float(os.environ.get("STEADY_SLOW", "0"))
LINES = 5


@dataclass(frozen=True)
class Numbered:
    line: str
    number: int
    mode: str = "plain"


@dataclass(frozen=True)
class Passed:
    line: str
    number: int


def check(service: Service, number: int) -> None:
    """Count what comes in its line; note what was left out or came twice."""
    state = service.state
    last: int = state.get("last", 0)
    if number != last + 1:
        state["wrong"] = [*state.get("wrong", [])[:20], f"{number} after {last}"]
    state["last"] = number


_met: dict[str, int] = {}
"""The last troublesome order of each line: no more is kept, for the memory of the process is measured."""


def is_first(order: Numbered) -> bool:
    """Whether this run of the node meets it for the first time."""
    before = _met.get(order.line) == order.number
    _met[order.line] = order.number
    return not before


class Take(Service):
    after: Target[Passed]

    @handler
    async def on_numbered(self, order: Numbered) -> None:
        check(self, order.number)
        if order.mode == "fail" and is_first(order):
            raise ValueError("not yet")
        if order.mode == "hold" and is_first(order):
            raise Hold("away", delay=0.05)
        await self.after.send(Passed(order.line, order.number))


class Keep(Service):
    @handler
    def on_passed(self, passed: Passed) -> None:
        check(self, passed.number)
        if SLOW:
            time.sleep(SLOW)


def steady() -> Flow:
    often = {"attempts": 1_000_000, "initial": 0.01, "max": 0.05}
    queue = {"limit": int(os.environ.get("STEADY_QUEUE", "10000")), "wait": os.environ.get("STEADY_WAIT", "5s")}
    keep = os.environ.get("STEADY_KEEP", "2m")
    flow = Flow("steady", retention={"done": keep, "failures": keep, "keys": keep})
    flow.add(Take(), pool=LINES, key="line", retry=often, queue=queue)
    return flow.add(Keep(), pool=2, key="line", retry=often, queue=queue)


flow = steady()
