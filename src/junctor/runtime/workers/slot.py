"""The node's side of a worker: a slot whose deliveries and calls run in a process of their own."""

from __future__ import annotations

import asyncio
import itertools
import logging
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import PurePath
from types import CodeType
from typing import TYPE_CHECKING, Any

import msgspec

from junctor.core.hop import AskedHop, Delivery, Hop, current
from junctor.core.outcome import Outcome, Settlement
from junctor.core.retry import backoff
from junctor.core.routing import Routing
from junctor.core.spec import HandlerSpec, Wire
from junctor.errors import ConfigurationError, JunctorError, ServiceStopped, WorkerLost
from junctor.messages import codec
from junctor.runtime.slots import Slot, check_condition
from junctor.runtime.workers import protocol
from junctor.runtime.workers.child import Child
from junctor.runtime.workers.deaths import death, indented
from junctor.runtime.workers.desk import Desk, state_of
from junctor.runtime.workers.errors import exception_of
from junctor.runtime.workers.values import arguments_of, read_value
from junctor.settings.conversion import is_written_as_text

if TYPE_CHECKING:
    from junctor.runtime.host import Host

log = logging.getLogger("junctor.worker")

_PATIENCE = 2.0
"""Seconds that a worker has to close its service."""

_AHEAD = 15
"""Deliveries that a worker gets behind the first one, at most: a way to it and back costs as much as a small
handler."""

_WORTH = 0.010
"""Seconds of work that a worker gets at once: more would wait behind it while others have nothing to do."""


_LONG = 0.05
"""Seconds after which what has not begun is taken back, for others."""


