"""A small real host: runs routes and actions of one object, with a hop and a limit of calls; no queues, no store."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from junctor.core.hop import Hop, current
from junctor.core.lifecycle import Lifecycle, State
from junctor.core.spec import ActionSpec, RouteSpec, ServiceSpec
from junctor.errors import QueueFull, ServiceStopped
from junctor.messages import Kind
from junctor.runtime.counts import Counts
from junctor.transports.base import Depth


class Tally:
    """The counters of a host, all zero at the start."""

    def __init__(self) -> None:
        self.accepted = self.busy = self.calls = self.done = self.expired = self.failed = 0
        self.held = self.parked = self.refused = self.retried = self.ticks = 0
        self.counts = Counts()


class Entered:
    def __init__(self, value: Any, session: int) -> None:
        self.value, self.session = value, session


def route(method: str, path: str, status: int = 200) -> Callable[[Any], Any]:
    """Marks a method of a test's service as a route."""

    def mark(function: Any) -> Any:
        function.entry = (method, path, status)
        return function

    return mark


def action(function: Any) -> Any:
    function.entry = ("ACTION", "", 200)
    return function


def spec_of(service: object, name: str) -> ServiceSpec:
    routes, actions = [], []
    for key, function in vars(type(service)).items():
        method, path, status = getattr(function, "entry", ("", "", 0))
        common: Any = {
            "name": key,
            "bind": lambda thing, key=key: getattr(thing, key),
            "signature": function,
            "blocking": not (inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)),
            "doc": getattr(function, "__doc__", None) or "",
        }
        if method == "ACTION":
            actions.append(ActionSpec(**common))
        elif method:
            streams = inspect.isasyncgenfunction(function) or inspect.isgeneratorfunction(function)
            routes.append(RouteSpec(method=method, path=path, status=status, streams=streams, **common))
    doc = type(service).__doc__ or ""
    return ServiceSpec(name=name, build=lambda context: service, routes=tuple(routes), actions=tuple(actions), doc=doc)


class SmallHost:
    def __init__(self, service: object, name: str = "lab", flow: str = "test", calls: int = 64) -> None:
        self.flow, self.service, self.address = flow, name, f"{flow}/{name}"
        self.spec = spec_of(service, name)
        self.lifecycle = Lifecycle(name)
        self.lifecycle.to(State.STARTING)
        self.lifecycle.to(State.RUNNING)
        self.depth = Depth()
        self.counters = Tally()
        self.in_flight = self.lasting = 0
        self.instance = service
        self.hops: list[Hop] = []
        self._calls = calls

    def bound(self, entry: Any) -> Callable[..., Any]:
        bound: Callable[..., Any] = entry.bind(self.instance)
        return bound

    async def enter(
        self,
        kind: Kind,
        name: str,
        call: Callable[..., Any],
        blocking: bool,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
        *,
        session: int = 0,
        lasting: bool = False,
    ) -> Entered:
        if self.lifecycle.state is not State.RUNNING:
            raise ServiceStopped(f"the service is {self.lifecycle.state.value}", where=self.address)
        if (self.lasting if lasting else self.in_flight) >= self._calls:
            raise QueueFull(f"{self._calls} calls run already", where=self.address)
        hop = Hop(kind, self.address, name, session, len(self.hops) + 1, 0)
        self.hops.append(hop)
        self.in_flight += not lasting
        self.lasting += lasting
        self.counters.calls += 1
        token = current.set(hop)
        try:
            given = kwargs or {}
            value = await (asyncio.to_thread(call, *args, **given) if blocking else call(*args, **given))
        finally:
            current.reset(token)
            self.in_flight -= not lasting
            self.lasting -= lasting
        return Entered(value, session)

    def enter_now(
        self, kind: Kind, name: str, call: Callable[..., Any], kwargs: dict[str, Any], session: int, /
    ) -> None:
        """Nothing is called on the loop here."""


def node_of(*hosts: SmallHost) -> Any:
    """What health, metrics and the index ask a node for."""
    return SimpleNamespace(hosts={host.address: host for host in hosts}, ready=True, stopping=False, loop_lag=0.002)
