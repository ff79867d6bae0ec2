"""Slots: the places where deliveries run. A slot takes one message at a time and turns its handler into an outcome."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import CodeType
from typing import TYPE_CHECKING, Any

from junctor.core.hop import Delivery, current
from junctor.core.outcome import Outcome, Park, Reply, Settlement
from junctor.core.spec import HandlerSpec
from junctor.errors import NoHandler, StoreDamaged
from junctor.messages import Kind, Message, MessageType
from junctor.runtime.threads import SlotThread

if TYPE_CHECKING:
    from junctor.runtime.host import Host

# A queue that never runs empty must not keep the loop from other work.
_TURN = 64


class Entry:
    """A handler on an instance, with its types."""

    __slots__ = ("blocking", "call", "name", "replies", "type")

    def __init__(self, spec: HandlerSpec, call: Callable[..., Any], accepts: MessageType, replies: MessageType | None):
        self.name = spec.name
        self.call = call
        self.blocking = spec.blocking
        self.type = accepts
        self.replies = replies


class Slot:
    """One delivery at a time on one instance. Async handlers of several slots share the first instance."""

    def __init__(self, host: Host, number: int) -> None:
        self.host = host
        self.number = number
        self.instance: Any = None
        self.delivery: Delivery | None = None
        self._table: dict[str, Entry] = {}
        self._fallback: Entry | None = None
        self._thread: SlotThread | None = None
        self._halted = False
        self._replies: MessageType | None = None
        self._time = host.engine.clock.time_ns
        self._immediate = host.dispatcher.immediate

    def bind(self, shared: Any) -> None:
        """Bind blocking handlers to the instance of this slot, the others to the shared one."""
        types = self.host.types
        for spec in self.host.spec.handlers:
            accepts = types.register(spec.accepts)
            replies = types.register(spec.replies) if spec.replies is not None else None
            entry = Entry(spec, spec.bind(self.instance if spec.blocking else shared), accepts, replies)
            for name in (accepts.name, *accepts.aliases):
                self._table[name] = entry
            if accepts.cls is Any:
                self._fallback = entry

    def codes(self) -> list[tuple[str, CodeType]]:
        """The handlers by their code objects, to name one that is found on a stack."""
        found = []
        for entry in self._table.values():
            code = getattr(entry.call, "__code__", None)
            if code is not None:
                found.append((entry.name, code))
        return found

    def halt(self) -> None:
        self._halted = True

    async def aclose(self) -> None:
        """Let go of thread or process; what still runs there is left behind."""
        if self._thread is not None:
            self._thread.close()
            self._thread = None

    async def run(self) -> None:
        """Take and deliver until halted."""
        box = self.host.mailbox
        turn = 0
        while not self._halted:
            delivery = box.take()
            if delivery is None:
                turn = 0
                await box.wait()
                continue
            self.delivery = delivery
            try:
                await self._deliver(delivery)
            finally:
                self.delivery = None
            turn += 1
            if turn >= _TURN:
                turn = 0
                await asyncio.sleep(0)

    async def _deliver(self, delivery: Delivery) -> None:
        host = self.host
        message = delivery.message
        delivery.started = started = self._time()
        if message.deadline and started > message.deadline:
            host.dispatcher.settle(delivery, Outcome(Settlement.EXPIRE, started=started), host)
            return
        if delivery.suspect:
            await self._deliver_suspect(delivery)
            return
        if delivery.resumed:
            await host.prepare(delivery)
        try:
            value = await self._call(delivery, message)
            reply = None
            if value is not None and message.kind is Kind.REQUEST:
                reply = host.reply_of(value, self._replies)
        except asyncio.CancelledError as error:
            # Cancelled from above, the message stays claimed and returns to the queue; by its own code, it failed.
            if self._halted:
                host.dispatcher.put_back(delivery)
                raise
            outcome = host.outcome_of(error, delivery)
        except BaseException as error:  # noqa: BLE001 - SystemExit and the like are failures of the message
            outcome = host.outcome_of(error, delivery)
        else:
            duration = self._time() - started
            host.counters.busy += duration
            if self._immediate and not delivery.resumed and _only_returned(delivery):
                host.dispatcher.finish(delivery, reply, duration, host)
                return
            outcome = done(delivery, reply, duration)
        host.dispatcher.settle(delivery, outcome, host)

    async def _deliver_suspect(self, delivery: Delivery) -> None:
        """One at a time in the node, and on record, because it may be the one that ends the process."""
        host = self.host
        async with host.engine.suspects:
            delivery.suspect = False
            if delivery.attempt > host.spec.policies.retry.attempts:
                host.dispatcher.settle(delivery, host.outcome_of(_killed(delivery), delivery), host)
                return
            await host.charge(delivery)
            # The savepoints of the earlier run count, whatever the number of this attempt.
            await host.prepare(delivery)
            await self._deliver(delivery)

    def _call(self, delivery: Delivery, message: Message) -> Awaitable[Any]:
        """Find the handler, decode the body, enter the handler where its kind of code runs."""
        entry = self._table.get(message.type) or self._fallback
        if entry is None or delivery.damaged:
            raise _undeliverable(delivery, self.host)
        delivery.name = entry.name
        self._replies = entry.replies
        body = message.payload
        if type(body) is bytes:
            body = entry.type.read(body, message.version, f"{self.host.address}.{entry.name}")
        if entry.blocking:
            return self._in_thread(entry, body, delivery)
        if self.host.own_loop is not None:
            return self.host.own_loop.call(entry.call, (body,), delivery)
        current.set(delivery)
        call: Awaitable[Any] = entry.call(body)
        return call

    def _in_thread(self, entry: Entry, body: Any, delivery: Delivery) -> asyncio.Future[Any]:
        if self._thread is None:
            name = f"{self.host.address} slot {self.number}"
            self._thread = SlotThread(name, asyncio.get_running_loop())
        return self._thread.call(entry.call, (body,), delivery)


def done(delivery: Delivery, reply: Reply | None, duration: int) -> Outcome:
    """The outcome of a delivery whose handler returned."""
    return Outcome(
        Settlement.DONE,
        reply,
        delivery.drafts or (),
        list(delivery.writes.values()) if delivery.writes else (),
        delivery.logs or (),
        started=delivery.started,
        duration=duration,
    )


def _only_returned(delivery: Delivery) -> bool:
    return delivery.drafts is None and delivery.writes is None and delivery.logs is None


def _killed(delivery: Delivery) -> Exception:
    times = delivery.attempt - 1
    return Park(f"the node ended {times} times while this message was being handled")


def _undeliverable(delivery: Delivery, host: Host) -> Exception:
    if delivery.damaged:
        return StoreDamaged("the stored record fails its checksum", where=f"message {delivery.message.id}")
    return NoHandler(f"no handler takes {delivery.message.type}", where=host.address)
