"""The alerts of a node: the rules of its flows, what is open now, and whether its receivers can be reached."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from junctor.clock import SECOND, instant
from junctor.core.alarm import Alarm
from junctor.core.hours import Hours
from junctor.core.signals import SYSTEM, Observation, Signal, When, signals_of
from junctor.core.spec import FlowPlan
from junctor.errors import ConfigurationError, JunctorError, UnknownTarget, nearest
from junctor.flows import Wiring
from junctor.flows.alerts import AlertRule
from junctor.flows.destinations import Destination, Receiver, secrets_of
from junctor.node.alerting.book import ADDRESS, Book, Kept, book_in
from junctor.node.alerting.notice import trial_notice
from junctor.node.alerting.outlook import Aside, Outlook, Read, Underway, glance, put_aside
from junctor.node.alerting.sending import send
from junctor.observe.secrets import register

if TYPE_CHECKING:
    from junctor.runtime.engine import Engine


ALWAYS = When(parked=1, suspended=1, stopped=1, held=60.0, disk=90.0, wal=64 * 1024 * 1024)
"""What a node shows without any rule."""


class OpenAlert(msgspec.Struct):
    """What is wrong now. ``rule`` is ``flow/name``, empty where no rule is about it; ``told`` is when the rule last
    told somebody, ``to`` whom. ``untold`` are those whose notice was not taken yet, or was given up."""

    rule: str
    kind: str
    service: str
    since: datetime
    count: int
    text: str
    command: str
    told: datetime | None = None
    to: tuple[str, ...] = ()
    untold: tuple[str, ...] = ()


class Tried(msgspec.Struct):
    """What became of a test notice."""

    rule: str
    to: str
    ok: bool
    seconds: float
    error: str = ""


class Alerting:
    """What a node has of its alerts.

    :param read: asks the archive in a thread.
    :param on: whether rules are watched and somebody is told.
    """

    def __init__(
        self,
        engine: Engine,
        directory: Path | None,
        read: Read,
        on: bool = True,
    ) -> None:
        self.directory = directory
        self.rules: Mapping[str, AlertRule] = {}
        self._on = on
        self._engine = engine
        self._read = read
        self._outlook = Outlook(engine, read)
        self._seen: Observation | None = None
        self._plan: FlowPlan | None = None

    # Rules --------------------------------------------------------------------------------------------------

    def use(self, flows: Iterable[Wiring]) -> None:
        """Go by the rules of these flows from now on."""
        self.rules = dict(_rules_of(flows))
        register(text for rule in self.rules.values() for one in rule.destinations.values() for text in secrets_of(one))

    def with_system(self, flows: Sequence[Wiring]) -> list[FlowPlan]:
        """The plans of these flows, and that of the services that tell somebody where a rule wants it.

        :raises ConfigurationError: a flow has the name of the node's own.
        """
        plans = [flow.plan for flow in flows]
        if not self._on or not any(True for _ in _rules_of(flows)):
            return plans
        if any(plan.name == SYSTEM for plan in plans):
            fix = "Give the flow another name: the node sends its alerts under this one."
            raise ConfigurationError(f'the name "{SYSTEM}" is taken', where=f"flow {SYSTEM}", fix=fix)
        if self._plan is None:
            from junctor.node.alerting.service import system_flow  # nodes that send nothing do without it

            self._plan = system_flow(self)
        return [*plans, self._plan]

    @property
    def named(self) -> str:
        """The node as people know it: its directory's name, or its own, and the machine."""
        opened = self._engine.opened
        name = self.directory.name if self.directory is not None else opened.node if opened is not None else ""
        return f"{name} on {socket.gethostname()}"

    async def look(self) -> Observation:
        """What the rules need to know."""
        seen = await self._outlook.look({word for rule in self.rules.values() for word in rule.when.words})
        self._seen = seen
        return seen

    def destination(self, rule: str, way: str) -> Destination | None:
        """Where this way of a rule leads now; None where the rule, or the way, is gone."""
        found = self.rules.get(rule)
        return None if found is None else found.destinations.get(way)

    # What is open -------------------------------------------------------------------------------------------

    async def open(self) -> list[OpenAlert]:
        """What is wrong now, by rule."""
        return self.open_with(await self._read(put_aside))

    def open_with(self, aside: Aside) -> list[OpenAlert]:
        """The same, where it is known what was put aside."""
        book = book_in(self._engine.transport.state(ADDRESS, ""))
        return open_alerts(book, glance(self._engine, aside), aside.underway, self.rules, self._seen)

    # Test ---------------------------------------------------------------------------------------------------

    def tests(self, rule: str | None) -> list[Callable[[], Tried]]:
        """Work to be done in threads: each sends a test notice to one receiver.

        :param rule: ``name`` or ``flow/name``; None for all rules.
        :raises UnknownTarget: there is no such rule, or none at all.
        """
        names = [name for name in self.rules if rule is None or rule in (name, name.partition("/")[2])]
        if not names:
            known = [name.partition("/")[2] for name in self.rules]
            fix = nearest(rule or "", known).strip() or "Write one under alerts: in the flow file."
            text = f'there is no alert rule "{rule}"' if rule else "no rule sends alerts"
            raise UnknownTarget(text, fix=fix)
        return [
            self._test(name, destination) for name in names for destination in self.rules[name].destinations.values()
        ]

    def _test(self, name: str, destination: Destination) -> Callable[[], Tried]:
        now = self._engine.clock.time_ns()
        notice = msgspec.structs.replace(trial_notice(name, self.named, self.directory, now), to=destination.to)

        port = self._engine.client(name.partition("/")[0])

        def attempt() -> Tried:
            began = time.monotonic()
            try:
                if isinstance(destination, Receiver):
                    port.send(port.link_to(destination.name, Any), notice.plain()).result()
                else:
                    send(destination, notice, f"test-{now}")
            except JunctorError as error:
                return Tried(name, destination.to, False, time.monotonic() - began, str(error))
            return Tried(name, destination.to, True, time.monotonic() - began)

        return attempt


