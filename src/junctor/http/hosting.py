"""What this package needs of the runtime, as protocols: a running service, and the node that hosts several."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from junctor.core.lifecycle import Lifecycle
from junctor.core.spec import Call, ServiceSpec
from junctor.messages import Kind
from junctor.transports.base import Depth


class Entered(Protocol):
    """The result of a call into a service, and the session that it was recorded under."""

    @property
    def value(self) -> Any: ...

    @property
    def session(self) -> int: ...


class Counts(Protocol):
    """What a service counts of its own."""

    def now(self) -> Mapping[str, int]: ...


class Counters(Protocol):
    """What a service did since the node started. ``busy`` is the time spent in its code, in nanoseconds."""

    @property
    def counts(self) -> Counts: ...

    accepted: int
    busy: int
    calls: int
    done: int
    expired: int
    failed: int
    held: int
    parked: int
    refused: int
    retried: int
    ticks: int


class Host(Protocol):
    """One running service."""

    address: str
    flow: str
    service: str
    spec: ServiceSpec
    lifecycle: Lifecycle

    @property
    def counters(self) -> Counters: ...

    @property
    def depth(self) -> Depth: ...

    @property
    def in_flight(self) -> int: ...

    def bound(self, entry: Any, /) -> Call:
        """The callable of a route or action on today's instance."""
        ...

    async def enter(
        self,
        kind: Kind,
        name: str,
        call: Call,
        blocking: bool,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
        *,
        session: int = 0,
        lasting: bool = False,
    ) -> Entered:
        """Run it beside the queue, within the service's limit of calls, or of streams when it is ``lasting``."""
        ...

    def enter_now(self, kind: Kind, name: str, call: Call, kwargs: dict[str, Any], session: int, /) -> Entered | None:
        """The same for a function that is called on the loop; None where it cannot be called now."""
        ...

    async def stay(
        self,
        name: str,
        call: Call,
        kwargs: dict[str, Any],
        accepted: Callable[[], Awaitable[object]],
        *,
        session: int = 0,
    ) -> None:
        """Run a WebSocket for as long as its client stays; ``accepted`` is awaited just before."""
        ...


class Hosts(Protocol):
    """The services of a node by address. ``ready``: its start is over and its stop has not begun. ``loop_lag`` in
    seconds."""

    @property
    def hosts(self) -> Mapping[str, Host]: ...

    @property
    def ready(self) -> bool: ...

    @property
    def stopping(self) -> bool: ...

    @property
    def loop_lag(self) -> float: ...
