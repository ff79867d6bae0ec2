"""What a node sees of itself when it looks for reasons to raise an alert."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Container, Iterator
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from junctor.core.records import Archive, ParkedGroup, Query
from junctor.core.run import Run, RunQuery, RunStatus
from junctor.core.signals import SYSTEM, Observation, ServiceFacts, SuspendedRuns
from junctor.messages import Status

if TYPE_CHECKING:
    from junctor.core.records import Stored
    from junctor.runtime.engine import Engine
    from junctor.runtime.host import Host


class Underway(msgspec.Struct, frozen=True):
    """A notice that its receiver has not got."""

    rule: str
    to: str
    time: datetime


class Aside(NamedTuple):
    """What was put aside, and waits for an operator; and the notices that nobody took yet."""

    parked: tuple[ParkedGroup, ...] = ()
    suspended: tuple[SuspendedRuns, ...] = ()
    underway: frozenset[Underway] = frozenset()


Read = Callable[[Callable[[Archive], Aside]], Awaitable[Aside]]

MOST = 1000
"""Suspended runs that are counted, and notices that are looked at."""

NOTICES = f"{SYSTEM}/notices"
_NOT_TAKEN = (Status.READY, Status.CLAIMED, Status.WAITING, Status.PARKED)


def put_aside(archive: Archive) -> Aside:
    """What waits for an operator. A question to the store."""
    suspended: dict[str, list[Run]] = {}
    for run in archive.runs(RunQuery(statuses=(RunStatus.SUSPENDED,), limit=MOST)):
        suspended.setdefault(run.service, []).append(run)
    runs = tuple(_suspended(address, runs) for address, runs in suspended.items())
    return Aside(tuple(archive.parked()), runs, frozenset(_underway(archive)))


def _underway(archive: Archive) -> Iterator[Underway]:
    for record in archive.search(Query(service=NOTICES, statuses=_NOT_TAKEN, limit=MOST)):
        with suppress(msgspec.MsgspecError):  # damaged: nobody can tell whose it is
            yield _underway_of(record.message.payload)


def _underway_of(payload: object) -> Underway:
    if isinstance(payload, bytes):
        return msgspec.json.decode(payload, type=Underway)
    return msgspec.convert(payload, Underway, from_attributes=True)


def _suspended(address: str, runs: list[Run]) -> SuspendedRuns:
    latest, since = max(runs, key=lambda run: run.changed), min(run.changed for run in runs)
    return SuspendedRuns(service=address, count=len(runs), since=since, run=latest.seq, error=latest.error)


_SHARE = 20
"""A look at what was put aside is followed by a pause so many times as long: a great many cost one thread 5 %."""

_FOREVER = (1 << 63) - 1
_HEADS = 8


class Outlook:
    """Looks at the services of an engine, and remembers how far they were the last time.

    :param read: asks the archive in a thread.
    """

    def __init__(self, engine: Engine, read: Read) -> None:
        self._engine = engine
        self._read = read
        self._moved: dict[str, tuple[int, float | None]] = {}
        self._aside = Aside()
        self._next = 0.0

    async def look(self, words: Container[str]) -> Observation:
        """What rules with these conditions ask for: what is parked, and how old the oldest message of each service is,
        take questions to the store.
        """
        clock = self._engine.clock
        hosts = list(self._engine.hosts.values())
        aside = await self._aside_now() if "parked" in words or "suspended" in words else Aside()
        oldest = {host.address: await self._oldest(host) for host in hosts if "age" in words and host.depth.count}
        now = clock.monotonic()
        return Observation(
            time=clock.time_ns(),
            monotonic=now,
            uptime=max(0.0, now - self._started(now)),
            services=tuple(self._facts(host, oldest.get(host.address, 0), now) for host in hosts),
            parked=aside.parked,
            suspended=aside.suspended,
            room=self._engine.transport.room(),
        )

    def _started(self, now: float) -> float:
        self._moved.setdefault("", (0, now))
        return self._moved[""][1] or 0.0

    def _facts(self, host: Host, oldest: int, now: float) -> ServiceFacts:
        counters = host.counters
        count = counters.accepted + counters.done + counters.calls
        known, moved = self._moved.get(host.address, (0, None))
        if count != known:
            moved = now
        self._moved[host.address] = (count, moved)
        return facts_of(host, oldest, None if moved is None else now - moved)

    async def _aside_now(self) -> Aside:
        """What was put aside, read anew unless it is much."""
        now = self._engine.clock.monotonic()
        if now >= self._next:
            began = time.monotonic()
            self._aside = await self._read(put_aside)
            self._next = now + _SHARE * (time.monotonic() - began)
        return self._aside

    async def _oldest(self, host: Host) -> int:
        """When the oldest message owed to a service was sent, or came due where it was sent for later."""
        rows = await self._engine.transport.fetch(host.address, 0, _HEADS, _FOREVER)
        now = self._engine.clock.time_ns()
        times = [_owed_since(row) for row in rows]
        running = [slot.delivery for slot in host.slots if slot.delivery is not None]
        ready = [host.mailbox.ready[0]] if host.mailbox.ready else []
        times += [max(delivery.message.time, delivery.message.due) for delivery in (*running, *ready)]
        return min((one for one in times if one <= now), default=0)


def _owed_since(row: Stored) -> int:
    message = row.message
    return max(message.time, message.due) if row.status is Status.WAITING or message.due else message.time


def facts_of(host: Host, oldest: int = 0, quiet: float | None = None) -> ServiceFacts:
    """What rules ask of one service."""
    outage = host.away.outage
    away = outage if outage is not None and not outage.rests else None
    return ServiceFacts(
        address=host.address,
        state=host.lifecycle.state.value,
        failures=host.failures,
        reason=host.lifecycle.reason,
        since=host.since,
        queued=host.depth.count,
        oldest=oldest,
        quiet=quiet,
        tried=host.counters.done > 0 or host.depth.count == 0,
        rests=host.rests,
        away=away.since if away is not None else 0,
        error=away.error if away is not None else "",
        reached=host.away.known,
        faults=host.faults.lasting(host.engine.clock.time_ns()),
    )


def glance(engine: Engine, aside: Aside) -> Observation:
    """What can be seen at once, without a memory of earlier looks: enough for what a node always tells."""
    clock = engine.clock
    hosts = engine.hosts.values()
    return Observation(
        time=clock.time_ns(),
        monotonic=clock.monotonic(),
        services=tuple(map(facts_of, hosts)),
        parked=aside.parked,
        suspended=aside.suspended,
        room=engine.transport.room(),
    )
