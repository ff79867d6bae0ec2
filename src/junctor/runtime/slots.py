"""Slots: the places where deliveries run. A slot takes one message at a time and turns its handler into an outcome."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable, Sequence
from types import CodeType
from typing import TYPE_CHECKING, Any

import msgspec

from junctor.core.hop import Delivery, RunWork, current
from junctor.core.lifecycle import DELIVERING
from junctor.core.outcome import Outcome, Park, Reply, Settlement
from junctor.core.routing import Routing, refused_unnamed
from junctor.core.spec import HandlerSpec
from junctor.errors import ConditionFailed, EncodeError, NoHandler, RequestExpired, StoreDamaged
from junctor.messages import CONDITION, HANDLER, NO_HEADERS, Kind, Message, MessageType, TypeRegistry, codec
from junctor.messages.sensitive import Path
from junctor.observe.frames import point_to
from junctor.observe.hidden import hide
from junctor.runtime.ahead import drop, has_fallen
from junctor.runtime.effects import recall
from junctor.runtime.threads import SKIPPED, SlotThread

if TYPE_CHECKING:
    from junctor.runtime.host import Host

log = logging.getLogger("junctor.runtime")

# A global is five times cheaper than a member looked up through its enum.
_REQUEST = Kind.REQUEST
_DONE = Settlement.DONE

# A queue that never runs empty must not keep the loop from other work.
_TURN = 64

# Deliveries that go to a thread behind the first one: a way to the thread and back costs as much as a small handler.
_AHEAD = 15


class Unshared:
    """The class of no reply."""


class Entry:
    """A handler on an instance, with its types. ``plain``: it runs on the node's own loop."""

    __slots__ = (
        "_decode",
        "_named",
        "_where",
        "blocking",
        "call",
        "direct",
        "must_reply",
        "name",
        "plain",
        "replies",
        "reply_name",
        "reply_version",
        "shared_reply",
        "type",
    )

    def __init__(
        self,
        spec: HandlerSpec,
        call: Callable[..., Any],
        accepts: MessageType,
        replies: MessageType | None,
        types: TypeRegistry,
        address: str,
        own_loop: bool,
        shares: bool,
        inherits: bool,
    ) -> None:
        self.name = spec.name
        self.call = call
        self.blocking = spec.blocking
        self.plain = not spec.blocking and not own_loop
        # After a change, objects that were sent before may be of a class that has been loaded anew. What hides a value
        # goes the long way, so that the short one pays nothing; of Any nobody knows what comes.
        self.direct = self.plain and not inherits and not accepts.sensitive and accepts.cls is not Any
        self.type = accepts
        self.replies = replies
        self.must_reply = replies is not None and not replies.fits(None)
        # The reply type whose objects travel as they are, where bodies are shared; Unshared matches nothing.
        self.shared_reply: Any = replies.cls if shares and replies is not None and replies.frozen else Unshared
        self.reply_name = replies.name if replies is not None else ""
        self.reply_version = replies.version if replies is not None else 1
        self._where = f"{address}.{spec.name}"
        self._decode = accepts.decode
        self._named = types.named if accepts.cls is Any else None

    def read(self, message: Message) -> Any:
        """The body from its encoding. For a handler of Any as the type it carries, where the flow knows that: an object
        handed over by reference and one out of the store are then the same.

        :raises DecodeError: with the path of the bad field.
        """
        kind = self.type
        if self._named is not None:
            kind = self._named(message.type) or kind
        elif message.version == kind.version:
            try:
                return self._decode(message.payload)
            except Exception:  # noqa: BLE001 - read again below for the error with its place
                pass
        return kind.read(message.payload, message.version, self._where)

    def sensitive_of(self, message: Message) -> tuple[Path, ...]:
        """The paths in the body that operators must not see."""
        kind = self.type
        if self._named is not None:
            kind = self._named(message.type) or kind
        return kind.sensitive

    def reply_of(self, value: Any, host: Host) -> Reply | None:
        """The answer to a request that a value is.

        :raises EncodeError: it is not of the declared type, or cannot be encoded.
        """
        if type(value) is self.shared_reply:
            return Reply(self.reply_name, value, self.reply_version)
        if value is None and not self.must_reply:
            return None
        try:
            return host.reply_of(value, self.replies)
        except EncodeError as error:
            point_to(error, self.call)
            raise


_types = TypeRegistry()
NOTHING = Entry(
    HandlerSpec(name="", accepts=Any, bind=lambda instance: id),
    id,
    _types.register(Any),
    None,
    _types,
    "",
    False,
    False,
    False,
)
"""The entry of a slot before its first delivery."""


