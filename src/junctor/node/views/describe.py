"""What each service of a node offers and where it leads: for command line, pages and hub."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from junctor.core.facade import RouteBehind
from junctor.core.spec import (
    ActionSpec,
    FlowPlan,
    HandlerSpec,
    RouteSpec,
    ScheduleSpec,
    ServicePlan,
    ServiceSpec,
    SocketSpec,
)
from junctor.messages import type_name
from junctor.node.control.arguments import Parameters


class Entry(msgspec.Struct, omit_defaults=True):
    """One way into a service: ``takes`` is a type, a timing, a path or a list of parameters."""

    kind: str
    name: str
    takes: str
    replies: str = ""
    doc: str = ""


class Way(msgspec.Struct, omit_defaults=True):
    """Where a connection leads: an address, and the condition that a message must meet to go there."""

    to: str
    when: str = ""

    def __str__(self) -> str:
        return f"{self.to} when {self.when}" if self.when else self.to


def ways_of(plan: ServicePlan) -> dict[str, list[Way]]:
    """Where the targets of a service lead, in the order of the flow."""
    return {
        name: [Way(wire.to, wire.when.text if wire.when is not None else "") for wire in wires]
        for name, wires in plan.connect.items()
    }


class ServiceView(msgspec.Struct, omit_defaults=True):
    """A service with its entries and with where its targets lead."""

    flow: str
    service: str
    dialect: str
    origin: str
    doc: str
    entries: list[Entry]
    connections: dict[str, list[Way]]
    settings: dict[str, str]


def describe(flow: FlowPlan, plan: ServicePlan) -> ServiceView:
    """One service of a flow. Settings are shown as text; their type says what is secret."""
    spec = plan.spec
    routes = [Entry("route", f"{r.method} {r.path}", "", "", _first_line(r.doc)) for r in _routes(spec)]
    sockets = [_socket(socket) for socket in spec.sockets]
    entries = [
        *map(_handler, spec.handlers),
        *map(_schedule, spec.schedules),
        *routes,
        *sockets,
        *map(_action, spec.actions),
    ]
    return ServiceView(
        flow.name,
        spec.name,
        spec.dialect,
        spec.origin,
        _first_line(spec.doc),
        entries,
        ways_of(plan),
        {name: str(value) for name, value in spec.settings.items()},
    )


def _routes(spec: ServiceSpec) -> Iterator[RouteSpec | RouteBehind]:
    for route in spec.routes:
        behind = route.facade.routes() if route.facade is not None else None
        yield from (route,) if behind is None else behind


def _handler(spec: HandlerSpec) -> Entry:
    replies = type_name(spec.replies) if spec.replies is not None else ""
    return Entry("handler", spec.name, type_name(spec.accepts), replies, _first_line(spec.doc))


def _schedule(spec: ScheduleSpec) -> Entry:
    takes = f"every {spec.every:g} s" if spec.every else f"cron {spec.cron}"
    return Entry("schedule", spec.name, takes, doc=_first_line(spec.doc))


def _socket(spec: SocketSpec) -> Entry:
    takes = type_name(spec.accepts) if spec.accepts is not None else ""
    sends = type_name(spec.sends) if spec.sends is not None else ""
    return Entry("websocket", spec.path, takes, sends, _first_line(spec.doc))


def _action(spec: ActionSpec) -> Entry:
    return Entry("action", spec.name, str(Parameters(spec.signature)), doc=_first_line(spec.doc))


def _first_line(doc: Any) -> str:
    return str(doc or "").strip().partition("\n")[0]
