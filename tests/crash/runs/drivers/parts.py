"""What is around a durable service in these tests: who asks it, whom it asks, and where its effects are counted.

Each service counts in its state, under the id of the order and the step, how often it was asked: exactly once. The mode
of an order tells what is to go wrong: ``fail`` the first attempt of each request, once in each run of the node;
``refuse`` parks the last request.
"""

from __future__ import annotations

import asyncio
import os
import random
from dataclasses import dataclass
from typing import Any

from junctor import Flow, Park, Service, Target, handler
from junctor.errors import JunctorError

SEEN = "seen"
OFTEN: dict[str, Any] = {"attempts": 100, "initial": 0.01, "max": 0.05}
WAIT = float(os.environ.get("CRASH_WAIT", "0.01"))
"""Seconds that the timers of the runs take."""

DELAY = float(os.environ.get("CRASH_DELAY", "0"))
"""Seconds that an answer takes at most; how many is drawn anew by each process."""

MISTAKE = bool(os.environ.get("CRASH_MISTAKE"))
"""The code of the runs is wrong, until the node is started with the right one."""

PATIENT: dict[str, Any] = {"attempts": 1} if MISTAKE else OFTEN
"""Wrong code is not tried a hundred times."""

OUTSIDE = "outside"
"""A file in the folder of the node: what it holds happened outside."""

FIRST = "first"
LAST = "last"


@dataclass(frozen=True)
class Order:
    id: str
    mode: str = "plain"


@dataclass(frozen=True)
class Ask:
    id: str
    step: str
    mode: str = "plain"


@dataclass(frozen=True)
class Given:
    text: str


@dataclass(frozen=True)
class Note:
    id: str
    step: str


@dataclass(frozen=True)
class Approval:
    by: str


@dataclass(frozen=True)
class Done:
    id: str
    text: str


_met: set[str] = set()


def met(what: str) -> bool:
    """Whether this run of the node has been here before."""
    before = what in _met
    _met.add(what)
    return before


async def late() -> None:
    """Take a while, so that ends of requests come in another order each time."""
    if DELAY:
        await asyncio.sleep(random.random() * DELAY)


def trip() -> None:
    """What wrong code does."""
    if MISTAKE:
        raise LookupError("a mistake")


def mark(service: Service, id: str, step: str) -> None:
    """Count it, under its own name."""
    entry = service.state.of(f"{id}/{step}")
    entry[SEEN] = entry.get(SEEN, 0) + 1


class Door(Service):
    """Asks for the work, and keeps what it was told at its end."""

    work: Target[Order, Done]

    @handler
    async def on_order(self, order: Order) -> None:
        mark(self, order.id, "order")
        try:
            # Images of a power cut are worked off one after the other, some of them much later.
            told = (await self.work.request(order, timeout="1h")).text
        except JunctorError as error:
            told = f"failed: {error.error_type}" if hasattr(error, "error_type") else repr(error)
        mark(self, order.id, told)


class Desk(Service):
    """Answers what it is asked."""

    @handler
    async def on_ask(self, ask: Ask) -> Given:
        mark(self, ask.id, ask.step)
        await late()
        if ask.mode == "fail" and not met(f"{ask.id}/{ask.step}"):
            raise ValueError("not yet")
        if ask.mode == "refuse" and ask.step == LAST:
            raise Park("as asked")
        return Given(f"{ask.step} of {ask.id}")


class Sink(Service):
    @handler
    async def on_note(self, note: Note) -> None:
        mark(self, note.id, note.step)
        await late()


def around(flow: Flow, sink: Service | None = None) -> Flow:
    """Add everything but the durable service, which is called ``work`` and has the targets ``desk`` and ``sink``."""
    flow.add(Door(), connect={"work": "work"}, pool=8, timeout=600, retry=OFTEN)
    flow.add(Desk(), pool=4, retry=OFTEN)
    return flow.add(sink or Sink(), name="sink", retry=OFTEN)
