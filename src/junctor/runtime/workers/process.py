"""The worker's side: builds the service, runs its handlers one delivery at a time, and answers with outcomes.

The service sees the same port as in the node. Behind it stand, instead of the engine, the small stand-ins of this
module: a send joins the delivery here, a request is asked of the node.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import threading
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from junctor.clock import Clock, RealClock
from junctor.core.hop import Delivery, Hop, current, delivery_of
from junctor.core.origin import origin_of
from junctor.core.outcome import Draft, Outcome, Reply, Settlement
from junctor.core.port import Link
from junctor.core.routing import Routing
from junctor.core.spec import Context, HandlerSpec, ServiceSpec, Wire, service_address
from junctor.errors import NoHandler, NotRunning, StateError, UnknownTarget
from junctor.messages import Kind, MessageType, TypeRegistry
from junctor.observe.frames import point_to
from junctor.runtime.failures import failure_of, wrong_reply
from junctor.runtime.keys import key_reader
from junctor.runtime.port import HostPort
from junctor.runtime.supervisor import Supervisor
from junctor.runtime.threads import SlotThread
from junctor.runtime.workers import protocol

Load = Callable[[protocol.Build], ServiceSpec]


class Worker:
    """One service in this process. Engine, dispatcher and host in one, as far as a port needs them."""

    immediate = False
    stopping_node = False

    def __init__(self, build: protocol.Build, spec: ServiceSpec, writer: asyncio.StreamWriter) -> None:
        self.build = build
        self.spec = spec
        self.flow, self.service = build.flow, build.service
        self.address = service_address(build.flow, build.service)
        self.clock: Clock = RealClock()
        self.types = TypeRegistry()
        self.dispatcher = self
        self.requests = self
        self.transport = self
        self.max_body = build.max_body
        self.hosts = {neighbour.address: Neighbour(neighbour) for neighbour in build.neighbours}
        self.pending_state: dict[tuple[str, str], tuple[bytes | None, int, Any]] = {}
        self.stopping = threading.Event()
        self.sleepers: set[asyncio.Future[Any]] = set()
        self._state: dict[str, tuple[bytes, int]] = {}
        self._key = ""
        self._asked: dict[int, tuple[asyncio.Future[Any], Link]] = {}
        self._numbers = itertools.count(1)
        self._writer = writer
        self._thread = SlotThread(f"junctor {self.address}", asyncio.get_running_loop())
        targets = {target.name: target for target in spec.targets}
        self.links = {
            name: tuple(self._link(wire, targets[name].request, targets[name].reply) for wire in wires)
            for name, wires in build.links.items()
        }
        # This object stands in for both the engine and the host of a port, as far as a port needs them.
        self.port = HostPort(self, self)  # type: ignore[arg-type]
        context = Context(flow=build.flow, service=build.service, settings=spec.settings, port=self.port)
        self.instance = spec.build(context)
        for known in spec.types:
            self.types.register(known)
        self._routing: Routing[HandlerSpec] = Routing()
        for handler in spec.handlers:
            self._routing.add(handler.name, self.types.register(handler.accepts), handler)

    def _link(self, wire: Wire, request: Any, reply: Any) -> Link:
        replies = self.types.register(reply) if reply is not None and reply is not Any else None
        return Link(wire.to, self.types.register(request), replies, when=wire.when)

    # What a port asks of an engine ----------------------------------------------------------------------------

    def types_of(self, address: str) -> TypeRegistry:
        return self.types

    def subscribers(self, flow: str, body: Any) -> list[Link]:
        kind = self.types.of(body)
        return [Link(n.address, kind) for n in self.build.neighbours if {kind.name, "any"} & set(n.subscribes)]

    def handling(self, flow: str, body: Any, handler: str | None = None) -> list[Link]:
        if handler is not None:
            anything = self.types.register(Any)
            having = [n for n in self.build.neighbours if handler in n.named]
            return [Link(n.address, anything, handler=handler) for n in having]
        kind = self.types.of(body)
        return [Link(n.address, kind) for n in self.build.neighbours if {kind.name, "any"} & set(n.handles)]

    # What a port asks of a dispatcher -------------------------------------------------------------------------

    def host_of(self, address: str) -> Neighbour:
        if address not in self.hosts:
            raise UnknownTarget(f"there is no service {address!r} in this node", where=self.address)
        return self.hosts[address]

    def earlier(self, hop: Hop, draft: Draft) -> Any:
        """An earlier attempt's send is left out here; a request is asked again, and the node finds its reply."""
        if draft.kind is Kind.REQUEST or hop.sent is None:
            return None
        cause = f"{self.build.node}-{hop.seq}"
        return hop.sent.get(origin_of(cause, draft.counter, draft.target, draft.type, draft.payload))

    def submit(
        self, draft: Draft, source: str, hop: Hop | None, link: Link | None, future: asyncio.Future[Any]
    ) -> None:
        future.set_exception(
            NotRunning(
                "a worker sends only while it handles a message",
                where=self.address,
                fix="Send from the handler, or run the service in the node.",
            )
        )

    def savepoint(
        self, hop: Hop, drafts: Sequence[Draft], request: Draft, link: Link, future: asyncio.Future[Any]
    ) -> None:
        number = next(self._numbers)
        self._asked[number] = (future, link)
        self.send(protocol.Ask(number, hop.seq, (*drafts, request)))

    def state(self, service: str, key: str) -> dict[str, tuple[bytes, int]]:
        if key != self._key:
            raise StateError(f"a worker has the state of its message's key {self._key!r} only", where=self.address)
        return self._state

    # Work -----------------------------------------------------------------------------------------------------

    def send(self, frame: protocol.Frame) -> None:
        self._writer.write(protocol.pack(frame))

    def answered(self, answer: protocol.Answer) -> None:
        future, link = self._asked.pop(answer.number)
        if future.done():
            return
        if answer.error is not None:
            future.set_exception(protocol.exception_of(answer.error))
        elif answer.reply == b"null" or link.replies is None:
            future.set_result(msgspec.json.decode(answer.reply))
        else:
            try:
                future.set_result(link.replies.read(answer.reply, link.replies.version, f"reply of {link.address}"))
            except Exception as error:  # noqa: BLE001 - the requester gets what is wrong with the reply
                future.set_exception(error)

    async def deliver(self, frame: protocol.Deliver) -> None:
        message = msgspec.structs.replace(frame.message, session=int(frame.session, 16))
        delivery = delivery_of(message, frame.attempt)
        delivery.started = self.clock.time_ns()
        delivery.sent = {sent.origin: sent for sent in frame.sent} or None
        self._state = frame.state
        self._key = message.key if self.build.key is not None and message.key else ""
        self.send(protocol.Settled(message.seq, await self._outcome(delivery)))

    async def _outcome(self, delivery: Delivery) -> Outcome:
        message = delivery.message
        try:
            handler = self._routing.find(message)
            if handler is None:
                raise NoHandler(f"no handler takes {message.type}", where=self.address)
            delivery.name = handler.name
            kind = self.types.register(handler.accepts)
            if kind.cls is Any:
                kind = self.types.named(message.type) or kind
            body = kind.read(message.payload, message.version, f"{self.address}.{handler.name}")
            call = handler.bind(self.instance)
            if handler.blocking:
                value = await self._thread.call(call, (body,), delivery)
            else:
                current.set(delivery)
                value = await call(body)
            replies = self.types.register(handler.replies) if handler.replies is not None else None
            reply = self._reply(value, replies, call) if message.kind is Kind.REQUEST else None
        except BaseException as error:  # noqa: BLE001 - the node decides what becomes of it
            failed = failure_of(error)
            return Outcome(Settlement.PARK, logs=delivery.logs or (), failure=failed, started=delivery.started)
        finally:
            delivery.open = False
        return Outcome(
            Settlement.DONE,
            reply,
            delivery.drafts or (),
            list(delivery.writes.values()) if delivery.writes else (),
            delivery.logs or (),
            started=delivery.started,
            duration=self.clock.time_ns() - delivery.started,
        )

    def _reply(self, value: Any, kind: MessageType | None, call: Any) -> Reply | None:
        """As on the node.

        :raises EncodeError: it is not of the declared type, or cannot be encoded.
        """
        if value is None and (kind is None or kind.fits(None)):
            return None
        if kind is not None and not kind.fits(value):
            error = wrong_reply(kind.name, value, self.address)
            point_to(error, call)
            raise error
        made = self.types.of(value) if kind is None or kind.cls is Any else kind
        return Reply(made.name, made.encode(value), made.version)

    async def start(self) -> None:
        if self.spec.start is not None:
            await self._perform(self.spec.start)

    async def stop(self) -> None:
        self.stopping.set()
        if self.spec.stop is not None:
            await self._perform(self.spec.stop)

    async def _perform(self, activity: Any) -> None:
        call = activity.bind(self.instance)
        await (self._thread.call(call, (), None) if activity.blocking else call())


