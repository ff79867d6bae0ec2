"""What there is to draw: services with their entries, connections with their types and conditions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

import msgspec

from junctor.core.spec import ScheduleSpec, ServiceSpec
from junctor.flows.fitting import shown
from junctor.flows.wiring import Wiring

Kind = Literal["schedule", "route", "action", "socket", "loop", "handler", "event"]
"""How code of a service is entered; "event" is a handler that also gets what is published."""


class Entry(msgspec.Struct, frozen=True):
    """One entry of a service: ``every 2 s``, ``GET /alarms/{sensor}``, ``Order -> Receipt``; ``name`` is its method."""

    kind: Kind
    text: str
    name: str = ""


class Edge(msgspec.Struct, frozen=True):
    """One connection, from ``source`` over ``port`` to ``to``; both ends are addresses. ``reply`` is empty for a send,
    ``when`` where there is no condition."""

    source: str
    port: str
    to: str
    type: str
    reply: str = ""
    when: str = ""


class Box(msgspec.Struct, frozen=True):
    """One service. ``outside`` is one of a flow that is not drawn itself."""

    address: str
    flow: str
    name: str
    entries: tuple[Entry, ...] = ()
    ports: tuple[str, ...] = ()
    pool: int = 1
    doc: str = ""
    outside: bool = False


class Drawing(msgspec.Struct, frozen=True):
    """The flows of one node."""

    flows: tuple[str, ...]
    boxes: tuple[Box, ...]
    edges: tuple[Edge, ...]

    def of(self, flow: str) -> list[Box]:
        return [box for box in self.boxes if box.flow == flow]

    def leaving(self, box: Box) -> list[Edge]:
        return [edge for edge in self.edges if edge.source == box.address]


def drawing_of(wirings: Sequence[Wiring]) -> Drawing:
    """What wired flows look like."""
    boxes = [_box(wiring.plan.name, service.spec) for wiring in wirings for service in wiring.plan.services]
    edges = [edge for wiring in wirings for edge in _edges(wiring)]
    known = {box.address for box in boxes}
    for address in dict.fromkeys(edge.to for edge in edges if edge.to not in known):
        flow, _, name = address.rpartition("/")
        boxes.append(Box(address, flow, name, outside=True))
    return Drawing(tuple(dict.fromkeys(box.flow for box in boxes)), tuple(boxes), tuple(edges))


def _box(flow: str, spec: ServiceSpec) -> Box:
    return Box(
        f"{flow}/{spec.name}",
        flow,
        spec.name,
        tuple(_entries(spec)),
        tuple(target.name for target in spec.targets),
        spec.policies.pool.size,
        spec.doc.partition("\n")[0],
    )


def _entries(spec: ServiceSpec) -> Iterator[Entry]:
    yield from (Entry("schedule", _when(schedule), schedule.name) for schedule in spec.schedules)
    yield from (Entry("route", f"{route.method} {route.path}", route.name) for route in spec.routes)
    yield from (Entry("socket", f"WS {socket.path}", socket.name) for socket in spec.sockets)
    yield from (Entry("action", action.name, action.name) for action in spec.actions)
    if spec.main is not None:
        yield Entry("loop", "loop", "loop")
    for handler in spec.handlers:
        reply = f" → {shown(handler.replies)}" if handler.replies is not None else ""
        yield Entry("event" if handler.subscribes else "handler", shown(handler.accepts) + reply, handler.name)


def _when(schedule: ScheduleSpec) -> str:
    if schedule.every is None:
        return f"cron {schedule.cron}" + (f" {schedule.zone}" if schedule.zone else "")
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if schedule.every >= size and schedule.every % size == 0:
            return f"every {schedule.every / size:g} {unit}"
    return f"every {schedule.every:g} s" if schedule.every >= 1 else f"every {schedule.every * 1000:g} ms"


def _edges(wiring: Wiring) -> Iterator[Edge]:
    flow = wiring.plan.name
    for one in wiring.connections:
        to = one.to if "/" in one.to else f"{flow}/{one.to}"
        yield Edge(f"{flow}/{one.source}", one.target, to, one.type, one.reply, one.when)
