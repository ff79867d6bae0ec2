"""What ``junctor top`` shows: rates and latencies, from the counters of a node at two moments."""

from __future__ import annotations

import contextlib
import math
import os
import time
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from junctor.node.views.status import NodeStatus, ServiceStatus, WorkerStatus

WINDOW = 10.0
"""Seconds over which rates and latencies are told."""


class Row(msgspec.Struct):
    """One service. Rates are per second over the window; latencies are seconds inside the handler, None where nothing
    was delivered in the window; ``p50`` and ``p99`` come from a count by powers of two.
    ``workers`` are its processes, where it runs in some."""

    flow: str
    service: str
    state: str
    reason: str
    seconds: float | None
    taken: float
    done: float
    calls: float
    queued: int
    in_flight: int
    mean: float | None
    p50: float | None
    p99: float | None
    handled: int
    parked: int
    held: int
    retried: int
    failed: int
    restarts: int
    error: str
    error_age: float | None
    workers: list[WorkerStatus]


class NodeLine(msgspec.Struct):
    """The node. ``cpu`` is a share of one processor, ``rss`` and ``stored`` are bytes; None where unknown."""

    node: str
    state: str
    flows: list[str]
    pid: int
    uptime: float
    cpu: float | None
    rss: int | None
    store: str
    stored: int | None
    urls: list[str]
    loop_lag: float


class Picture(msgspec.Struct):
    """Node and services at one moment. ``window`` is how many seconds the rates are about, 0 at the first look."""

    node: NodeLine
    services: list[Row]
    window: float


class _Look(msgspec.Struct):
    at: float
    status: NodeStatus
    cpu: float | None


class Figures:
    """Makes a picture from each status of a node; begins anew when the node was started anew."""

    def __init__(self) -> None:
        self._looks: deque[_Look] = deque()

    def add(self, status: NodeStatus) -> Picture:
        """The picture with this status as the latest."""
        now = _Look(time.monotonic(), status, _cpu_seconds(status.pid))
        if self._looks and (self._looks[-1].status.pid, self._looks[-1].status.started) != (status.pid, status.started):
            self._looks.clear()
        while len(self._looks) > 1 and now.at - self._looks[0].at > WINDOW:
            self._looks.popleft()
        before = self._looks[0] if self._looks else None
        self._looks.append(now)
        window = now.at - before.at if before is not None else 0.0
        old = {(one.flow, one.service): one for one in before.status.services} if before is not None else {}
        rows = [_row(one, old.get((one.flow, one.service)), window) for one in status.services]
        return Picture(_node_line(now, before), rows, window)


def _row(now: ServiceStatus, before: ServiceStatus | None, window: float) -> Row:
    def rate(*names: str) -> float:
        if before is None or not window:
            return 0.0
        return max(0.0, float(sum(getattr(now, name) - getattr(before, name) for name in names)) / window)

    counts = list(_since(now.durations, before.durations if before is not None else []))
    total = sum(counts)
    busy = now.busy - (before.busy if before is not None else 0.0)
    called = now.calls + now.ticks - (before.calls + before.ticks if before is not None else 0)
    entries = total + called
    return Row(
        now.flow,
        now.service,
        now.state,
        now.reason,
        _age(now.since),
        rate("accepted"),
        rate("done"),
        rate("calls", "ticks"),
        now.queued,
        now.in_flight,
        busy / entries if entries > 0 else None,
        quantile(counts, 0.5),
        quantile(counts, 0.99),
        now.done,
        now.parked,
        now.held,
        now.retried,
        now.failed,
        now.restarts,
        now.last_error,
        _age(now.last_error_at),
        now.workers,
    )


def _since(now: list[int], before: list[int]) -> Iterator[int]:
    for number, count in enumerate(now):
        yield count - (before[number] if number < len(before) else 0)


def quantile(counts: list[int], share: float) -> float | None:
    """Seconds below which this share of the deliveries took, None for no delivery. Within a power of two they are
    taken to be spread evenly over its exponents."""
    total = sum(counts)
    if total <= 0:
        return None
    wanted = share * total
    for bits, count in enumerate(counts):
        if count and wanted <= count:
            return math.ldexp(2.0 ** (wanted / count), bits - 1) / 1e9
        wanted -= count
    return None


def _age(instant: datetime | None) -> float | None:
    return max(0.0, (datetime.now(UTC) - instant).total_seconds()) if instant is not None else None


def _node_line(now: _Look, before: _Look | None) -> NodeLine:
    status, cpu = now.status, None
    if before is not None and now.cpu is not None and before.cpu is not None and now.at > before.at:
        cpu = (now.cpu - before.cpu) / (now.at - before.at)
    return NodeLine(
        status.node,
        status.state,
        status.flows,
        status.pid,
        status.uptime,
        cpu,
        _resident(status.pid),
        status.store,
        _stored(status.store) if status.transport != "memory" else None,
        status.urls,
        status.loop_lag,
    )


# The process, as far as the system tells it to others -----------------------------------------------------------


def _cpu_seconds(pid: int) -> float | None:
    with contextlib.suppress(OSError, ValueError, IndexError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return None


def _resident(pid: int) -> int | None:
    with contextlib.suppress(OSError, ValueError, IndexError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return None


def _stored(store: str) -> int | None:
    with contextlib.suppress(OSError):
        return sum(file.stat().st_size for file in Path(store).glob("junctor.db*"))
    return None