class Neighbour:
    """Another service as a port sees it: it has room as far as the worker knows; the node judges at the commit."""

    def __init__(self, described: protocol.Neighbour) -> None:
        self.address = described.address
        self.mailbox = self
        self.key_of = key_reader(described.key) or (lambda body: None)
        self.keyed = described.key is not None

    def room(self, size: int) -> bool:
        return True

    def link(self, request: Any, reply: Any = None, handler: str = "") -> Link:
        registry = TypeRegistry()
        replies = registry.register(reply) if reply is not None and reply is not Any else None
        return Link(self.address, registry.register(request), replies, handler=handler)


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, load: Load) -> None:
    """Serve a node until it says stop or is gone."""
    build = await protocol.read(reader)
    if not isinstance(build, protocol.Build):
        return
    try:
        worker = Worker(build, load(build), writer)
        await worker.start()
    except BaseException as error:  # noqa: BLE001 - the node shows why the service cannot be made
        writer.write(protocol.pack(protocol.Built(failure_of(error))))
        with contextlib.suppress(ConnectionError):
            await writer.drain()
        return
    worker.send(protocol.Built())
    supervisor = Supervisor()
    while True:
        frame = await protocol.read(reader)
        if isinstance(frame, protocol.Deliver):
            supervisor.start(f"deliver {frame.message.seq}", worker.deliver(frame))
        elif isinstance(frame, protocol.Answer):
            worker.answered(frame)
        else:
            break
    await supervisor.aclose()
    await worker.stop()
