"""The services with which a node raises alerts and sends them: written like anybody's, on the public contract.

``alerts`` looks, remembers and decides; what is to be told it sends to ``notices`` in the same transaction, so a notice
is durable, sent for each event once, and survives the death of the process. ``notices`` delivers: it is retried with
growing waits for hours, each receiver in a line of its own, and what nobody takes is parked like any message.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import msgspec

from junctor.core.alarm import Notification, RuleState, step
from junctor.core.signals import SYSTEM, Observation, signals_of
from junctor.core.spec import FlowPlan
from junctor.flows import FlowModel, wire
from junctor.flows.alerts import AlertRule
from junctor.flows.destinations import Destination, Receiver
from junctor.node.alerting.book import NAME, Book, Kept
from junctor.node.alerting.notice import Notice, notice_of
from junctor.node.alerting.sending import send
from junctor.observe.logs import ALERT
from junctor.services import Service, Target, every, handler

log = logging.getLogger("junctor.alerts")

PERIOD = "2s"
AT_ONCE = 8
"""Receivers that are told at the same time: one that never answers holds up nobody else."""

RETRY = {"attempts": 40, "initial": 2.0, "factor": 2.0, "max": 600.0}
"""Some six hours."""


class Rules(Protocol):
    """What the services ask of their node."""

    rules: Mapping[str, AlertRule]
    """By ``flow/name``."""

    @property
    def named(self) -> str:
        """The node as people know it."""

    @property
    def directory(self) -> Path | None: ...

    async def look(self) -> Observation: ...

    def destination(self, rule: str, way: str) -> Destination | None: ...


class Alerts(Service):
    """Looks at the node and decides who is told what."""

    notices: Target[Notice]

    def __init__(self, node: Rules) -> None:
        super().__init__()
        self._node = node
        self._base: tuple[float, float] | None = None

    @every(PERIOD)
    async def look(self) -> None:
        """Compare what there is with what is known, and tell the difference."""
        seen = await self._node.look()
        book = self.state.get(NAME, Book(), type=Book)
        now = self._steady(book, seen)
        kept: dict[str, Kept] = {}
        for name, rule in self._node.rules.items():
            before = book.rules.get(name, Kept())
            signals = signals_of(rule.when, rule.hours, name.partition("/")[0], seen)
            state, told = step(rule.pace, before.state, signals, now, seen.time)
            to = before.to
            if told is not None:
                to = await self._tell(name, rule, told, seen.time)
            if state != RuleState():
                kept[name] = Kept(state, to)
        if kept != book.rules:
            self.state[NAME] = Book(steady=now, wall=seen.time, rules=kept)

    def _steady(self, book: Book, seen: Observation) -> float:
        """A clock that goes on with the monotonic one, and over restarts with that of the wall."""
        if self._base is None:
            self._base = (seen.monotonic, book.steady_at(seen.time))
        return self._base[1] + seen.monotonic - self._base[0]

    async def _tell(self, name: str, rule: AlertRule, told: Notification, time: int) -> tuple[str, ...]:
        notice = notice_of(name, told, self._node.named, self._node.directory, time)
        for way, destination in rule.destinations.items():
            await self.notices.send(msgspec.structs.replace(notice, way=way, to=destination.to))
        log.warning("%s", notice.text.replace("\n", "; "), extra=_labels(notice))
        return tuple(destination.to for destination in rule.destinations.values())


def _labels(notice: Notice) -> dict[str, str]:
    """A line about a single service is one of its lines."""
    about = {item.service for item in notice.items}
    event = "" if notice.state == "resolved" else ALERT
    return {"event": event, "service": about.pop() if len(about) == 1 else ""}


class Notices(Service):
    """Sends each notice to its receiver."""

    def __init__(self, node: Rules) -> None:
        super().__init__()
        self._node = node

    @handler
    def deliver(self, notice: Notice) -> None:
        """Send it, as often as it takes."""
        destination = self._node.destination(notice.rule, notice.way)
        if destination is None:
            self.log.info("%s: the rule has no %s any more; nobody is told", notice.rule, notice.way)
            return
        if isinstance(destination, Receiver):
            self.target(f"{notice.flow}/{destination.name}").send(notice.plain())
            return
        send(destination, notice, self.message.effect, lambda: self.stopping)


def system_flow(node: Rules) -> FlowPlan:
    """The flow of these services."""
    flow = FlowModel(SYSTEM).add(Alerts(node))
    flow.add(Notices(node), pool={"size": AT_ONCE, "key": "to"}, retry=RETRY)
    return wire(flow).plan
