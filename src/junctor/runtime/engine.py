"""The engine of a node: flows on a transport. It opens the journal, brings services up, and takes them down in
order."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import time
from collections.abc import Callable, Sequence
from hashlib import blake2b
from types import CodeType
from typing import Any

from junctor.clock import SECOND, Clock, RealClock
from junctor.core.hop import Hop
from junctor.core.lifecycle import State
from junctor.core.policy import Policies
from junctor.core.port import Link
from junctor.core.signals import counted
from junctor.core.spec import FlowPlan, service_address
from junctor.errors import ConfigurationError, NotRunning
from junctor.messages import Kind, TypeRegistry
from junctor.runtime.dispatcher import Dispatcher
from junctor.runtime.host import Host
from junctor.runtime.inbox import Inbox
from junctor.runtime.left_runs import tell_of_left_runs
from junctor.runtime.mailbox import UNBOUNDED
from junctor.runtime.port import EnginePort
from junctor.runtime.supervisor import Supervisor
from junctor.runtime.sweep import Sweep
from junctor.runtime.untold import tell_runs
from junctor.runtime.watchdog import Watchdog
from junctor.transports.base import AlertRecord, Commit, Opened, Transport

log = logging.getLogger("junctor.runtime")

WINDOW = 1024
"""Messages of one service that a durable transport holds in memory; the rest stays in the store."""

_SWEEP = 0.1

_START = 10.0
"""Seconds that the start of the node waits for the ``on_start`` of its services."""

_STANDSTILL = 1.0
"""Seconds after which a stop gives up deliveries that only wait for each other's queues."""

_LOOK_AGAIN = 0.25
"""Seconds until what is past its time and still in the store is looked for again; doubled with each look in vain."""

_LONGEST_LOOK = 30.0

_SWITCH = 0.0005
"""Seconds that a thread keeps the interpreter lock when another one waits for it, while a durable store is open."""


