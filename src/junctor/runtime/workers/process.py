"""The worker's side: builds the service, runs its deliveries one at a time and its calls beside them, and answers.

Deliveries of a service whose handlers all block go from the thread that reads the channel to the thread that handles,
and their outcomes from there to the node: the event loop has no part in them. Everything else runs on the loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import threading
from collections.abc import Callable
from typing import Any

import msgspec

from junctor.core.hop import Delivery, current
from junctor.core.outcome import Outcome, Reply, Settlement
from junctor.core.port import Port
from junctor.core.routing import Routing
from junctor.core.spec import Activity, Context, HandlerSpec, ServiceSpec
from junctor.errors import NoHandler, RequestExpired
from junctor.messages import Kind, MessageType
from junctor.messages.sensitive import sensitive_parameters
from junctor.observe.frames import point_to
from junctor.observe.hidden import hide, hide_arguments, note_hidden
from junctor.runtime.failures import failure_of, wrong_reply
from junctor.runtime.port import HostPort
from junctor.runtime.supervisor import Supervisor
from junctor.runtime.threads import CallThreads, SlotThread
from junctor.runtime.workers import protocol
from junctor.runtime.workers.channel import UNHEARD, Channel
from junctor.runtime.workers.errors import error_of
from junctor.runtime.workers.hops import call_in, delivery_in
from junctor.runtime.workers.line import Line
from junctor.runtime.workers.standin import StandIn
from junctor.runtime.workers.values import read_arguments, value_of

Load = Callable[[protocol.Build], ServiceSpec]


class Entry(msgspec.Struct):
    """A handler of the service, ready to be called."""

    spec: HandlerSpec
    call: Any
    accepts: MessageType
    replies: MessageType | None


class Worker:
    """One service in this process."""

    def __init__(self, build: protocol.Build, spec: ServiceSpec, channel: Channel) -> None:
        self.spec = spec
        self.channel = channel
        self.standin = standin = StandIn(build, spec, channel)
        self.address = standin.address
        self.types = standin.types
        self._time = standin.clock.time_ns
        self._supervisor = Supervisor()
        self._threads = CallThreads(f"junctor {self.address}")
        self._line = Line(lambda frame: channel.send(protocol.Settled(frame.message.seq)))
        self._calls: dict[int, asyncio.Task[Any]] = {}
        self._loop = asyncio.get_running_loop()
        self._running = False
        self._blocking = bool(spec.handlers) and all(handler.blocking for handler in spec.handlers)
        self._thread: SlotThread | None = None
        # The stand-in is both the engine and the host of a port, as far as a port needs them.
        self.port: Port = HostPort(standin, standin)  # type: ignore[arg-type]
        context = Context(
            flow=build.flow, service=build.service, settings=spec.settings, port=self.port, slot=build.slot
        )
        self.instance = spec.build(context)
        self._routing: Routing[Entry] = Routing()
        for handler in spec.handlers:
            self._add(handler)
        if self._blocking:
            threading.Thread(target=self._handle_all, name=f"junctor {self.address}", daemon=True).start()

    def _add(self, spec: HandlerSpec) -> None:
        accepts = self.types.register(spec.accepts)
        replies = self.types.register(spec.replies) if spec.replies is not None else None
        entry = Entry(spec, spec.bind(self.instance), accepts, replies)
        self._routing.add(spec.name, accepts, entry, spec.by_name)

    # What the node says ---------------------------------------------------------------------------------------

    def take(self, frame: protocol.Frame) -> None:
        """In the thread that reads."""
        if isinstance(frame, protocol.Deliver):
            self._line.put(frame)
            if not self._blocking:
                self._loop.call_soon_threadsafe(self._go_on)
        elif isinstance(frame, protocol.Answer):
            self.standin.answered(frame)
        elif isinstance(frame, protocol.Recall):
            self._line.recall()
        else:
            self._loop.call_soon_threadsafe(self._take_on_loop, frame)

    def _take_on_loop(self, frame: protocol.Frame) -> None:
        if isinstance(frame, protocol.Call):
            task = self._supervisor.start(f"call {frame.name}", self._call(frame))
            self._calls[frame.number] = task
        elif isinstance(frame, protocol.Cancel) and frame.number in self._calls:
            self._calls[frame.number].cancel()
        elif isinstance(frame, protocol.Signal):
            self.standin.signalled(frame)
        elif isinstance(frame, protocol.Stop):
            self._supervisor.start("stop", self._stop())

    # Deliveries -----------------------------------------------------------------------------------------------

    def _handle_all(self) -> None:
        """In the thread of the handlers, where all of them block."""
        while True:
            frame = self._line.take()
            delivery = delivery_in(frame, self._time(), self.channel.send)
            current.set(delivery)
            try:
                entry, body = self._open(frame, delivery)
                outcome = self._done(delivery, entry, entry.call(body))
            except BaseException as error:  # noqa: BLE001 - the node decides what becomes of it
                outcome = self._failed(delivery, error)
            current.set(None)
            self._settle(frame, delivery, outcome)

    def _go_on(self) -> None:
        if not self._running:
            self._running = True
            self._supervisor.start("deliveries", self._handle_here())

    async def _handle_here(self) -> None:
        """On the loop, until nothing waits."""
        while (frame := self._line.take_now()) is not None:
            delivery = delivery_in(frame, self._time(), self.channel.send)
            try:
                entry, body = self._open(frame, delivery)
                if entry.spec.blocking:
                    value = await self._handlers_thread().call(entry.call, (body,), delivery)
                else:
                    current.set(delivery)
                    value = await entry.call(body)
                outcome = self._done(delivery, entry, value)
            except BaseException as error:  # noqa: BLE001 - the node decides what becomes of it
                outcome = self._failed(delivery, error)
            current.set(None)
            self._settle(frame, delivery, outcome)
        self._running = False

    def _handlers_thread(self) -> SlotThread:
        if self._thread is None:
            self._thread = SlotThread(f"junctor {self.address}", self._loop)
        return self._thread

    def _open(self, frame: protocol.Deliver, delivery: Delivery) -> tuple[Entry, Any]:
        """Find the handler and decode the body.

        :raises RequestExpired: its deadline passed while it waited here.
        :raises NoHandler: there is none.
        :raises DecodeError: the body does not fit.
        """
        message = delivery.message
        if message.deadline and delivery.started > message.deadline and not delivery.sent:
            raise RequestExpired("the deadline passed while it waited", where=self.address)
        entry = self._routing.find(message)
        if entry is None:
            raise NoHandler(f"no handler takes {message.type}", where=self.address)
        delivery.name = entry.spec.name
        if frame.state is not None:
            key = message.key if self.standin.build.key is not None and message.key else ""
            self.standin.states[message.seq] = (key, frame.state)
        kind = entry.accepts
        if kind.cls is Any:
            kind = self.types.named(message.type) or kind
        hide(delivery, message.payload, kind.sensitive)
        return entry, kind.read(message.payload, message.version, f"{self.address}.{entry.spec.name}")

    def _done(self, delivery: Delivery, entry: Entry, value: Any) -> Outcome:
        reply = self._reply(value, entry) if delivery.kind is Kind.REQUEST else None
        return Outcome(
            Settlement.DONE,
            reply,
            delivery.drafts or (),
            list(delivery.writes.values()) if delivery.writes else (),
            started=delivery.started,
            duration=self._time() - delivery.started,
        )

    def _failed(self, delivery: Delivery, error: BaseException) -> Outcome:
        note_hidden(error, delivery)
        expired = isinstance(error, RequestExpired) and error.where == self.address
        return Outcome(
            Settlement.EXPIRE if expired else Settlement.PARK,
            failure=None if expired else failure_of(error),
            started=delivery.started,
            duration=self._time() - delivery.started,
        )

    def _settle(self, frame: protocol.Deliver, delivery: Delivery, outcome: Outcome) -> None:
        delivery.open = False
        self.standin.states.pop(delivery.seq, None)
        if not self.channel.ours:
            os._exit(1)  # a fork that has run to the end of its parent's handler
        if frame.strict and outcome.failure is not None:
            self._line.recall()
        try:
            self.channel.send(protocol.Settled(delivery.seq, outcome))
        except Exception as error:  # noqa: BLE001 - an outcome that has no form fails its delivery
            self.channel.send(protocol.Settled(delivery.seq, self._failed(delivery, error)))

    def _reply(self, value: Any, entry: Entry) -> Reply | None:
        """As on the node.

        :raises EncodeError: it is not of the declared type, or cannot be encoded.
        """
        kind = entry.replies
        if value is None and (kind is None or kind.fits(None)):
            return None
        if kind is not None and not kind.fits(value):
            error = wrong_reply(kind.name, value, self.address)
            point_to(error, entry.call)
            raise error
        made = self.types.of(value) if kind is None or kind.cls is Any else kind
        return Reply(made.name, made.encode(value), made.version)

    # Calls ----------------------------------------------------------------------------------------------------

    async def _call(self, frame: protocol.Call) -> None:
        hop = call_in(frame, self.address, self._time(), self.channel.send)
        returned: protocol.Returned
        try:
            entry: Any = self._entry(frame)
            values = read_arguments(frame.arguments, getattr(entry, "signature", None))
            if hop is not None and hasattr(entry, "signature"):
                hide_arguments(hop, values, sensitive_parameters(entry.signature))
            result = await self._run(entry.bind(self.instance), entry.blocking, hop, values)
            returned = protocol.Returned(frame.number, value_of(result, f"{self.address}.{frame.name}"))
        except BaseException as error:  # noqa: BLE001 - the node decides what becomes of it
            note_hidden(error, hop)
            returned = protocol.Returned(frame.number, error=error_of(error), failure=failure_of(error))
        finally:
            self._calls.pop(frame.number, None)
        if hop is not None:
            hop.open = False
            if returned.error is None:
                writes = tuple(hop.writes.values()) if hop.writes else ()
                returned = msgspec.structs.replace(returned, drafts=tuple(hop.drafts or ()), writes=writes)
        self.channel.send(returned)

    def _entry(self, frame: protocol.Call) -> Any:
        if frame.part == "main":
            return self.spec.main
        return next(entry for entry in getattr(self.spec, frame.part) if entry.name == frame.name)

    async def _run(self, call: Any, blocking: bool, hop: Any, values: Any) -> Any:
        if blocking:
            return await self._threads.call(call, (), hop, values)
        current.set(hop)
        return await call(**values)

    async def start(self) -> None:
        if self.spec.start is not None:
            await self._perform(self.spec.start)

    async def _stop(self) -> None:
        self.standin.signalled(protocol.Signal(stopping=True, resting=False))
        if self.spec.stop is not None:
            try:
                await self._perform(self.spec.stop)
            except Exception:  # told, and the process ends all the same
                self.port.log.exception("on_stop failed")
        self.standin.counts.tell()
        end()

    async def _perform(self, activity: Activity) -> None:
        await self._run(activity.bind(self.instance), activity.blocking, None, {})


def end(code: int = 0) -> None:
    """End the process at once. A handler that never returns, and what user code has started, cannot keep it."""
    with contextlib.suppress(Exception):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


async def serve(build: protocol.Build, channel: Channel, load: Load) -> None:
    """Serve a node until it says stop or is gone; then the process ends."""
    try:
        worker = Worker(build, load(build), channel)
        channel.read_in_thread(worker.take, lambda: end(UNHEARD))
        await worker.start()
    except BaseException as error:  # noqa: BLE001 - the node shows why the service cannot be made
        channel.send(protocol.Built(failure_of(error)))
        end()
    channel.send(protocol.Built())
    await asyncio.Event().wait()
