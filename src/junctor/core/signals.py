"""What an alert rule asks of a node, and which of its reasons there are at a moment. No rule is pressed for time here:
how long a reason must last, and who is told, is for :mod:`junctor.core.alarm`."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from junctor.clock import instant
from junctor.core.faults import ANY, Fault
from junctor.core.hours import Hours
from junctor.core.records import ParkedGroup
from junctor.core.room import Room
from junctor.errors import ConfigurationError

SYSTEM = "junctor"
"""The flow of the node's own services."""

CONDITIONS = ("parked", "stopped", "held", "suspended", "queue", "age", "silent", "fault", "disk", "free", "wal")
_TELLS_NOTHING = frozenset({"paused", "backoff", "starting", "failed"})
_MIB = 1024 * 1024

FAILING = 6
"""Failures after which a service that is started again is as good as stopped: more than the usual limit."""


class When(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Reaching any of these is a reason. By count: messages ``parked`` and not yet dealt with, runs of workflows that
    are ``suspended``, services ``stopped`` after too many failures or failing at each start, messages in the ``queue``
    of a service. By seconds: how long a service is ``held``, or its ticks or ``loop()`` find the other side away; the
    ``age`` of the oldest message owed to one; for how long one was ``silent``: took and handled nothing. By code:
    errors that services tell of with one of these ``fault`` codes, ``*`` for any. Of the store: percent of its ``disk``
    in use, bytes that are ``free`` on it, bytes of its ``wal``.

    ``service`` are those it is about, all of the flow by default. ``hours``, ``days`` and ``timezone`` say when silence
    counts.
    """

    parked: int | None = None
    suspended: int | None = None
    stopped: int | None = None
    held: float | None = None
    queue: int | None = None
    age: float | None = None
    silent: float | None = None
    fault: tuple[str, ...] | None = None
    disk: float | None = None
    free: int | None = None
    wal: int | None = None
    service: tuple[str, ...] | None = None
    hours: str | None = None
    days: tuple[str, ...] | None = None
    timezone: str | None = None

    def __post_init__(self) -> None:
        for word in ("parked", "suspended", "stopped", "queue"):
            if (count := getattr(self, word)) is not None and count < 1:
                raise ConfigurationError(f"when.{word} is {count}", fix="Give at least 1.")
        if self.disk is not None and not 0 < self.disk <= 100:
            fix = "Give percent in use, for example 90; for bytes that are left write free: 2GiB."
            raise ConfigurationError(f"when.disk is {self.disk:g}", fix=fix)

    @property
    def words(self) -> tuple[str, ...]:
        """The conditions that are given."""
        return tuple(word for word in CONDITIONS if getattr(self, word) is not None)


class ServiceFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A service at a moment. ``since`` its ``state`` began, and the ``oldest`` message owed to it was sent (0: none, or
    nobody asked), in nanoseconds since 1970. ``quiet``: seconds since it took or handled something, None where it has
    not since the node started. ``tried``: since then a message of it came to its end, or none waits. ``rests``: it is
    held by a plan of its own. ``away``: since when its ticks or ``loop()`` find the other side away, with this
    ``error``; 0 where they do not, or by a plan. ``reached``: one of them got through since the node started, or it has
    none. ``failures`` are those that the policy of restarts counts. ``faults`` are the errors that it told
    of in the last minute.
    """

    address: str
    state: str
    reason: str = ""
    since: int = 0
    queued: int = 0
    oldest: int = 0
    quiet: float | None = None
    tried: bool = True
    rests: bool = False
    away: int = 0
    error: str = ""
    reached: bool = True
    failures: int = 0
    faults: tuple[Fault, ...] = ()

    @property
    def flow(self) -> str:
        return self.address.rpartition("/")[0]

    @property
    def name(self) -> str:
        return self.address.rpartition("/")[2]


class SuspendedRuns(msgspec.Struct, frozen=True, kw_only=True):
    """Runs of one service that wait for an operator. ``since`` the first of them, nanoseconds since 1970; ``error`` and
    ``run`` are those of the latest."""

    service: str
    count: int
    since: int
    run: int
    error: str = ""


class Observation(msgspec.Struct, frozen=True, kw_only=True):
    """What a node sees of itself. ``time`` by the wall clock, nanoseconds since 1970; ``monotonic`` and ``uptime`` in
    seconds; ``parked`` are the groups, and ``suspended`` the runs, that wait for an operator."""

    time: int
    monotonic: float
    uptime: float = 0.0
    services: tuple[ServiceFacts, ...] = ()
    parked: tuple[ParkedGroup, ...] = ()
    suspended: tuple[SuspendedRuns, ...] = ()
    room: Room | None = None


class Signal(msgspec.Struct, frozen=True, kw_only=True):
    """A reason that is there now. ``key`` is the same for as long as it lasts. ``command`` shows more. ``needs``:
    seconds that it must last before it counts."""

    key: str
    kind: str
    service: str
    text: str
    count: int
    since: int
    command: str
    needs: float = 0.0


class Signals(msgspec.Struct):
    """The ``found`` reasons, and the keys of those that cannot be seen now: neither there nor over."""

    found: list[Signal]
    unsure: set[str]


def signals_of(when: When, hours: Hours, flow: str, seen: Observation) -> Signals:
    """The reasons that a rule of this flow has.

    :param flow: "" for all flows of the node.
    """
    signals = Signals([], set())
    services = [service for service in seen.services if _is_meant(when, flow, service.address)]
    for word in when.words:
        if word in ("disk", "free", "wal"):
            signals.found += _of_store(word, when, seen)
        elif word == "parked":
            signals.found += _parked(when, flow, seen)
        elif word == "suspended":
            signals.found += _suspended(when, flow, seen)
        elif word == "silent":
            _silent(signals, when, hours, services, seen)
        else:
            _OF_SERVICE[word](signals, when, services, seen)
    return signals


def _is_meant(when: When, flow: str, address: str) -> bool:
    own, _, name = address.rpartition("/")
    if flow and own != flow:  # so no rule is about what cannot be sent of its own
        return False
    return when.service is None or name in when.service or address in when.service


def _parked(when: When, flow: str, seen: Observation) -> list[Signal]:
    groups = [group for group in seen.parked if _is_meant(when, flow, group.service)]
    if sum(group.count for group in groups) < (when.parked or 1):
        return []
    return [_parked_group(group) for group in groups]


def _parked_group(group: ParkedGroup) -> Signal:
    error = f"{group.error}: {group.text}" if group.text else group.error
    where = group.fingerprint[:8] or f"--service {group.service}"
    return Signal(
        key=f"parked {group.service} {group.type} {group.error} {group.fingerprint}",
        kind="parked",
        service=group.service,
        text=f"{counted(group.count, 'message')} parked: {error}",
        count=group.count,
        since=group.first,
        command=f"junctor parked {where}",
    )


def _suspended(when: When, flow: str, seen: Observation) -> list[Signal]:
    found = [runs for runs in seen.suspended if _is_meant(when, flow, runs.service)]
    if sum(runs.count for runs in found) < (when.suspended or 1):
        return []
    return [_suspended_runs(runs) for runs in found]


def _suspended_runs(runs: SuspendedRuns) -> Signal:
    one = f"junctor workflows {runs.run}"
    several = f"junctor workflows --service {runs.service} --status suspended"
    return Signal(
        key=f"suspended {runs.service}",
        kind="suspended",
        service=runs.service,
        text=f"{counted(runs.count, 'run')} suspended: {runs.error}",
        count=runs.count,
        since=runs.since,
        command=one if runs.count == 1 else several,
    )


def _of(service: ServiceFacts, kind: str, text: str, count: int, since: int, needs: float = 0.0) -> Signal:
    key = f"{kind} {service.address}"
    commands = {"queue": f"junctor messages {service.address}", "stopped": f"junctor restart {service.address}"}
    command = commands.get(kind, "junctor status")
    return Signal(
        key=key,
        kind=kind,
        service=service.address,
        text=text,
        count=count,
        since=since,
        command=command,
        needs=needs,
    )


def _stopped(signals: Signals, when: When, services: list[ServiceFacts], seen: Observation) -> None:
    failed = [service for service in services if service.state == "failed"]
    if len(failed) >= (when.stopped or 1):
        signals.found += [
            _of(service, "stopped", f"failed too often and is stopped: {service.reason}", service.queued, service.since)
            for service in failed
        ]
    again = [service for service in services if service.state == "backoff" and service.failures >= FAILING]
    if len(failed) + len(again) >= (when.stopped or 1):
        signals.found += [
            _of(service, "failing", f"fails at each start: {service.reason}", service.queued, service.since)
            for service in again
        ]


def _held(signals: Signals, when: When, services: list[ServiceFacts], seen: Observation) -> None:
    for service in services:
        held = service.state == "held"
        if held and not service.rests:
            text = f"held with {counted(service.queued, 'message')} waiting: {service.reason}"
            signals.found.append(_of(service, "held", text, service.queued, service.since, when.held or 0.0))
        elif held or service.state in _TELLS_NOTHING or not service.tried:
            # It does not deliver, or has not tried since the node started: nobody knows how the other side is.
            signals.unsure.add(f"held {service.address}")
        _away(signals, when, service)


def _away(signals: Signals, when: When, service: ServiceFacts) -> None:
    if service.state == "held" or service.state in _TELLS_NOTHING:
        signals.unsure.add(f"away {service.address}")
    elif service.away:
        text = f"the other side is away: {service.error}"
        signals.found.append(_of(service, "away", text, service.queued, service.away, when.held or 0.0))
    elif not service.reached:
        signals.unsure.add(f"away {service.address}")


def _queue(signals: Signals, when: When, services: list[ServiceFacts], seen: Observation) -> None:
    signals.found += [
        _of(service, "queue", f"{counted(service.queued, 'message')} waiting", service.queued, seen.time)
        for service in services
        if service.queued >= (when.queue or 1)
    ]


def _age(signals: Signals, when: When, services: list[ServiceFacts], seen: Observation) -> None:
    for service in services:
        age = (seen.time - service.oldest) / 1e9 if service.oldest else 0.0
        if service.oldest and age >= (when.age or 0.0):
            text = f"the oldest of {counted(service.queued, 'message')} waits for {lasting(age)}"
            signals.found.append(_of(service, "age", text, service.queued, service.oldest))


def _fault(signals: Signals, when: When, services: list[ServiceFacts], seen: Observation) -> None:
    wanted = when.fault or ()
    for service in services:
        for fault in service.faults:
            if ANY in wanted or fault.code in wanted:
                signals.found.append(_told(service, fault))


def _told(service: ServiceFacts, fault: Fault) -> Signal:
    return Signal(
        key=f"fault {service.address} {fault.code}",
        kind="fault",
        service=service.address,
        text=fault.text,
        count=fault.count,
        since=fault.since,
        command=f"junctor logs --service {service.address}",
    )


def _silent(signals: Signals, when: When, hours: Hours, services: list[ServiceFacts], seen: Observation) -> None:
    limit = when.silent or 0.0
    opened = hours.open_for(instant(seen.time))
    for service in services:
        key = f"silent {service.address}"
        quiet = service.quiet if service.quiet is not None else seen.uptime
        if opened is not None and min(quiet, opened) >= limit:
            text = f"has taken nothing for {lasting(quiet)}"
            signals.found.append(_of(service, "silent", text, 0, seen.time - int(quiet * 1e9)))
        elif service.quiet is None or service.quiet >= limit:
            # It is after hours, or the node has just started: an alarm that is open stays so.
            signals.unsure.add(key)


def _of_store(word: str, when: When, seen: Observation) -> Iterator[Signal]:
    room = seen.room
    if room is None:
        return
    left = f"{sized(room.free)} of the store's disk are free"
    reasons = {
        "disk": (room.used >= (when.disk or 100), f"{left}, {room.used:.0f} % are in use"),
        "free": (room.free <= (when.free or 0), left),
        "wal": (room.wal >= (when.wal or 0), f"the log of the store (WAL) has {sized(room.wal)}"),
    }
    there, text = reasons[word]
    if there:
        size = room.wal if word == "wal" else room.free
        yield Signal(key=word, kind=word, service="", text=text, count=size, since=seen.time, command="junctor status")


_OF_SERVICE: dict[str, Callable[[Signals, When, list[ServiceFacts], Observation], None]] = {
    "stopped": _stopped,
    "held": _held,
    "queue": _queue,
    "age": _age,
    "fault": _fault,
}


def counted(number: int, noun: str) -> str:
    """``1 message``, ``3 messages``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def lasting(seconds: float) -> str:
    """``45 s``, ``12 min``, ``3 h 20 min``, ``2 d 4 h``."""
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min"
    if whole < 86400:
        return f"{whole // 3600} h {whole % 3600 // 60} min"
    return f"{whole // 86400} d {whole % 86400 // 3600} h"


def sized(count: int) -> str:
    """``12.0 MiB``, ``1.5 GiB``."""
    return f"{count / _MIB:.1f} MiB" if count < 1024 * _MIB else f"{count / (1024 * _MIB):.1f} GiB"
