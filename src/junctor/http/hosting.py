"""What this package needs of the runtime, as protocols: a running service, and the node that hosts several."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from junctor.core.lifecycle import Lifecycle
from junctor.core.spec import ActionSpec, Call, RouteSpec, ServiceSpec
from junctor.messages import Kind
from junctor.transports.base import Depth


class Entered(Protocol):
    """The result of a call into a service, and the session that it was recorded under."""

    @property
    def value(self) -> Any: ...

    @property
    def session(self) -> int: ...


class Counters(Protocol):
    """What a service did since the node started. ``seconds`` is the time spent in its code."""

    accepted: int
    delivered: int
    done: int
    retried: int
    held: int
    parked: int
    expired: int
    failed: int
    refused: int
    seconds: float


class Host(Protocol):
    """One running service."""

    address: str
    flow: str
    service: str
    spec: ServiceSpec
    lifecycle: Lifecycle
    depth: Depth
    counters: Counters
    in_flight: int

    def bound(self, spec: RouteSpec | ActionSpec, /) -> Call:
        """The callable of a route or action on today's instance."""
        ...

    async def enter(
        self,
        kind: Kind,
        name: str,
        call: Call,
        blocking: bool,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] = ...,
        *,
        session: int = 0,
    ) -> Entered:
        """Run it beside the queue, within the service's limit of calls."""
        ...


class Hosts(Protocol):
    """The services of a node by address, and whether the node takes part."""

    hosts: Mapping[str, Host]
    stopping: bool
    loop_lag: float
