"""One running service: its instances, its queue, its runners, and its life under supervision."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Literal, cast

from junctor.clock import SECOND
from junctor.core.hop import Delivery, Hop, current
from junctor.core.lifecycle import DELIVERING, Lifecycle, State
from junctor.core.outage import LOOP
from junctor.core.restart import RestartHistory
from junctor.core.spec import Activity, Context, ServicePlan
from junctor.messages import TypeRegistry
from junctor.runtime.away import FOR_EVER, Away
from junctor.runtime.calls import Calls
from junctor.runtime.failures import failure_of
from junctor.runtime.handling import Handling
from junctor.runtime.inbox import Inbox
from junctor.runtime.pending import resolve
from junctor.runtime.port import HostPort
from junctor.runtime.scheduler import run_schedule
from junctor.runtime.slots import Slot
from junctor.runtime.supervisor import is_cancelled
from junctor.runtime.threads import CallThreads, OwnLoop
from junctor.transports.base import Depth

if TYPE_CHECKING:
    from junctor.runtime.engine import Engine

log = logging.getLogger("junctor.runtime")

Part = Literal["schedules", "actions", "routes", "sockets", "main"]

QUICK_LOOP = 0.05
"""Seconds: a ``loop()`` that returns sooner is called again after so long."""

RESTART_GRACE = 2.0
"""Seconds that handlers have to end when their service starts again; then their messages are delivered anew."""


class Host(Handling):
    """The life of a service: made with its instances, started, failed and started again, paused, stopped.

    One that is changed while the node runs gets a new host on the inbox of the old one. ``coming`` is set when that has
    started: until then calls wait for it. ``successor`` of the old one, which is about to stop, is the new one.
    """

    def __init__(self, engine: Engine, flow: str, plan: ServicePlan, types: TypeRegistry, inbox: Inbox) -> None:
        super().__init__(engine, flow, plan, types, inbox)
        self.lifecycle = Lifecycle(self.address, self._changed)
        self.stopping = threading.Event()
        self.resting = threading.Event()
        self.sleepers: set[asyncio.Future[Any]] = set()
        self.own_sleepers: set[asyncio.Future[Any]] = set()
        self.pause_reason: str | None = self.spec.resting or None
        self.inherits = False
        self.coming: asyncio.Event | None = None
        self.successor: Host | None = None
        self.remote = self.spec.isolation == "worker"
        self.restarts = 0
        self.slots: list[Slot] = []
        self.own_loop: OwnLoop | None = None
        self.threads = CallThreads(self.address)
        self.named = {"service": self.address}
        self.port = HostPort(engine, self)
        self._built = False
        self._opened = False
        self._life = 0
        self._history = RestartHistory(self.spec.policies.restart)
        self._inputs: list[asyncio.Task[Any]] = []
        self._main_task: asyncio.Task[Any] | None = None
        self._recovery: asyncio.Task[Any] | None = None
        self._runners: list[asyncio.Task[Any]] = []
        self.away = Away(self)
        self.calls = Calls(self)
        self.bound = self.calls.bound
        self.enter = self.calls.enter
        self.enter_now = self.calls.enter_now
        self.stay = self.calls.stay

    @property
    def plan(self) -> ServicePlan:
        """What it was made of."""
        return self._plan

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

    @property
    def workers(self) -> list[tuple[int, int]]:
        """Process id and number of starts of each worker process."""
        return [(slot.pid, slot.starts) for slot in self.slots if slot.remote]

    @property
    def next_probe(self) -> int:
        """When the service, which is held or finds the other side away, tries again: nanoseconds since 1970; 0 where it
        does not wait, or tries now."""
        wait = self.mailbox.until_probe if self.lifecycle.state is State.HELD else self.away.until_try
        return 0 if wait is None else self.engine.clock.time_ns() + int(wait * SECOND)

    # Life ---------------------------------------------------------------------------------------------------

    def build(self) -> None:
        """Make the slots and their instances; nothing of them runs yet.

        Whatever the constructor of the service raises comes out of here.
        """
        self.slots = self._make_slots()
        # Async handlers of all slots share the first instance; blocking ones need one instance a thread.
        per_slot = any(handler.blocking for handler in (*self.spec.handlers, *self.spec.inner))
        with_instance = self.slots if per_slot else self.slots[:1]
        if self.remote:
            from junctor.runtime.workers.staying import in_node

            with_instance = self.slots[:1] if in_node(self.spec) else []
        for slot in with_instance:
            context = Context(
                flow=self.flow,
                service=self.service,
                settings=self.spec.settings,
                port=self.port,
                slot=slot.number,
                policies=self.spec.policies,
            )
            slot.instance = self.spec.build(context)
        self._built = True

    def take_over(self) -> None:
        """The inbox is this one's from now on."""
        self.mailbox.released = self._released
        self.inbox.used = True

    async def start(self) -> None:
        """Bring the service up. A failure is supervised like any later one; it does not raise."""
        self.stopping.clear()
        self.away.begin()
        self.lifecycle.to(State.STARTING)
        self._life = life = self._life + 1
        self._opened = not (self.spec.resting and self.pause_reason)
        try:
            if self._opened:
                await self._open()
        except BaseException as error:
            if is_cancelled():
                raise
            if life == self._life:
                self._failed(error)
            return
        if self.lifecycle.state is not State.STARTING or life != self._life:
            return
        self.lifecycle.to(State.RUNNING)
        if not self._opened:
            self.lifecycle.to(State.PAUSED, self.pause_reason or "")
            return
        start = self.engine.supervisor.start
        self._runners = [start(f"{self.address} slot {slot.number}", slot.run(), self._failed) for slot in self.slots]
        self._inputs = [
            start(f"{self.address}.{schedule.name}", run_schedule(self, schedule), self._failed)
            for schedule in self.spec.schedules
        ]
        if self.pause_reason is not None:
            self.lifecycle.to(State.PAUSED, self.pause_reason)
        else:
            self._go_on()

    def _go_on(self) -> None:
        self._start_main()
        self.mailbox.resume()
        self.refill.due()
        if self.mailbox.held:
            self.lifecycle.to(State.HELD, self.last_error)

    def _start_main(self) -> None:
        if self.spec.main is None or (self._main_task is not None and not self._main_task.done()):
            return
        self._main_task = self.engine.supervisor.start(f"{self.address}.loop", self._main(self.spec.main), self._failed)
        self._inputs.append(self._main_task)

    async def _open(self) -> None:
        if self.spec.loop == "own":
            self.own_loop = OwnLoop(f"{self.address} loop")
        if not self._built:
            self.build()
        self._built = False  # the next start makes new ones
        for slot in self.slots:
            if slot.instance is not None and self.spec.start is not None:
                await self.perform(self.spec.start, slot.instance)
        await asyncio.gather(*(slot.open() for slot in self.slots))
        for slot in self.slots:
            slot.bind(self.slots[0].instance)

    def _make_slots(self) -> list[Slot]:
        kind: type[Slot] = Slot
        if self.remote:
            # Only flows that ask for workers pay for their code.
            from junctor.runtime.workers.slot import WorkerSlot

            kind = WorkerSlot
        return [kind(self, number) for number in range(self.spec.policies.pool.size)]

    def exchange_types(self, types: TypeRegistry) -> None:
        """Read and write bodies by these types from now on, between two deliveries."""
        if types is self.types:
            return
        self.types = types
        for kind in self.spec.types:
            types.register(kind)
        if self.lifecycle.state in (*DELIVERING, State.PAUSED):
            for slot in self.slots:
                slot.bind(self.slots[0].instance)

    # Pause --------------------------------------------------------------------------------------------------

    def pause(self, reason: str) -> None:
        """Let it rest: no deliveries, no ticks, no ``loop()``. What runs finishes; routes and actions go on answering.

        :param reason: who paused it and why, shown with its state.
        """
        self.pause_reason = reason
        if self.lifecycle.state is State.STOPPING:
            self.mailbox.pause()
        if self.lifecycle.state not in (*DELIVERING, State.PAUSED):
            return  # when it starts, it starts paused
        self.lifecycle.to(State.PAUSED, reason)
        self.mailbox.pause()
        for slot in self.slots:
            slot.recall()
        self.resting.set()
        self._signal()
        for sleeper in list(self.own_sleepers):
            resolve(sleeper, True)
        self._cancel_main()

    async def resume(self) -> None:
        """Go on after a pause."""
        self.pause_reason = None
        if self.lifecycle.state is not State.PAUSED:
            return
        self.resting.clear()
        self._signal()
        if not self._opened:
            await self.restart(RESTART_GRACE)
            return
        if self._main_task is not None and self._main_task.cancelling():
            await self.engine.supervisor.end(self._main_task)
        if self.lifecycle.state is State.PAUSED:
            self.lifecycle.to(State.RUNNING)
            self._go_on()
            self.away.try_now()

    async def restart(self, grace: float) -> None:
        """Stop it and start it anew; its failures so far are forgotten. What runs has ``grace`` seconds."""
        await self.stop_inputs(grace / 2, leaving=False)
        await self.stop(grace)
        self._history = RestartHistory(self.spec.policies.restart)
        if self.engine.stopping or self.lifecycle.state is not State.STOPPED:
            return
        self.restarts += 1
        await self.start()

    @property
    def failures(self) -> int:
        """How often it failed within the window of its policy, seen from the last failure."""
        return self._history.recent

    # Code of the service ------------------------------------------------------------------------------------

    async def perform(self, activity: Activity, instance: Any) -> Any:
        """Run a lifecycle callable where its kind of code runs."""
        return await self.run_call(activity.bind(instance), activity.blocking, None)

    def callable_of(self, part: Part, entry: Any) -> Any:
        """What runs an entry or activity of the service: bound to its first instance, or in the first worker.

        :param part: the field of the spec that has it.
        """
        if not self.remote or part == "sockets":
            return entry.bind(self.slots[0].instance)
        from junctor.runtime.workers.slot import RemoteCall, WorkerSlot
        from junctor.runtime.workers.staying import stays

        if part == "routes" and stays(entry):
            return entry.bind(self.slots[0].instance)
        return RemoteCall(cast(WorkerSlot, self.slots[0]), part, entry)

    def run_call(
        self,
        call: Callable[..., Any],
        blocking: bool,
        hop: Hop | None,
        args: tuple[Any, ...] = (),
        kwargs: Any = None,
        *,
        shares: bool = False,
    ) -> Awaitable[Any]:
        enter = getattr(call, "enter", None) if self.remote else None
        if enter is not None:
            entered: Awaitable[Any] = enter(hop, kwargs or {})
            return entered
        if self.own_loop is not None and not blocking:
            return self.own_loop.call(call, args, hop, kwargs)
        if blocking:
            in_thread = self.threads.share if shares else self.threads.call
            return in_thread(call, args, hop, kwargs)
        return self._on_loop(call, hop, args, kwargs or {})

    async def _on_loop(self, call: Callable[..., Any], hop: Hop | None, args: tuple[Any, ...], kwargs: Any) -> Any:
        token = current.set(hop)
        try:
            return await call(*args, **kwargs)
        finally:
            current.reset(token)

    async def _main(self, activity: Activity) -> None:
        """``loop()``: called again whenever it returns, until the service stops or rests."""
        call = self.callable_of("main", activity)
        clock = self.engine.clock
        while not self.stopping.is_set() and not self.resting.is_set():
            began = clock.monotonic()
            error = await self._looped(call, activity.blocking)
            if error is not None and self.away.met(LOOP, failure_of(error)):
                await self.away.wait(LOOP)
                continue
            self.away.over(LOOP)
            if error is not None:
                self._failed(error)
                return
            # A loop() that returns at once would keep a processor busy with nothing.
            quick = clock.monotonic() - began < QUICK_LOOP
            await (self.port.sleep(QUICK_LOOP) if quick and not self.stopping.is_set() else asyncio.sleep(0))

    async def _looped(self, call: Callable[..., Any], blocking: bool) -> BaseException | None:
        """One call of ``loop()``: None when it returned, or what it raised."""
        calm = self.away.calm()
        try:
            await self.run_call(call, blocking, None)
        except BaseException as error:
            if not is_cancelled():
                return error
            if blocking:
                log.error("%s.loop does not stop; its thread is left behind", self.address, extra=self.named)
            raise
        finally:
            if calm is not None:
                calm.cancel()
        return None

    def _failed(self, error: BaseException) -> None:
        """User code of the service ended badly: restart it later, or leave it stopped with an alert."""
        if self.stopping.is_set() and self.lifecycle.state is State.STOPPING:
            log.warning("%s: %r while stopping", self.address, error, extra=self.named)
            return
        if self.lifecycle.state not in (*DELIVERING, State.STARTING, State.PAUSED):
            return
        self.counters.failed += 1
        failure = failure_of(error)
        self.note_error(failure)
        delay = self._history.failed(self.engine.clock.monotonic())
        if delay is None:
            self.lifecycle.to(State.FAILED, self.last_error)
            again = f"junctor restart {self.address}"
            text = f"{self.address} failed too often and stays stopped: {self.last_error} ({again})"
            log.error("%s\n%s", text, failure.traceback, extra=self.named)
            self.alert("service-failed", f"{self.address} failed too often and is stopped: {self.last_error}", again)
        else:
            self.lifecycle.to(State.BACKOFF, self.last_error)
            text = f"{self.address} failed: {self.last_error}; restart in {delay:.1f} s"
            log.error("%s\n%s", text, failure.traceback, extra=self.named)
        self._recovery = self.engine.supervisor.start(f"{self.address} restart", self._restart(delay))

    async def _restart(self, delay: float | None) -> None:
        await self._close(RESTART_GRACE)
        if delay is None:
            return
        if not self.engine.stopping:
            await self.wait(delay)
        if self.lifecycle.state is State.BACKOFF and not self.engine.stopping:
            self.restarts += 1
            await self.start()

    async def wait(self, seconds: float) -> None:
        """Until the time has passed or the service is asked to stop."""
        woken = asyncio.get_running_loop().create_future()
        timer = self.engine.clock.call_later(seconds, lambda: resolve(woken, None))
        self.sleepers.add(woken)
        try:
            await woken
        finally:
            timer.cancel()
            self.sleepers.discard(woken)

    def worker_lost(self, slot: Slot, error: Exception) -> None:
        """A worker has died while it handled nothing: it starts again after a while, and what runs in others goes on.
        It counts as a failure of the service."""
        if self.lifecycle.state not in (*DELIVERING, State.PAUSED):
            return
        self.note_error(failure_of(error))
        delay = self._history.failed(self.engine.clock.monotonic())
        if delay is None:
            self._failed(error)
            return
        self.counters.failed += 1
        self.restarts += 1
        self.engine.supervisor.start(f"{self.address} worker", self._reopen(slot, delay), self._failed)

    async def _reopen(self, slot: Slot, delay: float) -> None:
        await self.wait(delay)
        if not self.stopping.is_set() and slot in self.slots:
            await slot.open()

    async def stop_inputs(self, grace: float, leaving: bool = True) -> None:
        """First step of a clean stop: nothing new begins by itself.

        :param leaving: the service does not come back, so senders that wait for room are refused.
        """
        if self.lifecycle.state in (State.STOPPED, State.NEW, State.STOPPING):
            return
        self.lifecycle.to(State.STOPPING)
        self.stopping.set()
        self._signal()
        self._wake_sleepers()
        self.mailbox.drain(leaving, requests=self.pause_reason is None)
        self._cancel_main()
        await self.engine.supervisor.end(*self._inputs, grace=grace)

    async def stop(self, grace: float) -> None:
        """Second step: what runs may finish, then the instances are closed."""
        if self.lifecycle.state is not State.STOPPING:
            return
        if self._recovery is not None:
            # It may be closing what failed; in this state it starts nothing any more.
            await self.engine.supervisor.end(self._recovery, grace=grace)
        await self._close(grace)
        self.lifecycle.to(State.STOPPED)

    async def _close(self, grace: float) -> None:
        self.stopping.set()
        self._signal()
        self._wake_sleepers()
        self.mailbox.pause()
        for slot in self.slots:
            slot.halt()
        self.mailbox.wake()
        self._cancel_main()
        await self.engine.supervisor.end(*self._inputs, *self._runners, grace=grace)
        for name, message, seconds in self.current:
            text = f"{self.address}.{name} does not stop: message {message} runs for {seconds:.1f} s"
            log.error("%s", text, extra=self.named)
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
                async with asyncio.timeout(max(grace, self.spec.stop.patience)):
                    await self.perform(self.spec.stop, slot.instance)
            except BaseException as error:
                # A stop during the start runs in a task that is cancelled already: its own time-out is none of that.
                if isinstance(error, asyncio.CancelledError) and is_cancelled():
                    raise
                log.error("%s: on_stop: %r", self.address, error, extra=self.named)

    def _signal(self) -> None:
        for slot in self.slots:
            slot.signal()

    def _wake_sleepers(self) -> None:
        for sleeper in list(self.sleepers):
            if not sleeper.done():
                sleeper.set_result(True)

    def _changed(self, old: State, new: State) -> None:
        self.since = self.engine.clock.time_ns()
        self.engine.changed(self, old, new)

    def hold(self, delivery: Delivery, delay: float) -> None:
        self.mailbox.hold(delivery, delay)
        for slot in self.slots:
            slot.recall()
        if self.lifecycle.state is State.HELD:
            self.lifecycle.to(State.HELD, self.last_error)  # it may be another reason by now
        elif self.lifecycle.state is State.RUNNING:
            self.lifecycle.to(State.HELD, self.last_error)
            if self.rests:
                log.info("%s rests: %s", self.address, self.last_error, extra=self.named)
                return
            probe = f"next probe in {delay:.1f} s" if delay < FOR_EVER else f"junctor resume {self.service}"
            text = f"{self.address} is held: {(self.last_error or '').rstrip('.')}; {probe}"
            log.warning("%s", text, extra=self.named)
            self.alert("held", f"{self.address} is held: {self.last_error}")

    def probe(self) -> bool:
        """Let the service, which is held or finds the other side away, try at once. False where it does not wait."""
        held = self.lifecycle.state is State.HELD and self.mailbox.probe_now()
        away = self.lifecycle.state in DELIVERING and self.away.try_now()
        return held or away

    def _released(self) -> None:
        if self.lifecycle.state is State.HELD:
            seconds = (self.engine.clock.time_ns() - self.since) / SECOND
            self.lifecycle.to(State.RUNNING)
            log.info("%s flows again", self.address, extra=self.named)
            if not self.rests:
                self.alert("flowing", f"{self.address} flows again after {seconds:.0f} s")
