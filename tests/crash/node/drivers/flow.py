"""The flow that is killed: every way a message can go through a node, each leaving a mark that can be counted.

An order goes to ``intake`` (a pool with a key), which sends a copy to ``audit`` (one line), asks ``pricing``
(blocking, with a key) for a price, and tells ``sink`` (one line). Each of them counts in its state, under the id of the
order, how often it happened: exactly once inside. ``sink`` also appends to a file outside: at least once, under one id.

``mode`` of an order: plain; ``fail`` raises at the first attempt of each run of the node, ``hold`` holds the audit,
``park`` is put aside; ``kill`` ends the process, ``fail-kill`` raises first in each run and ends it when it comes
again, ``hold-kill`` holds the audit once and ends it at the probe, ``ask-kill`` ends it behind its request,
``audit-kill`` in the one line of the audit. Where the flow has conditions, the one before the audit is false for
``unheard`` and cannot be evaluated for ``odd``.

As a program: ``python -m junctor run flow.py``, in a folder of its own. These variables change it: CRASH_WINDOW
(messages of a service in memory), CRASH_ATTEMPTS, CRASH_TIMEOUT (of the requests inside), CRASH_BEAT (a tick),
CRASH_SLOW (seconds that pricing takes), CRASH_ISOLATE (where pricing runs: node or worker), CRASH_BEGUN (a file for
every beginning of a delivery, with its time).
"""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from junctor import Flow, Hold, Park, Service, Target, every, handler, post, setting
from junctor.runtime import engine

engine.WINDOW = int(os.environ.get("CRASH_WINDOW", engine.WINDOW))
BEAT = os.environ.get("CRASH_BEAT", "50ms")
SLOW = float(os.environ.get("CRASH_SLOW", "0"))
BEGUN = os.environ.get("CRASH_BEGUN")

SEEN = "seen"
COUNT = "count"


@dataclass(frozen=True)
class Order:
    id: str
    line: str
    mode: str = "plain"


@dataclass(frozen=True)
class Done:
    id: str
    number: int


@dataclass(frozen=True)
class Copy:
    id: str
    mode: str


@dataclass(frozen=True)
class Quote:
    id: str
    line: str


@dataclass(frozen=True)
class Price:
    cents: int


@dataclass(frozen=True)
class Effect:
    name: str


@dataclass(frozen=True)
class Noted:
    number: int


def mark(service: Service, name: str) -> int:
    """Count in the line of the message, and keep under ``name`` which number it was: twice is twice."""
    begun(service, name)
    state = service.state
    number: int = state.get(COUNT, 0) + 1
    state[COUNT] = number
    entry = state.of(name)
    entry[SEEN] = [*entry.get(SEEN, []), number]
    return number


def begun(service: Service, name: str) -> None:
    """Tell the outside when this delivery began; in the time that all processes of the machine share."""
    if BEGUN:
        with open(BEGUN, "a") as file:
            file.write(f"{service.name} {name} {time.monotonic_ns()}\n")


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


_met: set[str] = set()


def met(what: str) -> bool:
    """Whether this run of the node has been here before."""
    before = what in _met
    _met.add(what)
    return before


class Door(Service):
    """The way in over HTTP: the answer means that the order is accepted."""

    orders: Target[Order]

    @post("/orders")
    async def take(self, order: Order) -> str:
        receipt = await self.orders.send(order)
        return receipt.id if receipt is not None else ""


class Intake(Service):
    copies: Target[Copy]
    prices: Target[Quote, Price]
    effects: Target[Effect]

    @handler
    async def on_order(self, order: Order) -> Done:
        number = mark(self, order.id)
        self._misbehave(order)
        await self.copies.send(Copy(order.id, order.mode))
        price = await self.prices.request(Quote(order.id, order.line))
        if order.mode == "ask-kill":
            die()
        await self.effects.send(Effect(f"{order.id}/price-{price.cents}"))
        return Done(order.id, number)

    def _misbehave(self, order: Order) -> None:
        again = met(f"order {order.id}")
        if order.mode == "park":
            raise Park("as asked")
        if order.mode == "fail" and not again:
            raise ValueError("not yet")
        if order.mode == "kill" or (order.mode == "fail-kill" and again):
            die()
        if order.mode == "fail-kill":
            raise ValueError("next time I kill")


class Audit(Service):
    effects: Target[Effect, Noted]

    @handler
    async def on_copy(self, copy: Copy) -> None:
        number = mark(self, copy.id)
        if copy.mode == "hold" and not met(f"copy {copy.id}"):
            raise Hold("away", delay=0.02)
        if copy.mode == "hold-kill" and not Path(copy.id).exists():
            Path(copy.id).touch()
            raise Hold("away", delay=0.02)
        if copy.mode in ("hold-kill", "audit-kill"):
            die()
        effect = Effect(f"{copy.id}/audit")
        if number % 2:
            await self.effects.send(effect)
        else:
            await self.effects.request(effect)


class Pricing(Service):
    effects: Target[Effect]
    edition: int = setting(0, doc="Nothing depends on it")

    @handler
    def on_quote(self, quote: Quote) -> Price:
        mark(self, quote.id)
        self.effects.send(Effect(f"{quote.id}/quote"))
        if SLOW:
            time.sleep(SLOW)
        return Price(len(quote.id))


class Beat(Service):
    effects: Target[Effect]

    @every(BEAT)
    async def beat(self) -> None:
        begun(self, "tick")
        number = self.state.get(COUNT, 0) + 1
        self.state[COUNT] = number
        await self.effects.send(Effect(f"beat-{number}"))


class Sink(Service):
    @handler
    async def on_effect(self, effect: Effect) -> Noted:
        with open("outside", "a") as file:
            file.write(f"{effect.name} {self.message.id}\n")
        return Noted(mark(self, effect.name))


def chain(beat: bool = True) -> Flow:
    often = {"attempts": int(os.environ.get("CRASH_ATTEMPTS", "100")), "initial": 0.01, "max": 0.05}
    timeout = float(os.environ.get("CRASH_TIMEOUT", "600"))
    flow = Flow("chain")
    flow.add(Door(), retry=often)
    flow.add(Intake(), pool=4, key="line", queue={"limit": 300, "wait": "60s"}, retry=often, timeout=600)
    flow.add(Audit(), retry=often, timeout=timeout)
    isolate: Any = os.environ.get("CRASH_ISOLATE", "node")
    flow.add(Pricing(), pool=3, key="line", retry=often, timeout=timeout, isolate=isolate)
    if beat:
        flow.add(Beat(), retry=often)
    return flow.add(Sink(), retry=often, timeout=timeout)


flow = chain()
