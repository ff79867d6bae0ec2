"""Paths that two services want, that the node keeps for itself, or whose parameters cannot be bound.

Every route is attached as a node attaches it, to a listener that never opens: what stops a node is found here too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, cast

import msgspec

from junctor.core.spec import ServiceSpec, service_address
from junctor.errors import ConfigurationError, NotRunning
from junctor.flows.check.findings import Finding, of_error, place_of, split
from junctor.flows.wiring import Wiring
from junctor.http.settings import HttpSettings

if TYPE_CHECKING:
    from junctor.http.hosting import Host
    from junctor.http.routes import Routes


class Standing:
    """A service that is not running, as far as a listener asks before a request comes."""

    def __init__(self, flow: str, spec: ServiceSpec) -> None:
        self.flow = flow
        self.service = spec.name
        self.address = service_address(flow, spec.name)
        self.spec = spec

    def bound(self, spec: Any) -> Any:
        """What a request would call."""
        return spec.signature

    async def enter(self, *args: Any, **more: Any) -> Any:
        raise NotRunning("this flow is only looked at", where=self.address)


def path_findings(wirings: Sequence[Wiring]) -> Iterator[Finding]:
    """Findings about the routes, actions and sockets of the flows of one node, listener by listener."""
    doors = [(wiring, spec) for wiring in wirings for spec in _specs(wiring) if _entries(spec)]
    if not doors:
        return
    from junctor.http.routes import Routes  # a flow without routes is checked without HTTP

    models = [wiring.model for wiring in wirings]
    listeners: dict[str, Routes] = {}
    for wiring, spec in doors:
        settings = wiring.model.http or HttpSettings()
        routes = listeners.setdefault(settings.listener, Routes())
        told = False
        for name, only in _one_by_one(spec):
            stands = any(route.facade is not None for route in only.routes)
            if stands and told:
                continue  # further routes of what stands for another system
            try:
                routes.attach(cast("Host", Standing(wiring.model.name, only)), settings)
            except ConfigurationError as error:
                told = told or stands
                where = f"{wiring.model.name}/{spec.name}.{name}"
                finding = of_error(error, models)
                yield msgspec.structs.replace(
                    finding,
                    code="path",
                    where=where if len(wirings) > 1 else where.partition("/")[2],
                    place=split(error.where or "")[1] or place_of(where, models),
                )


def _specs(wiring: Wiring) -> list[ServiceSpec]:
    return [service.spec for service in wiring.plan.services]


def _entries(spec: ServiceSpec) -> tuple[Any, ...]:
    return (*spec.routes, *spec.actions, *spec.sockets)


def _one_by_one(spec: ServiceSpec) -> Iterator[tuple[str, ServiceSpec]]:
    """The spec with one of its doors at a time: one that is wrong must not hide the next."""
    closed = msgspec.structs.replace(spec, routes=(), actions=(), sockets=())
    for kind in ("routes", "actions", "sockets"):
        for entry in getattr(spec, kind):
            yield entry.name, msgspec.structs.replace(closed, **{kind: (entry,)})