def _rules_of(flows: Iterable[Wiring]) -> Iterator[tuple[str, AlertRule]]:
    for flow in flows:
        for rule in flow.model.alerts:
            yield f"{flow.plan.name}/{rule.name}", rule


def open_alerts(
    book: Book,
    seen: Observation,
    underway: Container[Underway] = (),
    rules: Mapping[str, AlertRule] | None = None,
    looked: Observation | None = None,
) -> list[OpenAlert]:
    """What is open by the book, then what a node always shows and no rule is about.

    :param underway: the notices that were not taken yet.
    :param rules: those in force; None takes the book as it is.
    :param looked: what the rules saw last, with what takes questions to the store.
    """
    always = {signal.key: signal for signal in _always(seen)}
    found: dict[tuple[str, str], OpenAlert] = {}
    for name, kept in book.rules.items():
        if rules is None or name in rules:
            now = always | _now(name, rules, looked) | _now(name, rules, seen)
            for key, alarm in kept.state.alarms.items():
                if alarm.raised:
                    found[name, key] = _told(name, alarm, kept, now.get(key), underway)
    known = {key for _, key in found}
    return [*found.values(), *(_untold(signal) for key, signal in always.items() if key not in known)]


def _now(name: str, rules: Mapping[str, AlertRule] | None, seen: Observation | None) -> dict[str, Signal]:
    """The reasons of a rule at this moment: the book has them as they were when somebody was told."""
    if rules is None or seen is None:
        return {}
    rule = rules[name]
    return {one.key: one for one in signals_of(rule.when, rule.hours, name.partition("/")[0], seen).found}


def _told(rule: str, alarm: Alarm, kept: Kept, signal: Signal | None, underway: Container[Underway]) -> OpenAlert:
    """An alarm of a rule, with the count and text of this moment where they are known."""
    fresh = signal or alarm
    at = instant(kept.state.notified_at) if kept.state.notified_at else None
    untold = tuple(to for to in kept.to if at is not None and Underway(rule, to, at) in underway)
    to = tuple(one for one in kept.to if one not in untold)
    since = instant(alarm.since)
    told = at if to or not untold else None
    return OpenAlert(rule, alarm.kind, alarm.service, since, fresh.count, fresh.text, fresh.command, told, to, untold)


def _always(seen: Observation) -> Iterator[Signal]:
    for signal in signals_of(ALWAYS, Hours(), "", seen).found:
        # What began while the clock was ahead began in the future; without a time to last it counts all the same.
        if not signal.needs or (seen.time - signal.since) / SECOND >= signal.needs:
            yield signal


def _untold(signal: Signal) -> OpenAlert:
    since = instant(signal.since)
    return OpenAlert("", signal.kind, signal.service, since, signal.count, signal.text, signal.command)
