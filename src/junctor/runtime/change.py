"""Other flows on a running engine: services come, go and are replaced, and the rest does not notice.

Everything that can be wrong is found before anything stops. A service that is replaced goes on with its inbox, so what
waits for it stays in its order; what it works on finishes within the grace or is delivered to the new one.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from junctor.core.port import Link
from junctor.core.spec import FlowPlan, ServicePlan, ServiceSpec, service_address
from junctor.errors import ConfigurationError, JunctorError, text_of
from junctor.runtime.host import Host
from junctor.runtime.supervisor import is_cancelled

if TYPE_CHECKING:
    from junctor.runtime.engine import Engine

TAKING_REQUESTS = 0.25
"""Seconds in which services that are replaced still take requests."""

Hosts = Sequence[Host]


class Change:
    """From what runs to ``plans``, which are all flows that run afterwards: looked at here, then ``build``, ``make``.

    :param replaced: the addresses of services whose instances are to be made anew.
    :raises WiringError: a target leads to nothing, or to a service that does not take its type.
    """

    def __init__(self, engine: Engine, plans: Sequence[FlowPlan], replaced: Collection[str]) -> None:
        self._engine = engine
        self._plans = {plan.name: plan for plan in plans}
        self._hosts: dict[str, Host] = {}
        self.come: list[Host] = []
        for plan in plans:
            for service in plan.services:
                self._take(plan, service, replaced)
        self.gone = [host for address, host in engine.hosts.items() if self._hosts.get(address) is not host]
        self._links: dict[str, Mapping[str, tuple[Link, ...]]] = {
            host.address: host.resolve(self._hosts, self._plans[host.flow].types) for host in self._hosts.values()
        }

    def build(self, only: Callable[[ServiceSpec], bool] = lambda spec: True) -> None:
        """Make the instances of the services that come.

        :param only: of these.
        :raises ConfigurationError: a constructor failed.
        """
        for host in self.come:
            if only(host.spec):
                self._build(host)

    def _take(self, flow: FlowPlan, service: ServicePlan, replaced: Collection[str]) -> None:
        engine, address = self._engine, service_address(flow.name, service.spec.name)
        host = engine.hosts.get(address)
        if host is None or address in replaced:
            host = Host(engine, flow.name, service, flow.types, engine.inbox(address, service.spec.policies))
            host.inherits = host.inbox.used
            self.come.append(host)
        self._hosts[address] = host

    def _build(self, host: Host) -> None:
        host.connect(self._links[host.address])
        try:
            host.build()
        except JunctorError:
            raise
        except BaseException as error:
            if isinstance(error, asyncio.CancelledError) and is_cancelled():
                raise
            raise ConfigurationError(
                f"its constructor failed: {type(error).__name__}: {text_of(error)}".rstrip(": "),
                where=host.address,
                fix="Nothing was changed; correct the constructor or its settings and apply again.",
            ) from error

    async def make(self, switch: Callable[[Hosts, Hosts], Awaitable[object]], grace: float) -> None:
        """Do it. Returns when the new services run or have visibly failed.

        :param switch: gets the services that go and that come before any stops; what it raises leaves all as it is.
        :param grace: seconds for the work in flight of what stops.
        """
        started = asyncio.Event()
        for host in self.come:
            host.coming = started
        try:
            await switch(self.gone, self.come)
            await self._go_over(grace)
        finally:
            started.set()

    async def _go_over(self, grace: float) -> None:
        for host in self.gone:
            host.successor = next((one for one in self.come if one.address == host.address), None)
        await self._stop(grace)
        for host in self.come:
            await host.inbox.change(host.spec.policies, self._engine)
        if self._engine.stopping:
            return
        self._exchange()
        await self._engine.start_hosts(self.come)
        # Under another order what is retried may wait in the store now, and what has waited there for its service.
        self._engine.look_for_due()

    async def _stop(self, grace: float) -> None:
        deadline = time.monotonic() + grace
        leaving = [host for host in self.gone if host.address not in self._hosts]
        await asyncio.gather(*(host.stop_inputs(grace / 2, leaving=host in leaving) for host in self.gone))
        # What runs may wait for replies of others that are replaced. Under load there are requests without end, so
        # these are taken for a moment only; the rest is for the new ones.
        await self._engine.finish(self.gone, min(deadline, time.monotonic() + TAKING_REQUESTS))
        for host in self.gone:
            host.mailbox.pause()
        await self._engine.finish(self.gone, deadline)
        for host in reversed(self.gone):
            await host.stop(max(0.0, min(1.0, deadline - time.monotonic())))

    def _exchange(self) -> None:
        """In one turn of the loop, so that no message meets half of it."""
        engine = self._engine
        for host in self.come:
            if (before := engine.hosts.get(host.address)) is not None:
                if before.pause_reason is None or before.pause_reason != before.spec.resting:
                    host.pause_reason = before.pause_reason  # it may have been paused or resumed since the change began
        engine.flows.clear()
        engine.flows.update(self._plans)
        engine.hosts.clear()
        engine.hosts.update(self._hosts)
        for host in self._hosts.values():
            if host not in self.come:
                host.exchange_types(self._plans[host.flow].types)
                host.connect(self._links[host.address])
