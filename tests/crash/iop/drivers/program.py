"""A production that is killed: processes that set attributes and ask, wait and set timers; an operation that counts.

``python -m junctor run program.py``. What the operation does for a step of an order is counted in the state of
``tally``: exactly once. The mode of an order tells what goes wrong: ``fail`` the first attempt of each request, once
in each run of the node; ``refuse`` the last request, for good. While the file CRASH_HOLD is there, middle steps wait.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from junctor import Flow, Service, Target, handler
from junctor.dialects.iop.components import BusinessOperation, BusinessProcess
from junctor.dialects.iop.messages import Message
from junctor.errors import JunctorError
from tests.crash.runs.drivers.parts import OFTEN, WAIT, mark, met

HOLD = Path(os.environ.get("CRASH_HOLD", "no file"))
STEPS = ("left", "middle", "right")


@dataclass
class Order(Message):
    id: str = ""
    mode: str = "plain"


@dataclass
class Step(Message):
    order: str = ""
    step: str = ""
    mode: str = "plain"


@dataclass
class Told(Message):
    text: str = ""


@dataclass
class Basket:
    """Not a message: data of the process alone."""

    replies: dict[tuple[str, int], Told] = field(default_factory=dict)


@dataclass(frozen=True)
class Wanted:
    """What comes to the door."""

    id: str
    mode: str = "plain"


class Door(Service):
    """Asks for the work, and keeps what it was told at its end."""

    work: Target[Order, Told]

    @handler
    async def on_wanted(self, wanted: Wanted) -> None:
        mark(self, wanted.id, "order")
        try:
            told = (await self.work.request(Order(wanted.id, wanted.mode))).text
        except JunctorError as error:
            told = f"failed: {error}"
        mark(self, wanted.id, told)


class Tally(Service):
    """Counts what the operation tells."""

    @handler
    async def on_step(self, step: Step) -> None:
        mark(self, step.order, step.step)


class Desk(BusinessOperation):
    def on_message(self, request: Step) -> Told:
        while request.step == "middle" and HOLD.exists():
            time.sleep(0.01)
        if request.mode == "fail" and not met(f"{request.order}/{request.step}"):
            raise ConnectionError("ValueError: not yet")
        if request.mode == "refuse" and request.step == "after":
            raise ValueError("not yet, and never")
        self.send_request_async("tally", request)
        return Told(f"{request.step} of {request.order}")


class Work(BusinessProcess):
    """Asks three, waits for a timer when all are there, and asks once more; each callback leaves something."""

    def on_init(self) -> None:
        self.log: list[str] = []

    def on_message(self, request: Order) -> None:
        self.order = request
        self.basket = Basket()
        self.seen = {"message"}
        self.log.append(request.id)
        self.before = self._ask("before")
        for step in STEPS:
            self.send_request_async("Python.Desk", Step(request.id, step, request.mode), completion_key=step)

    def on_response(
        self, request: Order, response: Any, call_request: Any, call_response: Any, completion_key: str
    ) -> None:
        assert (self.order.id, self.log, self.before.text) == (request.id, [request.id], f"before of {request.id}")
        self.seen.add(completion_key)
        if completion_key == "pause":
            return
        assert call_request.step == completion_key
        self.basket.replies[completion_key, len(self.basket.replies)] = call_response
        if self.seen >= set(STEPS):
            self.set_timer(WAIT, "pause")

    def on_complete(self, request: Order, response: Any) -> Told:
        try:
            after = self._ask("after").text
        except RuntimeError:
            after = "refused"
        texts = sorted(told.text for told in self.basket.replies.values())
        return Told("; ".join([*texts, after, *sorted(self.seen)]))

    def _ask(self, step: str) -> Any:
        return self.send_request_sync("Python.Desk", Step(self.order.id, step, self.order.mode))


flow = Flow("runs").add(Door(), connect={"work": "python-work"}, pool=64, timeout=600, retry=OFTEN)
flow.add(Work, pool=8).add(Desk, pool=16, retry={**OFTEN, "on": {"ValueError": "park"}}).add(Tally())
