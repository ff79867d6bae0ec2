"""A node: one or more flows on one engine, with its data directory, its listener and its control socket."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager, AsyncExitStack, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar, overload

import msgspec

from junctor import __version__
from junctor.clock import Clock
from junctor.core.lifecycle import State
from junctor.flows import Wiring
from junctor.messages import type_name
from junctor.node import directory as directories
from junctor.node.address import Address
from junctor.node.alerting.alerting import Alerting
from junctor.node.alerting.outlook import Aside, put_aside
from junctor.node.control.entries import action_of, called_host, host_of
from junctor.node.control.server import ControlSocket
from junctor.node.here import arrive, leave
from junctor.node.listening import Listeners
from junctor.node.resend import Resends
from junctor.node.sensitive import SensitiveFields
from junctor.node.switches import Switches
from junctor.node.transports import open_transport
from junctor.node.views.status import NodeStatus, parked_counts, status_of
from junctor.observe.masking import MaskedArchive
from junctor.runtime.engine import Engine
from junctor.runtime.resend import Decisions
from junctor.runtime.threads import CallThreads
from junctor.services.target import Target
from junctor.transports.base import Archive, Transport

if TYPE_CHECKING:
    from junctor.flows.comparison import Changes
    from junctor.runtime.host import Host

T = TypeVar("T")
Req = TypeVar("Req")
Rep = TypeVar("Rep")

log = logging.getLogger("junctor.node")

GRACE = 8.0
"""Seconds that a stop gives to what runs: less than the 10 s after which containers are killed."""

READERS = 2
"""Questions to the archive at once."""


class Plan(msgspec.Struct, kw_only=True):
    """What a node is made of. ``directory`` None: nothing is kept, and no command finds the node. ``transport`` is a
    name, or a transport that is not open yet.

    ``http`` is where the main listener is, as said on the command line; None: there is no listener, unless
    ``http_when_needed`` says where one is opened for a flow that comes later and has a route or an action. ``alerts``:
    the rules of the flows are watched, and somebody is told.
    """

    flows: Sequence[Wiring]
    transport: str | Transport = "sqlite"
    directory: Path | None = None
    http: Address | None = None
    http_when_needed: Address | None = None
    clock: Clock | None = None
    alerts: bool = True


class Node:
    """A running Junctor. Made by ``flow.running()`` and ``junctor.run``; stopped by leaving them.

    ``failure`` is the error that ended it, None while it runs and after a clean stop. ``on_asked`` is called when it is
    asked to stop; ``while_changing`` surrounds each change to other flows. ``flows`` are those
    that run; ``loading`` is held by who loads the user's code anew.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        given = plan.transport
        self._transport = given if isinstance(given, Transport) else open_transport(given, plan.directory)
        self.engine = Engine(self._transport, clock=plan.clock, on_fatal=self._failed)
        self.directory = plan.directory
        self.name = ""
        self.state = State.NEW
        self.failure: Exception | None = None
        self.stop_reason = ""
        self.on_asked: Callable[[], object] | None = None
        self.listeners = Listeners(self.engine, plan.http, plan.http_when_needed)
        self._control: ControlSocket | None = None
        self.flows: Sequence[Wiring] = tuple(plan.flows)
        self.switches = Switches(self.engine)
        self.sensitive = SensitiveFields(self.engine)
        self.alerting = Alerting(self.engine, plan.directory, self.read, on=plan.alerts)
        self.resends = Resends(self.engine, Decisions(self.engine, self.read_unmasked), self.read)
        self.loading = asyncio.Lock()
        self._applying = asyncio.Lock()
        self.while_changing: Callable[[], AbstractContextManager[None]] = nullcontext
        self._stop_asked = asyncio.Event()
        self._starting: asyncio.Task[Any] | None = None
        self._readers = CallThreads("junctor archive")
        self._reading = asyncio.Semaphore(READERS)
        self._started = 0.0

    # Life ---------------------------------------------------------------------------------------------------

    async def start(self, opened: Callable[[], object] | None = None) -> None:
        """Open the store, then the ways to watch, then the services; returns when every service runs.

        What was opened is closed again when a later step fails.

        :param opened: called when everything is open and no service has started yet.
        :raises JunctorError: the store, the control socket, the port or a flow cannot be used.
        """
        self.state = State.STARTING
        self._started = time.monotonic()
        self._starting = asyncio.current_task()
        try:
            await self._open()
            if opened is not None:
                opened()
            await self.engine.start()
        except BaseException:
            await self.stop(grace=0.0)
            raise
        finally:
            self._starting = None
        self.state = State.RUNNING

    async def _open(self) -> None:
        if self.directory is not None:
            directories.prepare(self.directory)
        opened = await self.engine.open()
        self.name = opened.node
        self.alerting.use(self._plan.flows)
        for flow in self.alerting.with_system(self._plan.flows):
            self.engine.add(flow)
        await self.sensitive.read(flow.types for flow in self.engine.flows.values())
        self.switches.read()
        self.switches.set(self.engine.hosts.values())
        if self.directory is not None:
            self._control = ControlSocket(self.directory, self._perform, self.engine.supervisor)
            await self._control.open()
        await self.listeners.open(self._plan.flows, self.name)
        arrive(self)

    async def stop(self, grace: float = GRACE) -> None:
        """Stop cleanly: inputs first, then what runs finishes or returns to the queue, then the rest in reverse order.

        :param grace: seconds for all of it. Idempotent.
        """
        if self.state in (State.STOPPED, State.NEW, State.STOPPING):
            return
        self.state = State.STOPPING
        leave(self)
        self._stop_asked.set()
        until = time.monotonic() + grace
        async with AsyncExitStack() as rest:
            rest.callback(self._readers.close)
            # The connections of the control socket close last: whoever waits for the end learns it by that.
            if self._control is not None:
                rest.push_async_callback(self._control.hang_up)
            rest.push_async_callback(self._stop_engine, until)
            # Half of it: a client that holds a stream open must not use up what handlers need to finish.
            rest.push_async_callback(self.listeners.stop, grace / 2)
        self.state = State.STOPPED

    async def _stop_engine(self, until: float) -> None:
        try:
            await self.engine.stop(max(until - time.monotonic(), 0.0))
        finally:
            if self._control is not None:
                self._control.shut()

    def _failed(self, error: Exception) -> None:
        """The engine cannot go on, for example because the disk refuses to be written."""
        if self.failure is None:
            self.failure = error
            log.critical("the node ends: %s", error)
        self.ask_stop("the store failed")

    def ask_stop(self, reason: str) -> None:
        """Let :meth:`asked_to_stop` return; a start that is under way is cancelled. Does not wait."""
        self.stop_reason = self.stop_reason or reason
        self._stop_asked.set()
        if self.on_asked is not None:
            self.on_asked()
        if self._starting is not None:
            self._starting.cancel()
            self._starting = None

    async def asked_to_stop(self) -> None:
        """Return when somebody asked the node to stop, or when it failed."""
        await self._stop_asked.wait()

    async def __aenter__(self) -> Node:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()
        if self.failure is not None and error is None:
            raise self.failure

    # Use ----------------------------------------------------------------------------------------------------

    @overload
    def target(
        self, service: str, request: type[Req], reply: type[Rep], *, handler: str | None = None
    ) -> Target[Req, Rep]: ...

    @overload
    def target(
        self, service: str, request: type[Req], reply: None = None, *, handler: str | None = None
    ) -> Target[Req, Any]: ...

    @overload
    def target(
        self, service: str, request: Any, reply: Any = None, *, handler: str | None = None
    ) -> Target[Any, Any]: ...

    def target(self, service: str, request: Any, reply: Any = None, *, handler: str | None = None) -> Target[Any, Any]:
        """A target from outside to a service: ``node.target("alarm", Reading)`` for sends, with the class of the reply
        for requests too.

        :param handler: the handler or signal that its messages are for, by name; by default their type decides.
        :raises UnknownTarget: no such service runs.
        :raises WiringError: it does not handle the type.
        """
        host = host_of(self.engine, service)
        port = self.engine.client(host.flow)
        link = port.link_to(host.address, request, reply, handler=handler)
        return Target(port, (link,), request, f"client -> {host.address} ({type_name(request)})")

    async def call(self, service: str, action: str, /, **arguments: Any) -> Any:
        """Call an action and return its result.

        :raises UnknownTarget: no such service runs.
        :raises UnknownOperation: it has no such action, or the action no such parameter.
        """
        host = called_host(self.engine, service)
        return await action_of(host, action).call(host, arguments, text=False)

    def status(self, aside: Aside | None = None) -> NodeStatus:
        """The node and its services at this moment.

        :param aside: what waits for an operator, where the caller has read it.
        """
        aside = put_aside(self.archive) if aside is None else aside
        found = status_of(self.engine, parked_counts(aside.parked), self.switches.paused)
        found.alerts = len(self.alerting.open_with(aside))
        found.suspended = sum(runs.count for runs in aside.suspended)
        found.node = self.name
        found.state = self.state.value
        found.version = __version__
        found.pid = os.getpid()
        found.started = datetime.fromtimestamp(self.engine.started_at / 1e9, UTC)
        found.uptime = time.monotonic() - self._started
        found.store = str(self.directory or "")
        found.transport = self._transport.name
        found.urls = self.urls
        return found

    # Change -------------------------------------------------------------------------------------------------

    async def apply(
        self, flows: Sequence[Wiring], *, who: str, dry_run: bool = False, remove: Collection[str] = ()
    ) -> list[Changes]:
        """Go over to these flows while the node runs. What is equal is not touched, neither are flows that are not
        named; a service that is not equal stops cleanly and starts anew on the same queue.

        Everything is checked before anything stops. One at a time; goes on where the caller is cancelled.

        :param who: for the record.
        :param dry_run: only tell what would change.
        :param remove: the names of flows that end.
        :raises ConfigurationError: something cannot be used as it is; nothing has changed then.
        """
        from junctor.node.apply import applied

        async def change() -> list[Changes]:
            async with self._applying:
                if dry_run:
                    return await applied(self, flows, remove, who, dry_run)
                with self.while_changing():
                    return await applied(self, flows, remove, who, dry_run)

        return await asyncio.shield(self.engine.supervisor.start("apply", change(), failed=lambda error: None))

    async def restart(self, host: Host) -> None:
        """Stop a service and start it anew, with its failures so far forgotten; not while flows are changed.

        :raises UnknownTarget: a change took it out meanwhile.
        """
        async with self._applying:
            await host_of(self.engine, host.address).restart(GRACE)  # it may have been replaced or taken out meanwhile

    def ask_reload(self, who: str) -> None:
        """Load again what the node was started with, and go over to it. Does not wait; what comes of it is logged."""
        from junctor.node.apply import reload

        self.engine.supervisor.start("reload", reload(self, who))

    async def aside(self, work: Callable[[], T]) -> T:
        """Do blocking work in a thread while the node goes on."""
        done: T = await self._readers.call(work, (), None)
        return done

    # What is stored -----------------------------------------------------------------------------------------

    @property
    def archive(self) -> Archive:
        """What is stored, as operators see it: sensitive values are masked. A question may take a while: code on the
        node's loop uses :meth:`read`."""
        return MaskedArchive(self._transport.archive, lambda: self.sensitive.known)

    async def read(self, question: Callable[[Archive], T]) -> T:
        """Ask the archive in a thread, so that a search through a large store holds nothing up."""
        async with self._reading:
            found: T = await self._readers.call(question, (self.archive,), None)
            return found

    async def read_unmasked(self, question: Callable[[Archive], T]) -> T:
        """The same with sensitive values: for what sends messages again, and shows them to nobody."""
        async with self._reading:
            found: T = await self._readers.call(question, (self._transport.archive,), None)
            return found

    @property
    def durable(self) -> bool:
        """Whether messages outlive the process."""
        return self._transport.capabilities.durable

    @property
    def url(self) -> str:
        """The address of the listener, empty without one."""
        return next(iter(self.urls), "")

    @property
    def urls(self) -> list[str]:
        """The addresses of all listeners, the main one first."""
        return self.listeners.urls

    def is_held(self, address: str) -> bool:
        """Whether the service at this address is held."""
        host = self.engine.hosts.get(address)
        return host is not None and host.lifecycle.state is State.HELD

    async def _perform(self, name: str, arguments: dict[str, msgspec.Raw], who: str) -> Any:
        # The table is loaded by the first question. Who asks here is the user of the node: every permission.
        from junctor.node.control.operations import perform

        return await perform(self, name, arguments, who=who)

    def __repr__(self) -> str:
        return f"<Node {self.name or 'new'} {self.state.value}>"
