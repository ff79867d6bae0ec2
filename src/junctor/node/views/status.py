"""The state of a node and its services at this moment, as data with JSON in mind. Durations are seconds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from junctor.clock import SECOND
from junctor.core.lifecycle import State
from junctor.core.retention import allowed
from junctor.core.room import Room
from junctor.core.run import RunQuery, RunStatus
from junctor.core.signals import SYSTEM
from junctor.errors import storable
from junctor.node.switches import Pause
from junctor.node.views.describe import Way, ways_of
from junctor.observe.secrets import mask
from junctor.transports.base import Archive, Depth, ParkedGroup, Query

if TYPE_CHECKING:
    from junctor.runtime.engine import Engine
    from junctor.runtime.host import Host


LATEST = 50
"""Messages that are looked at for damage: as many as a listing shows."""


_LONGEST_REMARK = 500
"""Characters that are kept of what a service says of itself."""


class Running(msgspec.Struct):
    """A delivery or call that runs now."""

    handler: str
    message: str
    seconds: float


class WorkerStatus(msgspec.Struct):
    """A worker process of a service: its process id, 0 while it has none, and how often it was started."""

    pid: int
    starts: int


class ServiceStatus(msgspec.Struct, omit_defaults=True):
    """One service: its lifecycle, its queue, and what it did since the node started.

    ``state`` is a word of the lifecycle, ``unknown`` where the node does not run, ``removed`` where its flow has the
    service no more and something of it waits. ``queued`` counts the messages that
    are owed to a handler; ``parked`` is what the store holds. The other counters are zero where the node does not run.
    ``since`` is when the state began. ``busy`` are seconds inside handlers; ``durations`` counts deliveries: number n
    of the list those that took at least 2**(n-1) and less than 2**n nanoseconds. ``connections``: where the targets
    lead, with the conditions. ``workers`` are its processes, where it runs in some. ``next_probe`` is when a held
    service, or one that finds the other side away, tries again. ``counts`` is what it counts of its own. ``away`` is
    since when its ticks or ``loop()`` find the other side away.
    """

    flow: str
    service: str
    state: str
    reason: str = ""
    since: datetime | None = None
    dialect: str = ""
    queued: int = 0
    queued_bytes: int = 0
    in_flight: int = 0
    accepted: int = 0
    done: int = 0
    retried: int = 0
    held: int = 0
    parked: int = 0
    expired: int = 0
    failed: int = 0
    refused: int = 0
    calls: int = 0
    ticks: int = 0
    busy: float = 0.0
    durations: list[int] = []
    restarts: int = 0
    last_error: str = ""
    last_error_at: datetime | None = None
    paused: Pause | None = None
    running: list[Running] = []
    connections: dict[str, list[Way]] = {}
    workers: list[WorkerStatus] = []
    next_probe: datetime | None = None
    counts: dict[str, int] = {}
    away: datetime | None = None


class StoreSize(msgspec.Struct, omit_defaults=True):
    """What the store takes of its disk, in bytes: ``size`` with its log. Above ``limit`` retention removes what is not
    old yet; it is 0 where the node is down. ``free`` and ``total`` are those of the disk."""

    size: int
    wal: int
    free: int
    total: int
    limit: int = 0


class NodeStatus(msgspec.Struct, omit_defaults=True):
    """The node as a whole. ``state`` is starting, running, stopping, or down where its store was read.

    ``damaged`` counts, where the store was read, those of the latest messages whose checksum fails.
    """

    node: str
    state: str
    flows: list[str]
    services: list[ServiceStatus]
    version: str = ""
    pid: int = 0
    started: datetime | None = None
    uptime: float = 0.0
    store: str = ""
    store_size: StoreSize | None = None
    transport: str = ""
    urls: list[str] = []
    loop_lag: float = 0.0
    parked: int = 0
    suspended: int = 0
    alerts: int = 0
    damaged: int = 0


def status_when_down(archive: Archive, node: str, store: str, paused: Mapping[str, Pause]) -> NodeStatus:
    """What the store alone tells: what is owed to each service, what is parked, and which are paused."""
    parked = parked_counts(archive.parked())
    depths = archive.depths()
    services = []
    for address in sorted({*depths, *parked, *paused}):
        service = _waiting(address, "unknown", depths.get(address), parked.get(address, 0))
        service.paused = pause = paused.get(address)
        service.reason = f"paused {pause}" if pause is not None else ""
        services.append(service)
    flows = sorted({service.flow for service in services})
    damaged = sum(record.damaged for record in archive.search(Query(limit=LATEST)))
    suspended = len(archive.runs(RunQuery(statuses=(RunStatus.SUSPENDED,), limit=1000)))
    return NodeStatus(
        node, "down", flows, services, store=store, parked=sum(parked.values()), suspended=suspended, damaged=damaged
    )


def _waiting(address: str, state: str, depth: Depth | None, parked: int) -> ServiceStatus:
    """A service that does not run."""
    flow, _, name = address.rpartition("/")
    count, size = (depth.count, depth.bytes) if depth is not None else (0, 0)
    return ServiceStatus(flow, name, state, queued=count, queued_bytes=size, parked=parked)


def parked_counts(groups: Iterable[ParkedGroup]) -> dict[str, int]:
    """How many messages of each service are parked, by its address."""
    parked: dict[str, int] = {}
    for group in groups:
        parked[group.service] = parked.get(group.service, 0) + group.count
    return parked


def status_of(engine: Engine, parked: Mapping[str, int], paused: Mapping[str, Pause]) -> NodeStatus:
    """What an engine tells about its services, and about those that it has no more while something of them waits; the
    node adds what it knows of itself."""
    services = [_service(host) for host in engine.hosts.values() if _is_shown(host, parked)]
    for service in services:
        service.parked = parked.get(f"{service.flow}/{service.service}", 0)
    services += _removed(engine, parked, paused)
    for service in services:
        service.paused = paused.get(f"{service.flow}/{service.service}")
    flows = [flow for flow in engine.flows if flow != SYSTEM]
    found = NodeStatus("", "", flows, services, loop_lag=engine.loop_lag, parked=sum(parked.values()))
    room = engine.transport.room()
    if room is not None:
        limit = allowed([flow.retention for flow in engine.flows.values()], room)
        found.store_size = size_of_store(room, limit)
    return found


def size_of_store(room: Room, limit: int = 0) -> StoreSize:
    """What a store takes, of which it may have ``limit`` bytes."""
    return StoreSize(room.taken, room.wal, room.free, room.total, limit)


def _is_shown(host: Host, parked: Mapping[str, int]) -> bool:
    """Of the node's own services only those are shown that need somebody."""
    well = host.lifecycle.state is State.RUNNING and not host.depth.count and host.address not in parked
    return host.flow != SYSTEM or not well


