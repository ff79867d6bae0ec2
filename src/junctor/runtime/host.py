"""One running service: its instances, its queue, its runners, and its life under supervision."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from junctor.core.hop import Delivery, Hop, again, anew, current
from junctor.core.lifecycle import DELIVERING, Lifecycle, State
from junctor.core.outcome import Failure, Outcome, Reply, Settlement
from junctor.core.port import Link
from junctor.core.restart import RestartHistory
from junctor.core.retry import decide
from junctor.core.spec import Activity, Context, ServicePlan, ServiceSpec, service_address
from junctor.errors import EncodeError, WiringError, nearest
from junctor.messages import MessageType, Status, type_name
from junctor.runtime.calls import Calls
from junctor.runtime.deadlines import nanoseconds
from junctor.runtime.failures import failure_of
from junctor.runtime.intake import bounded
from junctor.runtime.keys import key_reader
from junctor.runtime.mailbox import Mailbox
from junctor.runtime.pending import resolve
from junctor.runtime.port import HostPort
from junctor.runtime.refill import Refill
from junctor.runtime.scheduler import run_schedule
from junctor.runtime.slots import Slot
from junctor.runtime.supervisor import is_cancelled
from junctor.runtime.threads import CallThreads, OwnLoop
from junctor.transports.base import AlertRecord, Commit, Depth, Settle

if TYPE_CHECKING:
    from junctor.core.outcome import StateWrite
    from junctor.runtime.engine import Engine

log = logging.getLogger("junctor.runtime")

RESTART_GRACE = 2.0
"""Seconds that handlers have to end when their service starts again; then their messages are delivered anew."""


class Counters:
    """What happened to the messages and calls of a service since its node started; ``busy`` in nanoseconds."""

    __slots__ = (
        "accepted",
        "busy",
        "calls",
        "done",
        "expired",
        "failed",
        "held",
        "parked",
        "refused",
        "retried",
        "ticks",
    )

    def __init__(self) -> None:
        for name in self.__slots__:
            setattr(self, name, 0)

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


class Host:
    """A service of a flow in this node. Everything here runs on the node's event loop."""

    def __init__(self, engine: Engine, flow: str, plan: ServicePlan) -> None:
        spec = plan.spec
        self.engine = engine
        self.transport = engine.transport
        self.dispatcher = engine.dispatcher
        self.flow = flow
        self.service = spec.name
        self.address = service_address(flow, spec.name)
        self.spec: ServiceSpec = spec
        self.types = engine.flows[flow].types
        for kind in spec.types:
            self.types.register(kind)
        self.lifecycle = Lifecycle(self.address, self._changed)
        self.counters = Counters()
        self.stopping = threading.Event()
        self.sleepers: set[asyncio.Future[Any]] = set()
        self.links: dict[str, tuple[Link, ...]] = {}
        self.pending_state: dict[tuple[str, str], tuple[bytes | None, int, Commit | None]] = {}
        self.last_error = ""
        self.restarts = 0
        self.slots: list[Slot] = []
        self.own_loop: OwnLoop | None = None
        self.threads = CallThreads(self.address)
        self.refill = Refill(self)
        self.mailbox = Mailbox(
            self.address,
            spec.policies,
            engine.clock,
            engine.window,
            self.refill.wanted,
            self.refill.lane_wanted,
            engine.dispatcher.give_back,
        )
        self.mailbox.released = self._released
        self.port = HostPort(engine, self)
        self._plan = plan
        self._shares = engine.transport.capabilities.by_reference
        self._history = RestartHistory(spec.policies.restart)
        self._inputs: list[asyncio.Task[Any]] = []
        self._main_task: asyncio.Task[Any] | None = None
        self._runners: list[asyncio.Task[Any]] = []
        self.calls = Calls(self)
        self.bound = self.calls.bound
        self.enter = self.calls.enter
        self._key_of = key_reader(spec.policies.pool.key)
        self.keyed = self._key_of is not None

    # Facts for operators ------------------------------------------------------------------------------------

    @property
    def depth(self) -> Depth:
        return self.mailbox.depth

    @property
    def in_flight(self) -> int:
        return sum(slot.delivery is not None for slot in self.slots) + self.calls.running

    @property
    def waits(self) -> bool:
        """Whether all that runs are deliveries that wait for a reply."""
        running = [slot.delivery for slot in self.slots if slot.delivery is not None]
        return not self.calls.running and all(delivery.waits for delivery in running)

    @property
    def current(self) -> list[tuple[str, str, float]]:
        """Handler, message id and seconds of each delivery that runs now."""
        now = self.engine.clock.time_ns()
        running = [slot.delivery for slot in self.slots if slot.delivery is not None and slot.delivery.started]
        return [(d.name, d.message.id, (now - d.started) / 1e9) for d in running]

    # Types and links ----------------------------------------------------------------------------------------

    def connect(self) -> None:
        """Resolve the declared targets; called when all hosts of the node exist."""
        for target in self.spec.targets:
            self.links[target.name] = tuple(
                msgspec.structs.replace(
                    self.dispatcher.hosts[wire.to].link(target.request, target.reply), when=wire.when
                )
                for wire in self._plan.connect.get(target.name, ())
            )

    def link(self, request: Any, reply: Any = None, handler: str = "") -> Link:
        """A link to this service for bodies of ``request``, or to its handler of this name.

        :raises WiringError: no handler of this service takes them, or has the name.
        """
        if handler:
            request = self._accepted_by(handler, request)
        accepts = self.types.register(request)
        if not self.accepts(accepts):
            names = ", ".join(sorted(self._handled()))
            raise WiringError(
                f"no handler takes {accepts.name}", where=self.address, fix=f"It handles {names or 'nothing'}."
            )
        # A named handler may get what its sender made of plain data, so its bodies are always read.
        by_reference = (
            not handler and self.transport.capabilities.by_reference and (accepts.frozen or accepts.cls is Any)
        )
        replies = self.types.register(reply) if reply is not None and reply is not Any else None
        return Link(self.address, accepts, replies, by_reference, nanoseconds(self.spec.policies.timeout), handler)

    def _accepted_by(self, handler: str, request: Any) -> Any:
        named = [spec.accepts for spec in self.spec.handlers if spec.name == handler]
        if not named:
            fix = nearest(handler, {spec.name for spec in self.spec.handlers}).strip()
            raise WiringError(f"there is no handler {handler!r}", where=self.address, fix=fix or None)
        if request is Any:
            return named[0]
        if request not in named and Any not in named:
            raise WiringError(f"it does not take {type_name(request)}", where=f"{self.address}.{handler}")
        return request

    def _handled(self) -> dict[str, Any]:
        return {self.types.register(handler.accepts).name: handler for handler in self.spec.handlers}

    def accepts(self, kind: MessageType) -> bool:
        handled = self._handled()
        return kind.name in handled or "any" in handled or (kind.cls is Any and bool(handled))

    def encode(self, body: Any) -> bytes:
        return self.types.of(body).encode(body)

    def key_of(self, body: Any) -> str | None:
        return None if self._key_of is None else self._key_of(body)

    # Life ---------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Bring the service up. A failure is supervised like any later one; it does not raise."""
        self.stopping.clear()
        self.lifecycle.to(State.STARTING)
        try:
            await self._open()
        except BaseException as error:
            if is_cancelled():
                raise
            self._failed(error)
            return
        if self.lifecycle.state is not State.STARTING:
            return
        self.lifecycle.to(State.RUNNING)
        start = self.engine.supervisor.start
        self._runners = [start(f"{self.address} slot {slot.number}", slot.run(), self._failed) for slot in self.slots]
        self._inputs = [
            start(f"{self.address}.{schedule.name}", run_schedule(self, schedule), self._failed)
            for schedule in self.spec.schedules
        ]
        if self.spec.main is not None:
            self._main_task = start(f"{self.address}.loop", self._main(self.spec.main), self._failed)
            self._inputs.append(self._main_task)
        self.mailbox.resume()

    async def _open(self) -> None:
        if self.spec.loop == "own":
            self.own_loop = OwnLoop(f"{self.address} loop")
        self.slots = self._make_slots()
        # Async handlers of all slots share the first instance; blocking ones need one instance a thread.
        per_slot = any(handler.blocking for handler in self.spec.handlers)
        for slot in self.slots if per_slot else self.slots[:1]:
            slot.instance = await self._built(slot.number)
            if self.spec.start is not None:
                await self.perform(self.spec.start, slot.instance)
        for slot in self.slots:
            slot.bind(self.slots[0].instance)

    def _make_slots(self) -> list[Slot]:
        kind: type[Slot] = Slot
        if self.spec.isolation == "worker":
            # Only flows that ask for workers pay for their code.
            from junctor.runtime.workers.slot import WorkerSlot

            kind = WorkerSlot
        return [kind(self, number) for number in range(self.spec.policies.pool.size)]

    async def _built(self, number: int) -> Any:
        context = Context(
            flow=self.flow, service=self.service, settings=self.spec.settings, port=self.port, slot=number
        )
        return self.spec.build(context)

    async def perform(self, activity: Activity, instance: Any) -> Any:
        """Run a lifecycle callable where its kind of code runs."""
        return await self.run_call(activity.bind(instance), activity.blocking, None)

    def run_call(
        self, call: Callable[..., Any], blocking: bool, hop: Hop | None, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Awaitable[Any]:
        if self.own_loop is not None and not blocking:
            return self.own_loop.call(call, args, hop, kwargs)
        if blocking:
            return self.threads.call(call, args, hop, kwargs)
        return self._on_loop(call, hop, args, kwargs or {})

    async def _on_loop(self, call: Callable[..., Any], hop: Hop | None, args: tuple[Any, ...], kwargs: Any) -> Any:
        token = current.set(hop)
        try:
            return await call(*args, **kwargs)
        finally:
            current.reset(token)

    async def _main(self, activity: Activity) -> None:
        """``loop()``: called again whenever it returns, until the service stops."""
        call = activity.bind(self.slots[0].instance)
        while not self.stopping.is_set():
            try:
                await self.run_call(call, activity.blocking, None)
            except BaseException as error:
                if not is_cancelled():
                    self._failed(error)
                    return
                if activity.blocking:
                    log.error("%s.loop does not stop; its thread is left behind", self.address)
                raise
            await asyncio.sleep(0)

    def _failed(self, error: BaseException) -> None:
        """User code of the service ended badly: restart it later, or leave it stopped with an alert."""
        if self.stopping.is_set() and self.lifecycle.state is State.STOPPING:
            log.warning("%s: %r while stopping", self.address, error)
            return
        if self.lifecycle.state not in (*DELIVERING, State.STARTING, State.PAUSED):
            return
        self.counters.failed += 1
        failure = failure_of(error)
        self.last_error = f"{failure.type}: {failure.text}"
        delay = self._history.failed(self.engine.clock.monotonic())
        if delay is None:
            self.lifecycle.to(State.FAILED, self.last_error)
            log.error("%s failed too often and stays stopped: %s\n%s", self.address, self.last_error, failure.traceback)
            self.alert("service-failed", f"{self.address} failed too often and is stopped: {self.last_error}")
        else:
            self.lifecycle.to(State.BACKOFF, self.last_error)
            log.error("%s failed: %s; restart in %.1f s\n%s", self.address, self.last_error, delay, failure.traceback)
        self.engine.supervisor.start(f"{self.address} restart", self._restart(delay))

    async def _restart(self, delay: float | None) -> None:
        await self._close(RESTART_GRACE)
        if delay is None:
            return
        if not self.engine.stopping:
            woken = asyncio.get_running_loop().create_future()
            timer = self.engine.clock.call_later(delay, lambda: resolve(woken, None))
            self.sleepers.add(woken)
            await woken
            timer.cancel()
            self.sleepers.discard(woken)
        if self.lifecycle.state is State.BACKOFF and not self.engine.stopping:
            self.restarts += 1
            await self.start()

    async def stop_inputs(self, grace: float) -> None:
        """First step of a clean stop: nothing new begins by itself."""
        if self.lifecycle.state in (State.STOPPED, State.NEW, State.STOPPING):
            return
        self.lifecycle.to(State.STOPPING)
        self.stopping.set()
        self._wake_sleepers()
        self.mailbox.drain()
        self._cancel_main()
        await self.engine.supervisor.end(*self._inputs, grace=grace)

    async def stop(self, grace: float) -> None:
        """Second step: what runs may finish, then the instances are closed."""
        if self.lifecycle.state is not State.STOPPING:
            return
        await self._close(grace)
        self.lifecycle.to(State.STOPPED)

    async def _close(self, grace: float) -> None:
        self.stopping.set()
        self._wake_sleepers()
        self.mailbox.pause()
        for slot in self.slots:
            slot.halt()
        self.mailbox.wake()
        self._cancel_main()
        await self.engine.supervisor.end(*self._inputs, *self._runners, grace=grace)
        for name, message, seconds in self.current:
            log.error("%s.%s does not stop: message %s runs for %.1f s", self.address, name, message, seconds)
        await self._stop_instances(grace)
        for slot in self.slots:
            await slot.aclose()
        self.threads.close()
        if self.own_loop is not None:
            self.own_loop.close()
            self.own_loop = None

    def _cancel_main(self) -> None:
        if self._main_task is not None and self.spec.main is not None and self.spec.main.cancel:
            self._main_task.cancel()

    async def _stop_instances(self, grace: float) -> None:
        for slot in reversed(self.slots):
            if self.spec.stop is None or slot.instance is None:
                continue
            try:
                async with asyncio.timeout(max(grace, 1.0)):
                    await self.perform(self.spec.stop, slot.instance)
            except BaseException as error:
                # A stop during the start runs in a task that is cancelled already: its own time-out is none of that.
                if isinstance(error, asyncio.CancelledError) and is_cancelled():
                    raise
                log.error("%s: on_stop: %r", self.address, error)

    def _wake_sleepers(self) -> None:
        for sleeper in list(self.sleepers):
            if not sleeper.done():
                sleeper.set_result(True)

    def _changed(self, old: State, new: State) -> None:
        self.engine.changed(self, old, new)

    # Delivery -----------------------------------------------------------------------------------------------

    def reply_of(self, value: Any, kind: MessageType | None) -> Reply | None:
        """The answer that a handler's return value is.

        :raises EncodeError: it is not of the declared type, or cannot be encoded.
        """
        if value is None and (kind is None or kind.fits(None)):
            return None
        if kind is not None and type(value) is kind.cls:
            return self._reply(kind, value)
        if kind is None or kind.cls is Any:
            kind = self.types.of(value)
        elif not kind.fits(value):
            raise EncodeError(
                f"the handler declares {kind.name} and returned {type(value).__qualname__}",
                where=self.address,
                fix="Return what the annotation says, or correct the annotation.",
            )
        return self._reply(kind, value)

    def _reply(self, kind: MessageType, value: Any) -> Reply:
        if kind.frozen and self._shares:
            return Reply(kind.name, value, kind.version)
        data = kind.encode(value)
        bounded(data, self.dispatcher.max_body, f"the reply {kind.name}", self.address)
        return Reply(kind.name, data, kind.version)

    def outcome_of(self, error: BaseException, delivery: Delivery) -> Outcome:
        """The outcome of a delivery that raised: nothing of it counts but its logs and the failure."""
        return self.outcome_of_failure(failure_of(error), delivery)

    def outcome_of_failure(self, failure: Failure, delivery: Delivery, part: Outcome | None = None) -> Outcome:
        """The same for a failure that came as data, with the logs in ``part``."""
        policies = self.spec.policies
        settlement, delay = decide(failure, policies.retry, policies.hold, delivery.attempt, delivery.probes)
        now = self.engine.clock.time_ns()
        self.last_error = f"{failure.type}: {failure.text}"
        if settlement is not Settlement.HOLD:
            log.warning("%s.%s: %s", self.address, delivery.name, self.last_error, extra={"hop": delivery})
        return Outcome(
            settlement,
            logs=(part.logs if part is not None else delivery.logs) or (),
            failure=failure,
            delay=delay,
            started=delivery.started,
            duration=now - delivery.started if delivery.started else 0,
        )

    def hold(self, delivery: Delivery, delay: float) -> None:
        self.mailbox.hold(delivery, delay)
        if self.lifecycle.state is State.RUNNING:
            self.lifecycle.to(State.HELD, self.last_error)
            log.warning("%s is held: %s; next probe in %.1f s", self.address, self.last_error, delay)
            self.alert("held", f"{self.address} is held: {self.last_error}")

    def _released(self) -> None:
        if self.lifecycle.state is State.HELD:
            self.lifecycle.to(State.RUNNING)
            log.info("%s flows again", self.address)

    def redeliver(self, delivery: Delivery) -> None:
        """Deliver a message once more whose outcome could not be committed. No attempt is spent."""
        payload = delivery.message.payload
        self.mailbox.depth.count += 1
        self.mailbox.depth.bytes += len(payload) if type(payload) is bytes else 0
        self.mailbox.rejoin(again(delivery, Settlement.HOLD))

    def take_back(self, deliveries: Sequence[Delivery]) -> None:
        """Deliveries that did not come to their end. When only the service starts again they begin again in their
        places; when the node stops they return to the store."""
        for delivery in deliveries:
            delivery.open, delivery.given_up = False, True
        if not self.engine.stopping:
            self.mailbox.untake([anew(delivery) for delivery in deliveries])
            return
        for delivery in deliveries:
            self.dispatcher.put_back(delivery)

    def keep_writes(self, writes: Any, commit: Commit) -> None:
        """State on its way to the store is what the next delivery reads."""
        write: StateWrite
        for write in writes:
            self.pending_state[(write.key, write.name)] = (write.value, _version_after(write), commit)

    def drop_writes(self, commit: Commit) -> None:
        for write in commit.writes:
            entry = self.pending_state.get((write.key, write.name))
            if entry is not None and entry[2] is commit:
                del self.pending_state[(write.key, write.name)]

    async def prepare(self, delivery: Delivery) -> None:
        """Before a repeated attempt: record that it is handed out, as for a first one, and load what earlier ones
        committed at savepoints."""
        await self.engine.committed(claims=(delivery.seq,))
        self.mailbox.claimed(delivery.seq)
        sent = await self.transport.sent_by(delivery.seq)
        delivery.sent = {entry.origin: entry for entry in sent} or None

    async def charge(self, delivery: Hop) -> None:
        """Record the attempt of a suspect before it runs: if the process dies again, it is known whose fault it is."""
        settle = Settle(delivery.seq, Status.CLAIMED, delivery.attempt)
        await self.engine.committed(settles=(settle,))

    def log_failure(self, hop: Hop, failure: Failure) -> None:
        text = f"{failure.type}: {failure.text}\n{failure.traceback}"
        log.warning("%s.%s: %s", self.address, hop.name, text, extra={"hop": hop})

    def alert(self, kind: str, text: str, command: str = "junctor status") -> None:
        record = AlertRecord(self.engine.clock.time_ns(), kind, self.address, text, command)
        self.engine.note_alert(record)


def _version_after(write: StateWrite) -> int:
    return write.expected + 1 if write.value is not None else 0