class Engine:
    """``open``, ``add`` each flow, ``start``; ``stop`` ends it. All on one event loop.

    :param on_fatal: called once when the store fails; the node must end then.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        clock: Clock | None = None,
        on_fatal: Callable[[Exception], object] | None = None,
    ) -> None:
        self.transport = transport
        self.clock: Clock = clock or RealClock()
        self._ahead = self.clock.time_ns() - int(self.clock.monotonic() * SECOND)
        self.supervisor = Supervisor()
        self.dispatcher = Dispatcher(transport, self.clock, self.supervisor)
        self.hosts: dict[str, Host] = self.dispatcher.hosts
        self.inboxes: dict[str, Inbox] = self.dispatcher.inboxes
        self.flows: dict[str, FlowPlan] = {}
        # What is in memory anyway needs no window.
        self.window = WINDOW if transport.capabilities.durable else UNBOUNDED
        self.watchers: list[Callable[[Host, State], object]] = []
        self.stopping = False
        self.ready = False
        self.started_at = 0
        self.opened: Opened | None = None
        self._on_fatal = on_fatal
        self._alerted: list[AlertRecord] = []
        self._switch_interval = 0.0
        self._due = 0
        self._look_again = _LOOK_AGAIN
        self._due_timer: Any = None
        self._sweep_timer: Any = None
        self.sweep: Sweep | None = None
        self._sweeping: asyncio.Task[None] | None = None
        self.standstills = self.dispatcher.requests.standstills
        self._watchdog = Watchdog(self._name_of, self.standstills)
        self.dispatcher.due_changed = self._due_changed
        self.dispatcher.inbox_at = lambda address: self.inbox(address, Policies())

    # Life ---------------------------------------------------------------------------------------------------

    async def open(self) -> Opened:
        """Open the transport and learn who we are.

        :raises StoreError: and its kinds, when the store cannot be used.
        """
        self.opened = opened = await self.transport.open(self._fatal)
        # Under virtual time a run is to be like the one before; its numbers are its own anyway.
        upper = blake2b(opened.node.encode(), digest_size=8).digest() if self.clock.virtual else os.urandom(8)
        self.dispatcher.opened(opened.node, int.from_bytes(upper, "big") << 64)
        for warning in opened.warnings:
            log.warning("%s", warning)
            self.note_alert(AlertRecord(self.clock.time_ns(), "store", "", warning))
        if not opened.clean:
            self._tell_unclean(len(opened.suspects))
        return opened

    def _tell_unclean(self, suspects: int) -> None:
        """Also of a copy that was made while its node ran: it goes on as one that was killed then."""
        hand = f"{counted(suspects, 'message')} in hand" if suspects else "nothing was in hand"
        text = f"the store was not closed by a clean stop: {hand}{', delivered one at a time' if suspects else ''}"
        log.warning("%s", text)
        self.note_alert(AlertRecord(self.clock.time_ns(), "unclean-stop", "", text, "junctor logs"))

    def add(self, plan: FlowPlan) -> None:
        """Add a flow before the start.

        :raises ConfigurationError: the name is taken.
        """
        if plan.name in self.flows:
            raise ConfigurationError(f"there are two flows called {plan.name!r}", fix="Give one of them another name.")
        self.flows[plan.name] = plan
        for service in plan.services:
            inbox = self.inbox(service_address(plan.name, service.spec.name), service.spec.policies)
            host = Host(self, plan.name, service, plan.types, inbox)
            self.hosts[host.address] = host

    def inbox(self, address: str, policies: Policies) -> Inbox:
        """The inbox of this address, made with these policies where there is none yet."""
        inbox = self.inboxes.get(address)
        if inbox is None:
            inbox = self.inboxes[address] = Inbox(self, address, policies)
        return inbox

    async def start(self) -> None:
        """Take over what the store owes, then start every service; returns when each runs or has visibly failed."""
        for host in self.hosts.values():
            host.connect(host.resolve(self.hosts, host.types))
        self._recover()
        self._share_interpreter()
        self._watchdog.start()
        await self._watch_clock()
        self.started_at = self.clock.time_ns()
        await self.start_hosts(list(self.hosts.values()))
        self.ready = True
        requests = self.dispatcher.requests
        self._sweep_timer = self.clock.look_after(_SWEEP, self._sweep, requests.next_deadline)
        self._due_changed(self.opened.next_due if self.opened is not None else 0)
        self._start_sweep()

    async def _watch_clock(self) -> None:
        """Before any service accepts something, see Sweep.begin."""
        upkeep = self.transport.upkeep()
        if upkeep is not None:
            self.sweep = Sweep(self, upkeep)
            await self.sweep.begin()

    def _start_sweep(self) -> None:
        """Let what is finished be forgotten after its time. Virtual time does not wait for it: a test asks for it."""
        if self.sweep is not None and not self.clock.virtual:
            self._sweeping = self.supervisor.start("retention", self.sweep.run())

    async def start_hosts(self, hosts: Sequence[Host]) -> None:
        """All at once, each in its own task: an ``on_start`` that hangs keeps nobody else from running."""
        for host in hosts:
            host.take_over()
        starting = {self.supervisor.start(f"start {host.address}", host.start()): host for host in hosts}
        if not starting:
            return
        _, hanging = await asyncio.wait(starting, timeout=_START)
        for task in hanging:
            host = starting[task]
            text = f"{host.address}: on_start has not returned after {_START:.0f} s; the others run"
            log.error("%s", text, extra=host.named)

    def _share_interpreter(self) -> None:
        """Let the writer of a durable store in soon. It gives up the interpreter lock at each statement and waits up to
        the switch interval to get it back from a busy loop: 5 ms, Python's default, cuts the throughput under load to a
        tenth (docs/decisions/0003). Taken back at the stop."""
        if self.transport.capabilities.durable:
            self._switch_interval = sys.getswitchinterval()
            sys.setswitchinterval(min(self._switch_interval, _SWITCH))

    def _recover(self) -> None:
        opened = self.opened
        assert opened is not None, "open() comes before start()"
        now = self.clock.time_ns()
        for address, depth in opened.depths.items():
            if address not in self.hosts:
                log.warning("%s messages wait for %s, which is not in the flow any more", depth.count, address)
            box = self.inbox(address, Policies()).mailbox
            box.depth.count = depth.count
            box.depth.bytes = depth.bytes
            box.backlog = depth.count
        tell_of_left_runs(self)
        tell_runs(self)
        for stored in opened.suspects:
            inbox = self.inboxes.get(stored.message.target)
            if inbox is not None:
                inbox.mailbox.backlog = max(0, inbox.mailbox.backlog - 1)
                inbox.refill.recover(stored, now)

    async def stop(self, grace: float = 8.0) -> None:
        """Inputs first; then work in flight finishes or returns to the queue; then the rest, last opened first."""
        if self.stopping:
            return
        self.stopping = True
        self.ready = False
        hosts = list(self.hosts.values())
        deadline = time.monotonic() + grace
        await asyncio.gather(*(host.stop_inputs(grace / 2) for host in hosts))
        await self.finish(hosts, deadline)
        for host in reversed(hosts):
            await host.stop(max(0.0, min(1.0, deadline - time.monotonic())))
        self.dispatcher.accepting = False
        self.dispatcher.requests.abandon(NotRunning("the node stopped before the reply came"))
        for timer in (self._sweep_timer, self._due_timer):
            if timer is not None:
                timer.cancel()
        if self._sweeping is not None:
            await self.supervisor.end(self._sweeping)
        self._watchdog.stop()
        if self._switch_interval:
            sys.setswitchinterval(self._switch_interval)
        await self.transport.aclose()
        await self.supervisor.aclose()

    async def finish(self, hosts: Sequence[Host], deadline: float) -> None:
        """Let what is in flight come to its end. When all of it waits for replies and none comes, what was asked stands
        behind messages that are not handled any more: then it returns to the queue at once."""
        standing = time.monotonic()
        while any(host.in_flight for host in hosts) and time.monotonic() < min(deadline, standing + _STANDSTILL):
            await asyncio.sleep(0.01)
            if not all(host.waits for host in hosts):
                standing = time.monotonic()

    def _fatal(self, error: Exception) -> None:
        log.critical("the store failed, the node ends: %s", error)
        self.dispatcher.accepting = False
        self.dispatcher.requests.abandon(NotRunning(f"the store failed: {error}"))
        if self._on_fatal is not None:
            self._on_fatal(error)

    # Services to the parts ----------------------------------------------------------------------------------

    def client(self, flow: str | None = None, service: str = "client") -> EnginePort:
        """A port for callers that are not a service. With one flow in the node, that flow is the default."""
        name = flow if flow is not None else next(iter(self.flows), "")
        return EnginePort(self, name, service)

    def types_of(self, address: str) -> TypeRegistry:
        host = self.hosts.get(address)
        return host.types if host is not None else next(iter(self.flows.values())).types

    def subscribers(self, flow: str, body: Any) -> list[Link]:
        """The services of a flow that subscribe to the type of a body."""
        return [
            host.link(type(body) if handler.accepts is not Any else Any)
            for host in self._in_flow(flow)
            for handler in host.spec.handlers
            if handler.subscribes and (handler.accepts is Any or handler.accepts is type(body))
        ]

    def handling(self, flow: str, body: Any, handler: str | None = None) -> list[Link]:
        """The services of a flow that handle the type of a body, by its class or as ``Any``; or that have the
        handler."""
        if handler is not None:
            having = [host for host in self._in_flow(flow) if any(spec.name == handler for spec in host.spec.handlers)]
            return [host.link(Any, handler=handler) for host in having]
        found = []
        for host in self._in_flow(flow):
            accepted = [handler.accepts for handler in host.spec.handlers if not handler.by_name]
            if type(body) in accepted or Any in accepted:
                found.append(host.link(type(body) if type(body) in accepted else Any))
        return found

    def _in_flow(self, flow: str) -> list[Host]:
        hosts = list(self.hosts.values())  # at once: also code in other threads asks
        return [host for host in hosts if host.flow == flow]

    def new_hop(self, kind: Kind, address: str, name: str, session: int) -> Hop:
        seq = self.transport.number()
        joins = kind is Kind.TICK
        return Hop(
            kind,
            address,
            name,
            session or self.dispatcher.sessions | seq,
            seq,
            self.clock.time_ns(),
            None,
            joins,
            False,
        )

    async def committed(self, then: Callable[[Commit], object] = lambda commit: None, **parts: Any) -> None:
        """Commit and wait until it is done.

        :param then: called as soon as it is, before anything that a later commit makes happen.
        :raises JunctorError: it was refused.
        """
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def done(commit: Commit, error: Exception | None) -> None:
            for write in commit.runs:
                if write.service in self.inboxes:
                    self.inboxes[write.service].runs.forget(write.seq)
            if error is None:
                then(commit)
            if future.done():
                return
            if error is None:
                future.set_result(None)
            else:
                future.set_exception(error)

        self.transport.commit(Commit(done, **parts))
        await future

    def note_alert(self, alert: AlertRecord) -> None:
        """Keep an alert record."""
        self.transport.commit(Commit(lambda commit, error: None, alerts=(alert,), durability="written"))

    def changed(self, host: Host, old: State, new: State) -> None:
        log.debug("%s: %s -> %s %s", host.address, old.value, new.value, host.lifecycle.reason)
        for watch in self.watchers:
            watch(host, new)

    @property
    def loop_lag(self) -> float:
        return self._watchdog.lag

    def _name_of(self, code: CodeType) -> str | None:
        for host in self.hosts.values():
            for slot in host.slots:
                for name, own in slot.codes():
                    if own is code:
                        return f"{host.address}.{name}"
        return None

    # Time ---------------------------------------------------------------------------------------------------

    def _sweep(self) -> None:
        now = self.clock.time_ns()
        if self.dispatcher.waiters:
            self.dispatcher.requests.sweep(now)
        ahead = now - int(self.clock.monotonic() * SECOND)
        if abs(ahead - self._ahead) > SECOND:
            # Somebody has set the clock, or the machine slept: the timer of what comes due was set by the old time.
            self._ahead, self._due = ahead, 0
            self.look_for_due()

    def _due_changed(self, due: int) -> None:
        """A message becomes due: set the timer for the earliest one."""
        if not due or (self._due and due >= self._due):
            return
        if self._due_timer is not None:
            self._due_timer.cancel()
        self._due = due
        wait = max(0.0, (due - self.clock.time_ns()) / 1e9)
        self._due_timer = self.clock.call_later(wait, self._come_due)

    def _come_due(self) -> None:
        self._due = 0
        if self.stopping:
            return
        now = self.clock.time_ns()
        for host in self.hosts.values():
            host.refill.due()
        self.supervisor.start("next due", self._next_due(now))

    def look_for_due(self) -> None:
        """Look through the store for what has come due, and for when more does."""
        self._look_again = _LOOK_AGAIN
        self._due_changed(self.clock.time_ns())

    async def _next_due(self, now: int) -> None:
        """:param now: from before the queues were asked: what comes due since then may have been too late for them."""
        # What is past and still there is retried in memory by timers of its own, waits for a service that is not there,
        # or was left out for now: only the last is worth a look soon.
        due = await self.transport.next_due()
        if 0 < due <= now:
            left_out = any(host.refill.left_out for host in self.hosts.values())
            self._look_again = _LOOK_AGAIN if left_out else min(2 * self._look_again, _LONGEST_LOOK)
            self._due_changed(now + int(self._look_again * 1e9))
            due = await self.transport.next_due(now)
        else:
            self._look_again = _LOOK_AGAIN
        self._due_changed(due)