def _removed(engine: Engine, parked: Mapping[str, int], paused: Mapping[str, Pause]) -> Iterator[ServiceStatus]:
    for address in sorted({*engine.inboxes, *parked, *paused} - {*engine.hosts}):
        inbox = engine.inboxes.get(address)
        found = _waiting(address, "removed", inbox.mailbox.depth if inbox is not None else None, parked.get(address, 0))
        pause = paused.get(address)
        if not (found.queued or found.parked or pause):
            continue
        flow = f"flow {found.flow}" if found.flow in engine.flows else "this node"
        found.reason = f"{flow} has no such service now" + (f"; paused {pause}" if pause is not None else "")
        yield found


def _service(host: Host) -> ServiceStatus:
    counters = host.counters
    outage = host.away.outage if host.lifecycle.state is State.RUNNING else None
    return ServiceStatus(
        host.flow,
        host.service,
        host.lifecycle.state.value,
        host.lifecycle.reason or (outage.note if outage is not None else _remark(host)),
        datetime.fromtimestamp(host.since / 1e9, UTC) if host.since else None,
        host.spec.dialect,
        queued=host.depth.count,
        queued_bytes=host.depth.bytes,
        in_flight=host.in_flight,
        accepted=counters.accepted,
        done=counters.done,
        retried=counters.retried,
        held=counters.held,
        expired=counters.expired,
        failed=counters.failed,
        refused=counters.refused,
        calls=counters.calls,
        ticks=counters.ticks,
        busy=counters.busy / 1e9,
        durations=_without_zeros(counters.durations),
        restarts=host.restarts,
        last_error=host.last_error,
        last_error_at=datetime.fromtimestamp(host.last_error_at / 1e9, UTC) if host.last_error_at else None,
        running=[Running(name, message, seconds) for name, message, seconds in host.current],
        connections=ways_of(host.plan),
        workers=[WorkerStatus(pid, starts) for pid, starts in host.workers],
        next_probe=datetime.fromtimestamp(host.next_probe / 1e9, UTC) if host.next_probe else None,
        counts=counters.counts.now(),
        away=datetime.fromtimestamp(outage.since / SECOND, UTC) if outage is not None else None,
    )


def _remark(host: Host) -> str:
    """What the service says of itself while nothing else is to be said. Of several instances the first with something
    to say tells it: one that had no message yet may not be connected to anything."""
    if (remark := host.spec.remark) is None or host.lifecycle.state is not State.RUNNING:
        return ""
    instances = [slot.instance for slot in host.slots] if not host.remote else []
    now = host.engine.clock.time_ns() / SECOND
    try:
        said = next(filter(None, (remark(instance, now) for instance in instances or [None])), "")
        return " ".join(storable(mask(said)).split())[:_LONGEST_REMARK]
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever it is, the status of all others is shown
        return f"remark() raised {type(error).__name__}"


def _without_zeros(counts: list[int]) -> list[int]:
    """The list up to its last number that is not zero."""
    end = len(counts)
    while end and not counts[end - 1]:
        end -= 1
    return counts[:end]