class Slot:
    """One delivery at a time on one instance. Async handlers of several slots share the first instance."""

    remote = False
    starts = 0

    def __init__(self, host: Host, number: int) -> None:
        self.host = host
        self.number = number
        self.instance: Any = None
        self.delivery: Delivery | None = None
        self._routing: Routing[Entry] = Routing()
        self._typed = self._routing.typed
        self._thread: SlotThread | None = None
        # Only blocking handlers: several deliveries may go to the thread at once. Not where each changes state: the
        # next one has to see it, so it would come back undone.
        handlers = (*host.spec.handlers, *host.spec.inner)
        blocking = bool(handlers) and all(handler.blocking for handler in handlers)
        self._in_turn = blocking and not self.remote and not host.spec.stateful
        self._halted = False
        self._taken: Sequence[Delivery] = ()
        self._entry: Entry = NOTHING
        self._dispatcher = host.dispatcher
        self._counters = host.counters
        self._time = host.engine.clock.time_ns
        at_once = host.dispatcher.immediate and host.spec.policies.trace == "all"
        self._finish = host.dispatcher.finish if at_once else host.dispatcher.finish_later

    @property
    def building(self) -> bool:
        """Whether its worker process is on its way; here there is none."""
        return False

    def bind(self, shared: Any) -> None:
        """Bind blocking handlers to the instance of this slot, the others to the shared one."""
        self._routing = Routing()
        self._typed = self._routing.typed
        types = self.host.types
        own_loop = self.host.own_loop is not None
        shares = self.host.transport.capabilities.by_reference
        inner = self.host.spec.inner
        for spec in (*self.host.spec.handlers, *inner):
            accepts = types.register(spec.accepts)
            replies = types.register(spec.replies) if spec.replies is not None else None
            call = spec.bind(self.instance if spec.blocking else shared)
            where, inherits = self.host.address, self.host.inherits
            entry = Entry(spec, call, accepts, replies, types, where, own_loop, shares, inherits)
            self._routing.add(spec.name, accepts, entry, spec.by_name or spec in inner)

    def codes(self) -> list[tuple[str, CodeType]]:
        """The handlers by their code objects, to name one that is found on a stack."""
        found = []
        for name, entry in self._routing.all():
            code = getattr(entry.call, "__code__", None)
            if code is not None:
                found.append((name, code))
        return found

    @property
    def thread(self) -> threading.Thread | None:
        """The thread of its blocking handlers, None while it has none."""
        return self._thread.thread if self._thread is not None else None

    @property
    def pid(self) -> int:
        """The process that it runs in, where that is not the node; 0 for none."""
        return 0

    async def open(self) -> None:
        """Start what its code runs in, where that is not the node."""

    def signal(self) -> None:
        """The service is asked to stop, to rest or to go on."""

    def recall(self) -> None:
        """Take back what was handed on and has not begun."""

    def halt(self) -> None:
        self._halted = True

    async def aclose(self) -> None:
        """Let go of thread or process; what still runs there is left behind."""
        if self._thread is not None:
            self._thread.close()
            self._thread = None

    async def run(self) -> None:
        """Take and deliver until halted. Only who halted the slot may cancel it: a handler that cancels the task it
        runs in, at once or by a timer that fires after it, would take the service down without a word."""
        task = asyncio.current_task()
        assert task is not None
        while not self._halted:
            try:
                await self._run(task)
            except BaseException as error:
                # Cancelled, or a bug of ours: what is not settled takes its place again.
                taken, self._taken = self._taken or (self.delivery,), ()
                self.host.take_back([delivery for delivery in taken if delivery is not None and delivery.open])
                if self._ends() or not isinstance(error, asyncio.CancelledError):
                    raise
                self._forget_cancel(task)

    def _ends(self) -> bool:
        """Whether a cancellation comes from above."""
        host = self.host
        return self._halted or host.engine.stopping or host.lifecycle.state not in DELIVERING

    def _forget_cancel(self, task: asyncio.Task[Any]) -> None:
        while task.cancelling():
            task.uncancel()
        address = self.host.address
        log.warning("%s: code of a handler cancelled its task; it goes on", address, extra=self.host.named)

    async def _run(self, task: asyncio.Task[Any]) -> None:
        host, box = self.host, self.host.mailbox
        ready, now, cancelling = box.ready, self._time, task.cancelling
        finish, future = self._finish, task.get_loop().create_future
        turn = 0
        while not self._halted:
            delivery = ready.popleft() if ready and box.flowing else box.take() if ready else None
            if delivery is None:
                self.delivery = None
                turn = 0
                # Until something may have become takeable.
                place: asyncio.Future[None] = future()
                box.idle.append(place)
                await place
                continue
            self.delivery = delivery
            if self._in_turn and not delivery.special:
                self._taken = (delivery, *self._more())
                await self._deliver_in_turn(self._taken)
                self._taken = ()
            elif delivery.special or self.remote:
                await self.deliver(delivery)
            else:
                # As in deliver(), without frames of its own: this is the way of nearly every message.
                try:
                    message = delivery.message
                    entry = self._typed.get(message.type) if message.headers is NO_HEADERS else None
                    if entry is not None and entry.direct:
                        delivery.started = started = now()
                        if message.deadline and started > message.deadline and self._late(message, started):
                            raise _expired(host)
                        delivery.name = entry.name
                        self._entry = entry
                        body = message.payload
                        if type(body) is bytes:
                            body = entry.read(message)
                        current.set(delivery)
                        value = await entry.call(body)
                        if not finish(delivery, value, entry, host):
                            self._settle(delivery, value, entry)
                    else:
                        value = await self._enter(delivery)
                        self._returned(delivery, value)
                except BaseException as error:  # noqa: BLE001 - SystemExit and the like are failures of the message
                    self._raised(delivery, error)
            turn += 1
            if turn >= _TURN or cancelling():
                turn = 0
                await asyncio.sleep(0)
                if cancelling() and not self._ends():
                    self._forget_cancel(task)  # the handler has caught it
        self.delivery = None

    def _more(self) -> list[Delivery]:
        """What goes to the thread together with a first delivery: enough to keep it busy, not what other slots could
        run."""
        box = self.host.mailbox
        ahead = min(_AHEAD, len(box.ready) // self.host.spec.policies.pool.size)
        more: list[Delivery] = []
        while len(more) < ahead and box.ready and not box.ready[0].special:
            delivery = box.take()
            if delivery is None:
                break
            more.append(delivery)
        return more

    async def _deliver_in_turn(self, deliveries: Sequence[Delivery]) -> None:
        """Blocking handlers, several deliveries a visit to the thread. They still run one at a time and settle in
        order."""
        box = self.host.mailbox
        thread = self._blocking_thread()
        draining = box.draining  # Taken because somebody waits for it.
        goes_on = lambda: (draining or box.flowing) and not self._halted  # noqa: E731
        results = thread.call_in_turn(self._enter_here, deliveries, goes_on, box.single)
        for index, (delivery, result) in enumerate(zip(deliveries, results, strict=True)):
            self.delivery = delivery
            try:
                value = await result
                if value is SKIPPED:
                    box.untake(deliveries[index:])
                    return
                self._entry, value = value
                self._returned(delivery, value)
            except BaseException as error:  # noqa: BLE001 - SystemExit and the like are failures of the message
                self._raised(delivery, error)
                if box.single:
                    box.untake(deliveries[index + 1 :])
                    return

    def _enter_here(self, delivery: Delivery) -> tuple[Entry, Any]:
        """In the slot's thread: decode and handle."""
        entry, body = self._open(delivery)
        return entry, entry.call(body)

    async def deliver(self, delivery: Delivery) -> None:
        """A delivery with a history: a suspect, a repeated attempt, a damaged record, a resent message."""
        if delivery.message.repeats:
            await recall(delivery, self.host.transport)
        if delivery.suspect:
            await self._deliver_suspect(delivery)
            return
        if delivery.resumed:
            await self.host.prepare(delivery)
        await self._attempt(delivery)

    async def _attempt(self, delivery: Delivery) -> None:
        """Run the handler and settle."""
        try:
            value = await self._enter(delivery)
            self._returned(delivery, value)
        except BaseException as error:  # noqa: BLE001 - SystemExit and the like are failures of the message
            self._raised(delivery, error)

    def _returned(self, delivery: Delivery, value: Any) -> None:
        host, entry = self.host, self._entry
        if not self._finish(delivery, value, entry, host):
            self._settle(delivery, value, entry)

    def _settle(self, delivery: Delivery, value: Any, entry: Entry) -> None:
        """The long way, for a delivery that did more than return or has a history."""
        host = self.host
        owes = delivery.kind is _REQUEST and not (delivery.work is not None and delivery.work.deferred)
        reply = entry.reply_of(value, host) if owes else None
        duration = self._time() - delivery.started
        self._counters.busy += duration
        self._counters.durations[duration.bit_length()] += 1
        self._dispatcher.settle(delivery, done(delivery, reply, duration), host)

    def _raised(self, delivery: Delivery, error: BaseException) -> None:
        host = self.host
        if isinstance(error, asyncio.CancelledError) and self._halted:
            # Cancelled from above, the message returns to the queue; by its own code, it failed.
            raise error
        if has_fallen(delivery):
            drop(delivery, host)
            return
        if isinstance(error, RequestExpired) and error.where == host.address:
            host.dispatcher.settle(delivery, Outcome(Settlement.EXPIRE, started=delivery.started), host)
            return
        host.dispatcher.settle(delivery, host.outcome_of(error, delivery), host)

    async def _deliver_suspect(self, delivery: Delivery) -> None:
        """One at a time in the node, and on record, because it may be the one that ends the process."""
        host = self.host
        turn = host.dispatcher.suspects
        await turn.take(delivery)
        try:
            delivery.suspect = False
            retry = host.spec.policies.retry
            if delivery.attempt > max(retry.attempts, retry.deaths):
                host.dispatcher.settle(delivery, host.outcome_of(_killed(), delivery), host)
                return
            await host.charge(delivery)
            delivery.charged = True
            # The savepoints of the earlier run count, whatever the number of this attempt.
            await host.prepare(delivery)
            await self._attempt(delivery)
        finally:
            turn.leave(delivery)

    def _enter(self, delivery: Delivery) -> Awaitable[Any]:
        """Enter the handler where its kind of code runs."""
        entry, body = self._open(delivery)
        self._entry = entry
        if entry.plain:
            current.set(delivery)
            call: Awaitable[Any] = entry.call(body)
            return call
        if entry.blocking:
            return self._blocking_thread().call(entry.call, (body,), delivery)
        assert self.host.own_loop is not None
        return self.host.own_loop.call(entry.call, (body,), delivery)

    def _open(self, delivery: Delivery) -> tuple[Entry, Any]:
        """Find the handler and decode the body.

        :raises RequestExpired: the deadline of the request has passed, and nothing was done for it yet. Where an
            earlier attempt has committed a part of the work, this one goes on: what expired would be asked anew.
        :raises ConditionFailed: nobody knows whether it should have come here.
        :raises NoHandler: there is none.
        :raises DecodeError: the body does not fit its type.
        """
        message = delivery.message
        delivery.started = started = self._time()
        if message.deadline and started > message.deadline and not delivery.sent and self._late(message, started):
            raise _expired(self.host)
        entry = self._typed.get(message.type) if message.headers is NO_HEADERS else None
        if entry is None:
            check_condition(message)
            entry = self._routing.find(message)
        if entry is None or delivery.damaged:
            raise _undeliverable(delivery, self.host)
        delivery.name = entry.name
        if paths := entry.sensitive_of(message):
            hide(delivery, message.payload, paths)
        body = message.payload
        if type(body) is not bytes and self.host.inherits and not entry.type.fits(body):
            message = msgspec.structs.replace(message, payload=codec.encode(body))
            body = message.payload
        return entry, entry.read(message) if type(body) is bytes else body

    def _late(self, message: Message, now: int) -> bool:
        return self.host.engine.standstills.late(now, message.deadline, message.time)

    def _blocking_thread(self) -> SlotThread:
        if self._thread is None:
            name = f"junctor {self.host.address} slot {self.number}"
            self._thread = SlotThread(name, asyncio.get_running_loop())
        return self._thread


def done(delivery: Delivery, reply: Reply | None, duration: int) -> Outcome:
    """The outcome of a delivery whose handler returned."""
    work: RunWork | None = delivery.work
    if work is not None:
        return _done_with(delivery, reply, duration, work)
    return Outcome(
        _DONE,
        reply,
        delivery.drafts or (),
        list(delivery.writes.values()) if delivery.writes else (),
        delivery.logs or (),
        started=delivery.started,
        duration=duration,
    )


def _done_with(delivery: Delivery, reply: Reply | None, duration: int, work: RunWork) -> Outcome:
    """The same for one that did something to runs."""
    return Outcome(
        Settlement.DEFER if work.deferred else _DONE,
        None if work.deferred else reply,
        delivery.drafts or (),
        list(delivery.writes.values()) if delivery.writes else (),
        delivery.logs or (),
        started=delivery.started,
        duration=duration,
        answers=work.answers,
        runs=work.runs,
        timers=work.timers,
    )


def check_condition(message: Message) -> None:
    """:raises ConditionFailed: the condition on its way here could not be evaluated."""
    reason = message.headers.get(CONDITION)
    if reason is not None:
        raise ConditionFailed(reason)


def _killed() -> Exception:
    # Not how often: the first death spends no attempt, and some attempts may have failed in other ways.
    return Park("the node ended while this message was being handled, and again when it was tried anew")


def _expired(host: Host) -> RequestExpired:
    return RequestExpired("the deadline passed while it waited", where=host.address)


def _undeliverable(delivery: Delivery, host: Host) -> Exception:
    if delivery.damaged:
        return StoreDamaged("the stored record fails its checksum", where=f"message {delivery.message.id}")
    name = delivery.message.headers.get(HANDLER)
    if name is None and (refused := refused_unnamed(host.spec, host.service)):
        return NoHandler(refused[0], where=host.address, fix=refused[1])
    what = f"there is no handler {name!r}" if name is not None else f"no handler takes {delivery.message.type}"
    return NoHandler(what, where=host.address)