class WorkerSlot(Slot):
    """Runs deliveries in its worker process, one at a time, and starts it again when it has died. The one of the first
    slot also runs the ticks, actions and routes of the service, and its ``loop()``."""

    remote = True

    def __init__(self, host: Host, number: int) -> None:
        super().__init__(host, number)
        # Where each delivery changes state the next one has to see it.
        self._in_turn = not host.spec.stateful
        self._named: Routing[HandlerSpec] = Routing()
        self._child: Child | None = None
        self._desk = Desk(host)
        self._starting = asyncio.Lock()
        self._numbers = itertools.count(1)
        self._deaths = 0
        self._looping = False
        self._stuck = False
        self._mean = _WORTH
        self.starts = 0

    @property
    def pid(self) -> int:
        """The process id of the worker, 0 while there is none."""
        return self._child.pid if self._child is not None else 0

    @property
    def building(self) -> bool:
        """Whether a worker is on its way that has not made its instance yet."""
        return self._child is not None and self._child.building

    def bind(self, shared: Any) -> None:
        """Only names are needed here: the handlers are in the worker."""
        types = self.host.types
        self._named = Routing()
        for spec in self.host.spec.handlers:
            self._named.add(spec.name, types.register(spec.accepts), spec, spec.by_name)

    def codes(self) -> list[tuple[str, CodeType]]:
        return []

    # The process --------------------------------------------------------------------------------------------

    async def open(self) -> None:
        """Start the worker, with its ``on_start``.

        Raises what its start failed of.
        """
        await self._ready()

    async def _ready(self) -> Child:
        """The worker, started where there is none.

        :raises ServiceStopped: the service stops meanwhile.
        """
        async with self._starting:
            if self._child is None or not self._child.alive:
                await self._pause()
                await self._start()
            assert self._child is not None
            return self._child

    async def _pause(self) -> None:
        """One that died of its messages waits ever longer before it starts again."""
        if self._deaths:
            policy = self.host.spec.policies.restart
            await self.host.wait(backoff(policy.initial, policy.factor, policy.max, 0.0, self._deaths - 1, 0.5))
        if self._halted or self.host.stopping.is_set():
            raise ServiceStopped("the service is stopping", where=self.host.address)

    async def _start(self) -> None:
        child = Child(self.host.engine.supervisor, self._desk.serve, self._lost)
        self._child = self._desk.child = child
        self.starts += 1
        try:
            await child.start(self._build())
        except BaseException:
            child.kill()
            self._child = None
            raise
        child.send(self._signal())
        log.info("%s: worker %s", self.host.address, child.pid, extra=self.host.named)

    def signal(self) -> None:
        """Tell the worker whether the service is to stop or to rest."""
        if self._child is not None:
            self._child.send(self._signal())

    def _signal(self) -> protocol.Signal:
        return protocol.Signal(self.host.stopping.is_set(), self.host.resting.is_set())

    def halt(self) -> None:
        super().halt()
        self.recall()

    def recall(self) -> None:
        """Take back what it has not begun."""
        if self._child is not None:
            self._child.send(protocol.Recall())

    async def aclose(self) -> None:
        await super().aclose()
        self._halted = True
        child, self._child = self._child, None
        if child is not None:
            # What did not end within the grace of the stop will not now: the process may stand still.
            await child.close(0.0 if self._stuck else _PATIENCE)

    def _lost(self, lost: WorkerLost) -> None:
        """It died without being asked to. A delivery or ``loop()`` that ran there has its own reaction; else it is a
        failure of the service."""
        host = self.host
        if self._halted or host.engine.stopping:
            return
        if self._looping or (self.delivery is not None and self.delivery.open):
            return
        told = f"{host.address}: a worker ended with {lost.reason}{indented(lost.crash)}"
        log.error("%s", told, extra=host.named)
        host.worker_lost(self, lost)

    # Deliveries ---------------------------------------------------------------------------------------------

    async def _attempt(self, delivery: Delivery) -> None:
        await self._deliver_in_turn((delivery,))
        self._taken = ()

    def _more(self) -> list[Delivery]:
        box = self.host.mailbox
        ahead = min(_AHEAD, int(_WORTH / self._mean), len(box.ready) // self.host.spec.policies.pool.size)
        more: list[Delivery] = []
        while len(more) < ahead and box.ready and not box.ready[0].special:
            delivery = box.take()
            if delivery is None:
                break
            more.append(delivery)
        return more

    async def _deliver_in_turn(self, deliveries: Sequence[Delivery]) -> None:
        """Several deliveries a frame. They run one at a time and settle in order; what has not begun when one of them
        fails a line, kills the worker or takes too long goes back to its place."""
        host, box = self.host, self.host.mailbox
        waiting = self._taken = list(deliveries)
        try:
            child = await self._ready()
        except Exception as error:
            # Not the fault of a message: they keep their places while the service is restarted by its policy.
            self._taken, self.delivery = (), None
            host.take_back(waiting)
            self._halted = True
            if isinstance(error, ServiceStopped):
                return
            raise
        sent = [delivery for delivery in waiting if self._may_begin(delivery)]
        futures = child.deliver(*(self._frame(delivery, box.single) for delivery in sent))
        if not box.single:
            for delivery, future in zip(sent, futures, strict=True):
                future.add_done_callback(partial(self._came_back, delivery))
        patience = asyncio.get_running_loop().call_later(_LONG, self.recall) if len(sent) > 1 else None
        try:
            for index, (delivery, future) in enumerate(zip(sent, futures, strict=True)):
                self.delivery = delivery
                delivery.started = self._time()
                if not await self._settled(delivery, future):
                    self._give_back(sent[index:])
                    return
        finally:
            if patience is not None:
                patience.cancel()
            for delivery in sent:
                self._desk.hops.pop(delivery.seq, None)

    def _came_back(self, delivery: Delivery, future: asyncio.Future[Outcome | None]) -> None:
        """One that has not begun need not wait here for the one before it: another worker may be free. In a single
        line nobody else takes it, and it keeps its place behind the first."""
        if not future.cancelled() and future.exception() is None and future.result() is None:
            self._give_back((delivery,))

    def _give_back(self, deliveries: Sequence[Delivery]) -> None:
        back = [delivery for delivery in deliveries if delivery.open and delivery in self._taken]
        self._taken = [delivery for delivery in self._taken if delivery not in back]
        for delivery in back:
            delivery.started, delivery.name = 0, ""
        self.host.mailbox.untake(back)

    async def _settled(self, delivery: Delivery, future: asyncio.Future[Outcome | None]) -> bool:
        """Wait for the outcome and settle. False when what is behind it has not begun, or it has not itself."""
        host = self.host
        try:
            outcome = await future
        except asyncio.CancelledError:
            self._stuck = True
            raise
        except WorkerLost as lost:
            self._deaths += 1
            outcome = host.outcome_of_failure(death(lost), delivery)
            host.dispatcher.settle(delivery, outcome, host)
            return False
        if outcome is None:
            return False
        self._deaths = 0
        self._count(outcome)
        failed = outcome.failure
        if failed is not None:
            outcome = host.outcome_of_failure(failed, delivery)
        elif delivery.logs:
            outcome = msgspec.structs.replace(outcome, logs=delivery.logs)
        host.dispatcher.settle(delivery, outcome, host)
        if not host.mailbox.flowing:
            self.recall()
        return failed is None or not host.mailbox.single

    def _count(self, outcome: Outcome) -> None:
        counters = self.host.counters
        counters.busy += outcome.duration
        counters.durations[outcome.duration.bit_length()] += 1
        self._mean += (max(outcome.duration / 1e9, 1e-5) - self._mean) / 8

    def _may_begin(self, delivery: Delivery) -> bool:
        """Whether it goes to the worker; else it is settled here."""
        host, message = self.host, delivery.message
        delivery.started = started = self._time()
        if message.deadline and started > message.deadline and not delivery.sent and self._late(message, started):
            host.dispatcher.settle(delivery, Outcome(Settlement.EXPIRE, started=started), host)
            return False
        try:
            check_condition(message)
            if delivery.damaged:
                self._open(delivery)
        except JunctorError as error:
            host.dispatcher.settle(delivery, host.outcome_of(error, delivery), host)
            return False
        found = self._named.find(message)
        delivery.name = found.name if found is not None else ""
        self._desk.hops[delivery.seq] = delivery
        return True

    def _frame(self, delivery: Delivery, strict: bool) -> protocol.Deliver:
        host, message = self.host, delivery.message
        key = delivery.lane if host.keyed and delivery.lane else ""
        return protocol.Deliver(
            msgspec.structs.replace(message, session=0, headers=dict(message.headers)),
            f"{delivery.session:032x}",
            delivery.attempt,
            tuple(delivery.sent.values()) if delivery.sent else (),
            state_of(host, key) if host.spec.stateful else None,
            strict,
        )

    # Calls --------------------------------------------------------------------------------------------------

    async def enter(self, call: RemoteCall, hop: Hop | None, values: dict[str, Any]) -> Any:
        """Run a tick, action or route, or ``loop()``, beside the deliveries.

        Raises what it raised, or :class:`WorkerLost`.
        """
        arguments = arguments_of(values, f"{self.host.address}.{call.name}") if values else b"{}"
        child = await self._ready()
        if hop is not None:
            self._desk.hops[hop.seq] = hop
        self._looping |= call.part == "main"
        try:
            returned = await child.call(_call_frame(next(self._numbers), call, arguments, hop))
        finally:
            self._looping &= call.part != "main"
            if hop is not None:
                self._desk.hops.pop(hop.seq, None)
        if returned.error is not None:
            raise exception_of(returned.error, returned.failure)
        if hop is not None:
            hop.drafts = list(returned.drafts) or None
            hop.writes = {(write.key, write.name): write for write in returned.writes} or None
        return read_value(returned.value, call.signature)

    def _build(self) -> protocol.Build:
        host = self.host
        spec = host.spec
        if not spec.code:
            what = "it is to run in a worker process, which cannot import its class"
            fix = "Define the class at the top level of a module, or leave out isolate: worker."
            raise ConfigurationError(what, where=host.address, fix=fix)
        return protocol.Build(
            spec.code,
            tuple(sys.path),
            host.dispatcher.node,
            host.flow,
            host.service,
            {name: _plain(value) for name, value in spec.settings.items()},
            {name: tuple(Wire(link.address, link.when) for link in links) for name, links in host.links.items()},
            tuple(_neighbour(other) for other in host.dispatcher.hosts.values()),
            spec.policies.pool.size,
            spec.policies.pool.key,
            host.dispatcher.max_body,
            self.number,
            logging.getLogger().getEffectiveLevel(),
        )


class RemoteCall:
    """An entry of the service that runs in the worker of a slot."""

    def __init__(self, slot: WorkerSlot, part: protocol.Part, entry: Any) -> None:
        self.slot = slot
        self.part = part
        self.name: str = getattr(entry, "name", "loop")
        self.signature = getattr(entry, "signature", None)

    async def enter(self, hop: Hop | None, values: dict[str, Any]) -> Any:
        """Run it; see :meth:`WorkerSlot.enter`."""
        current.set(None)  # what the node does for it is not part of any hop here
        return await self.slot.enter(self, hop, values)


def _call_frame(number: int, call: RemoteCall, arguments: bytes, hop: Hop | None) -> protocol.Call:
    if hop is None:
        return protocol.Call(number, call.part, call.name, arguments)
    caller = hop.asking.caller if isinstance(hop, AskedHop) else ""
    return protocol.Call(
        number, call.part, call.name, arguments, hop.seq, f"{hop.session:032x}", hop.kind, hop.joins, caller
    )


def _plain(value: Any) -> Any:
    """A setting as JSON can carry it. What JSON does not know, a path or an expression, travels as the text from which
    the worker reads it again."""
    return msgspec.to_builtins(value, enc_hook=_written)


def _written(value: Any) -> Any:
    reveal = getattr(value, "reveal", None)
    if callable(reveal):
        return reveal()
    if is_written_as_text(type(value)) or isinstance(value, PurePath):
        return str(value)
    return codec.to_plain(value)


def _neighbour(host: Host) -> protocol.Neighbour:
    handlers = [(handler, host.types.register(handler.accepts).name) for handler in host.spec.handlers]
    return protocol.Neighbour(
        host.address,
        tuple(name for handler, name in handlers if not handler.by_name),
        tuple(name for handler, name in handlers if handler.subscribes),
        host.spec.policies.pool.key,
        tuple({handler.name: None for handler, _ in handlers}),
    )
