"""The only place where messages are accepted and settled. If settling fails, nothing is acknowledged.

Everything here runs on the node's event loop. What a delivery did arrives as an :class:`Outcome`; it becomes one
commit, and what follows from it (handing new messages over, resolving requests) happens when the commit is done.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from junctor.clock import SECOND, Clock
from junctor.core.hop import Delivery, Hop, again, delivery_of
from junctor.core.origin import counter_of, origin_after, origin_of, origin_of_key
from junctor.core.outcome import Draft, Outcome, Reply, Settlement
from junctor.core.port import Link, Receipt
from junctor.errors import JunctorError, NotRunning, RecordRefused, SendError, StateConflict, UnknownTarget
from junctor.messages import NO_HEADERS, Kind, Message, MessageType, Status, session_text
from junctor.runtime.failures import failure_of
from junctor.runtime.requests import Requests, Waiter
from junctor.runtime.suspects import Turn
from junctor.transports.base import AlertRecord, Commit, HopLog, Insert, Sent, Settle, Transport

if TYPE_CHECKING:
    from junctor.runtime.host import Host
    from junctor.runtime.mailbox import Mailbox
    from junctor.runtime.supervisor import Supervisor

log = logging.getLogger("junctor.dispatcher")

STATUS = {
    Settlement.DONE: Status.DONE,
    Settlement.RETRY: Status.WAITING,
    Settlement.HOLD: Status.WAITING,
    Settlement.PARK: Status.PARKED,
    Settlement.EXPIRE: Status.EXPIRED,
}


# Members of an enum are looked up through its metaclass; on the way of every message a global is five times cheaper.
_REQUEST, _CLAIMED, _WAITING, _DONE = Kind.REQUEST, Status.CLAIMED, Status.WAITING, Settlement.DONE


class Dispatcher:
    """``hosts`` by address; ``node`` and ``sessions`` (the upper half of every session made here) come with ``open``."""

    def __init__(self, transport: Transport, clock: Clock, supervisor: Supervisor) -> None:
        self.transport = transport
        self.clock = clock
        self.hosts: dict[str, Host] = {}
        self.node = ""
        self.sessions = 0
        self.max_body = 16 * 1024 * 1024
        self.accepting = True
        self.requests = Requests(transport, self._type_at)
        self.waiters = self.requests.waiters
        self.suspects = Turn()
        self.due_changed: Callable[[int], object] = lambda due: None
        self._supervisor = supervisor
        self._time = clock.time_ns
        self._number = transport.number
        self._future = asyncio.get_running_loop().create_future
        self.immediate = transport.capabilities.immediate
        self._put = transport.put
        self._finish = transport.finish

    def opened(self, node: str, sessions: int) -> None:
        """The transport is open: who we are, and the upper half of the sessions that begin here."""
        self.node = node
        self.sessions = sessions
        self._number = self.transport.number

    # Accepting ----------------------------------------------------------------------------------------------

    def ask(
        self,
        link: Link,
        host: Host,
        payload: Any,
        source: str,
        key: str | None,
        now: int,
        deadline: int,
        headers: Mapping[str, str] | None,
    ) -> asyncio.Future[Any]:
        """A request from outside a hop where commits are immediate: what ``submit`` does, without its detours."""
        seq = self._number()
        accepts = link.accepts
        message = Message(
            seq,
            self.node,
            self.sessions | seq,
            _REQUEST,
            source,
            link.address,
            accepts.name,
            payload,
            now,
            0,
            accepts.version,
            key,
            deadline,
            0,
            None,
            headers or NO_HEADERS,
        )
        future: asyncio.Future[Any] = self._future()
        # Written out instead of calling delivery_of(): this is the way of every request in memory.
        if not host.mailbox.take_in(Delivery(_REQUEST, link.address, "", message.session, seq, 0, message, lane=key)):
            # The long way knows how to wait for room.
            name, version = accepts.name, accepts.version
            draft = Draft(link.address, _REQUEST, name, payload, version, key, 0, deadline, headers)
            self.submit(draft, source, None, link, future)
            return future
        self._put(seq, message)
        self.waiters[seq] = (future, deadline, link)
        host.counters.accepted += 1
        return future

    def submit(self, draft: Draft, source: str, hop: Hop | None, link: Link | None, future: asyncio.Future[Any]) -> None:
        """Accept one message on its own; the future gets the receipt, for a request the reply, or the error."""
        try:
            host = self.host_of(draft.target)
        except SendError as error:
            future.set_exception(error)
            return
        box = host.mailbox
        size = size_of(draft.payload)
        if not box.room(size):
            work = self._submit_later(box, size, draft, source, hop, link, future)
            self._supervisor.start(f"wait for room in {draft.target}", work)
            return
        inserts: tuple[Insert, ...] = ()
        if hop is not None and not hop.recorded:
            inserts = (self.hop_record(hop, Status.DONE),)
        insert = self.insert_of(draft, source, hop, box, size)
        if draft.kind is _REQUEST:
            self.waiters[insert.message.seq] = (future, draft.deadline, link)
        self.transport.commit(
            Commit(
                self._accepted,
                inserts=(*inserts, insert) if inserts else (insert,),
                durability=host.spec.policies.durability,
                external=True,
                tag=future,
            )
        )

    async def _submit_later(
        self, box: Mailbox, size: int, draft: Draft, source: str, hop: Hop | None, link: Link | None, future: Any
    ) -> None:
        try:
            await box.wait_for_room(size)
        except BaseException as error:
            if not future.done():
                # Cancelled: the node ends, and nobody else would tell the sender.
                future.set_exception(error if isinstance(error, SendError) else NotRunning("the node is stopping"))
            if not isinstance(error, SendError):
                raise
            return
        self.submit(draft, source, hop, link, future)

    def host_of(self, address: str) -> Host:
        """The running service behind an address.

        :raises UnknownTarget: there is none.
        :raises NotRunning: the node is stopping.
        """
        host = self.hosts.get(address)
        if host is None:
            raise UnknownTarget(f"there is no service {address!r} in this node", where=address)
        if not self.accepting:
            raise NotRunning("the node is stopping", where=address)
        return host

    def insert_of(
        self, draft: Draft, source: str, hop: Hop | None, box: Mailbox, size: int, origin: bytes | None = None
    ) -> Insert:
        seq = self._number()
        now = self._time()
        if draft.idempotency_key is not None:
            origin = origin_of_key(draft.target, draft.idempotency_key)
        message = Message(
            seq,
            self.node,
            self.sessions | seq if hop is None else hop.session,
            draft.kind,
            source,
            draft.target,
            draft.type,
            draft.payload,
            now,
            0 if hop is None else hop.seq,
            draft.version,
            draft.key,
            draft.deadline,
            draft.due,
            origin,
            draft.headers or NO_HEADERS,
        )
        return Insert(message, box.admit(message, size, now))

    def hop_record(self, hop: Hop, status: Status, duration: int = 0) -> Insert:
        """The record of a first hop: it has no body and no queue."""
        hop.recorded = True
        message = Message(hop.seq, self.node, hop.session, hop.kind, "", hop.address, hop.name, b"null", hop.started)
        return Insert(message, status, hop.started, duration)

    def _accepted(self, commit: Commit, error: Exception | None) -> None:
        future: asyncio.Future[Any] = commit.tag
        insert = commit.inserts[-1]
        message = insert.message
        if error is not None or commit.duplicates is not None:
            self._not_accepted(commit, error)
            return
        self.hand_over(insert)
        if message.kind is not _REQUEST and not future.done():
            future.set_result(Receipt(message.id, session_text(message.session)))

    def _not_accepted(self, commit: Commit, error: Exception | None) -> None:
        insert = commit.inserts[-1]
        message = insert.message
        future: asyncio.Future[Any] = commit.tag
        self.withdraw(insert)
        waiter = self.waiters.pop(message.seq, None)
        if error is not None:
            if not future.done():
                future.set_exception(error)
            return
        earlier = (commit.duplicates or {})[message.seq]
        if waiter is not None:
            self.requests.await_earlier(earlier, waiter)
        elif not future.done():
            future.set_result(Receipt(f"{self.node}-{earlier}", session_text(message.session), duplicate=True))

    def _type_at(self, address: str, name: str) -> MessageType | None:
        host = self.hosts.get(address)
        return host.types.named(name) if host is not None else None

    def withdraw(self, insert: Insert) -> None:
        message = insert.message
        host = self.hosts.get(message.target)
        if host is not None and insert.status < Status.DONE:
            host.mailbox.withdraw(message, insert.status, size_of(message.payload))

    def hand_over(self, insert: Insert) -> None:
        """A message is accepted: bring it to its service, or note where it waits."""
        message = insert.message
        host = self.hosts[message.target]
        host.counters.accepted += 1
        if insert.status is _CLAIMED:
            host.mailbox.push(delivery_of(message))
        elif insert.status is _WAITING:
            self.due_changed(message.due)
        else:
            host.mailbox.stored(message)

    def give_back(self, deliveries: Sequence[Delivery]) -> None:
        """Messages that were handed out but did not begin wait in the store again."""
        settles = [Settle(delivery.seq, Status.READY, delivery.attempt - 1) for delivery in deliveries]
        self.transport.commit(Commit(lambda commit, error: None, settles=settles))

    # Savepoints and requests of a delivery ------------------------------------------------------------------

    def savepoint(
        self, hop: Hop, drafts: Sequence[Draft], request: Draft, link: Link, future: asyncio.Future[Any]
    ) -> None:
        """Commit the earlier sends of a delivery and its request now; the future gets the reply."""
        hop.saved = True
        inserts: list[Insert] = []
        if not hop.recorded:
            inserts.append(self.hop_record(hop, Status.DONE))
        try:
            inserts += self._inserts_in(hop, (*drafts, request), self.origin_in)
        except SendError as error:
            future.set_exception(error)
            return
        settles: Sequence[Settle] = ()
        if self.suspects.includes(hop):
            future = self._in_turn_again(hop, future)
            settles = self._give_up_turn(hop)
        self.waiters[inserts[-1].message.seq] = (future, request.deadline, link)
        self.transport.commit(Commit(self._saved, inserts=inserts, settles=settles, tag=future))

    def ask_again(self, hop: Hop, seq: int, waiter: Waiter) -> None:
        """A request that an earlier attempt of the delivery made already."""
        if not self.suspects.includes(hop):
            self.requests.await_earlier(seq, waiter)
            return
        reply = self._in_turn_again(hop, waiter[0])
        self.requests.await_earlier(seq, (reply, *waiter[1:]))
        if not reply.done() and (settles := self._give_up_turn(hop)):
            self.transport.commit(Commit(lambda commit, error: None, settles=settles))

    def _give_up_turn(self, hop: Hop) -> Sequence[Settle]:
        """A suspect waits for a reply. It has come so far without harm, so what happens meanwhile is not charged to it:
        it may be the turn of the one that ends the process."""
        if not self.suspects.holds(hop):
            return ()
        self.suspects.give_up(hop)
        return (Settle(hop.seq, _CLAIMED, hop.attempt - 1),)

    def _in_turn_again(self, hop: Hop, future: asyncio.Future[Any]) -> asyncio.Future[Any]:
        """A future for the reply to a suspect, which ``future`` gets when it is the suspect's turn again."""
        reply: asyncio.Future[Any] = self._future()
        self.suspects.asks(hop)
        go_on = lambda _: self._supervisor.start(f"turn of {hop.address}", self._go_on(hop, reply, future))  # noqa: E731
        reply.add_done_callback(go_on)
        return reply

    async def _go_on(self, hop: Hop, reply: asyncio.Future[Any], future: asyncio.Future[Any]) -> None:
        error = reply.exception()
        try:
            # Only with its last reply: with the turn in its hand and a request open it would wait for itself.
            if self.suspects.answered(hop) and hop.open:
                await self.suspects.take(hop)
                await self.hosts[hop.address].charge(hop)
        except JunctorError as refused:
            error = refused
        if not hop.open:
            self.suspects.leave(hop)
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(reply.result())

    def _saved(self, commit: Commit, error: Exception | None) -> None:
        future: asyncio.Future[Any] = commit.tag
        request = commit.inserts[-1].message.seq
        duplicates = commit.duplicates or {}
        for insert in commit.inserts:
            if insert.status >= Status.DONE:
                continue
            if error is not None or insert.message.seq in duplicates:
                self.withdraw(insert)
            else:
                self.hand_over(insert)
        waiter = self.waiters.pop(request, None) if error is not None or request in duplicates else None
        if error is not None and not future.done():
            future.set_exception(error)
        elif waiter is not None:
            self.requests.await_earlier(duplicates[request], waiter)

    def origin_in(self, hop: Hop, draft: Draft) -> bytes:
        """The origin of a send inside a hop. A request whose message expired undelivered is asked anew: nobody saw it."""
        payload = draft.payload
        data = payload if type(payload) is bytes else self.hosts[draft.target].encode(payload)
        origin = origin_of(f"{self.node}-{hop.seq}", draft.counter, draft.target, draft.type, data)
        while hop.sent and (sent := hop.sent.get(origin)) is not None and sent.status is Status.EXPIRED:
            origin = origin_after(origin, sent.seq)
        return origin

    def _inserts_in(
        self, hop: Hop, drafts: Iterable[Draft], origin_in: Callable[[Hop, Draft], bytes | None]
    ) -> list[Insert]:
        """The records of what a hop sends; when one of them is refused, none is counted anywhere.

        :raises SendError: one is refused.
        """
        inserts: list[Insert] = []
        try:
            for draft in drafts:
                inserts.append(self.insert_in(hop, draft, origin_in(hop, draft)))  # noqa: PERF401 - see the next line
        except SendError:
            for insert in inserts:
                self.withdraw(insert)
            raise
        return inserts

    def insert_in(self, hop: Hop, draft: Draft, origin: bytes | None = None) -> Insert:
        box = self.host_of(draft.target).mailbox
        size = size_of(draft.payload)
        return self.insert_of(draft, hop.address, hop, box, size, origin)

    def earlier(self, hop: Hop, draft: Draft) -> Any:
        """What an earlier attempt of this delivery already committed for the same send, None when it is new."""
        if not hop.sent:
            return None
        sent = hop.sent.get(self.origin_in(hop, draft))
        if sent is None and any(_is_other(known, draft.counter) for known in hop.sent.values()):
            log.warning(
                "%s: send number %s differs from the one of an earlier attempt; it is accepted as a new message",
                hop.address,
                draft.counter,
            )
        return sent

    # Settling -----------------------------------------------------------------------------------------------

    def finish(self, delivery: Delivery, reply: Reply | None, duration: int, host: Host) -> None:
        """Settle a delivery that did nothing but return, where commits are immediate."""
        seq = delivery.seq
        waiter = self.waiters.pop(seq, None)
        if waiter is None and delivery.kind is _REQUEST:
            # Nobody waits any more: whether the reply is late is for the long way to tell.
            self.settle(delivery, Outcome(_DONE, reply, started=delivery.started, duration=duration), host)
            return
        delivery.open = False
        host.counters.done += 1
        self._finish(seq, delivery.started, duration, reply)
        box = host.mailbox
        if box.simple:
            depth = box.depth
            depth.count -= 1
            if depth.bytes:
                depth.bytes -= size_of(delivery.message.payload)
            box.active -= 1
        else:
            box.finished(delivery, size_of(delivery.message.payload))
        if waiter is None:
            return
        future = waiter[0]
        if reply is not None and type(reply.payload) is not bytes and not future.done():
            future.set_result(reply.payload)
        else:
            self.requests.resolve(waiter, reply, host.address)

    def settle(self, delivery: Delivery, outcome: Outcome, host: Host) -> None:
        """Commit what a delivery did, whole; then its message is done, tried again, parked or expired."""
        delivery.open = False
        settlement = outcome.settlement
        seq = delivery.seq
        delay = outcome.delay
        inserts: Iterable[Insert] = ()
        if outcome.drafts:
            try:
                inserts = self._inserts_in(delivery, outcome.drafts, _without_origin)
            except SendError as error:
                self.settle(delivery, host.outcome_of(error, delivery), host)
                return
        late = settlement is _DONE and seq not in self.waiters and 0 < delivery.message.deadline < self._time()
        settle = Settle(
            seq,
            STATUS[settlement],
            delivery.attempt if settlement is not Settlement.HOLD else delivery.attempt - 1,
            self._time() + int(delay * SECOND) if delay else 0,
            outcome.started,
            outcome.duration,
            outcome.reply,
            outcome.failure,
            late,
        )
        commit = Commit(
            self._settled,
            inserts=inserts,  # type: ignore[arg-type]
            settles=(settle,),
            writes=outcome.writes,
            logs=_hop_logs(delivery, outcome) if outcome.logs else (),
            alerts=self._alerts(delivery, outcome, host) if outcome.failure is not None else (),
            source=delivery.address,
            durability=host.spec.policies.durability,
            tag=(delivery, outcome, host),
        )
        host.keep_writes(outcome.writes, commit)
        self._move_on(delivery, settlement, delay, host)
        self.transport.commit(commit)

    def _move_on(self, delivery: Delivery, settlement: Settlement, delay: float, host: Host) -> None:
        """Let the queue go on. The next delivery need not wait for the disk: its commit comes after this one's."""
        box, counters = host.mailbox, host.counters
        if settlement is _DONE:
            counters.done += 1
        elif settlement is Settlement.RETRY:
            counters.retried += 1
            box.retry(again(delivery, settlement), delay)
            return
        elif settlement is Settlement.HOLD:
            counters.held += 1
            host.hold(again(delivery, settlement), delay)
            return
        elif settlement is Settlement.PARK:
            counters.parked += 1
        else:
            counters.expired += 1
        box.finished(delivery, size_of(delivery.message.payload))

    def _settled(self, commit: Commit, error: Exception | None) -> None:
        delivery, outcome, host = commit.tag
        if commit.writes:
            host.drop_writes(commit)
        if error is not None:
            self._not_settled(commit, error)
            return
        duplicates = commit.duplicates or ()
        for insert in commit.inserts:
            if insert.message.seq in duplicates:
                self.withdraw(insert)
            else:
                self.hand_over(insert)
        if delivery.kind is _REQUEST and outcome.settlement not in (Settlement.RETRY, Settlement.HOLD):
            waiter = self.waiters.pop(delivery.seq, None)
            if waiter is not None:
                if outcome.settlement is _DONE:
                    self.requests.resolve(waiter, outcome.reply, delivery.address)
                else:
                    self.requests.refuse(waiter, STATUS[outcome.settlement], outcome.failure, delivery.message)

    def _not_settled(self, commit: Commit, error: Exception) -> None:
        """Nothing is acknowledged. A state conflict repeats the delivery, a result that has no form in the store parks it;
        any other error ends the node by itself."""
        delivery, outcome, host = commit.tag
        for insert in commit.inserts:
            self.withdraw(insert)
        if isinstance(error, StateConflict):
            log.info("%s: %s", host.address, error)
            host.redeliver(delivery)
        elif isinstance(error, RecordRefused) and outcome.settlement is _DONE:
            host.counters.done -= 1
            self._park_unstorable(delivery, error, host)
        else:
            log.critical("%s: the result of message %s is not stored: %s", host.address, delivery.message.id, error)

    def _park_unstorable(self, delivery: Delivery, error: Exception, host: Host) -> None:
        """No further attempt would help. Its place in the queue was given up already."""
        outcome = Outcome(Settlement.PARK, failure=failure_of(error), started=delivery.started)
        host.counters.parked += 1
        log.warning("%s.%s: %s", host.address, delivery.name, error)
        settle = Settle(delivery.seq, Status.PARKED, delivery.attempt, 0, outcome.started, 0, failure=outcome.failure)
        alerts = self._alerts(delivery, outcome, host)
        self.transport.commit(Commit(self._settled, settles=(settle,), alerts=alerts, tag=(delivery, outcome, host)))

    def put_back(self, delivery: Delivery) -> None:
        """A delivery is cancelled because the node stops. Without savepoints it simply returns to the queue; with some, it
        is kept as a waiting one, so that its next delivery knows of them."""
        if delivery.saved or delivery.resumed:
            settle = Settle(delivery.seq, Status.WAITING, delivery.attempt - 1, self._time())
            self.transport.commit(Commit(lambda commit, error: None, settles=(settle,)))

    def settle_hop(self, hop: Hop, outcome: Outcome, host: Host, done: asyncio.Future[Any] | None = None) -> None:
        """Commit what a first hop did (tick, route, action, start). One that did nothing leaves no record."""
        hop.open = False
        failed = outcome.failure is not None
        effects = outcome.drafts or outcome.writes or outcome.logs or failed or hop.kind is Kind.ACTION
        if not effects and not hop.recorded:
            return
        status = Status.FAILED if failed else Status.DONE
        inserts: list[Insert] = []
        settles: list[Settle] = []
        if not hop.recorded:
            inserts.append(self.hop_record(hop, status, outcome.duration))
        if failed or not inserts:
            settles.append(
                Settle(hop.seq, status, 1, 0, outcome.started, outcome.duration, failure=outcome.failure)
            )
        try:
            inserts += self._inserts_in(hop, outcome.drafts, _without_origin)
        except SendError as error:
            log.error("%s.%s: %s", hop.address, hop.name, error)
            host.counters.failed += 1
            return
        commit = Commit(
            self._settled_hop,
            inserts=inserts,
            settles=settles,
            writes=outcome.writes,
            logs=_hop_logs(hop, outcome),
            source=hop.address,
            durability="fsync" if outcome.drafts or outcome.writes else "written",
            tag=host,
        )
        host.keep_writes(outcome.writes, commit)
        self.transport.commit(commit)

    def _settled_hop(self, commit: Commit, error: Exception | None) -> None:
        host: Host = commit.tag
        if commit.writes:
            host.drop_writes(commit)
        for insert in commit.inserts:
            if insert.status >= Status.DONE:
                continue
            if error is not None or insert.message.seq in (commit.duplicates or ()):
                self.withdraw(insert)
            else:
                self.hand_over(insert)
        if error is not None:
            log.error("%s: what a %s did is not stored: %s", host.address, "tick or call", error)

    def _alerts(self, delivery: Delivery, outcome: Outcome, host: Host) -> tuple[AlertRecord, ...]:
        failure = outcome.failure
        if failure is None or outcome.settlement is not Settlement.PARK:
            return ()
        return (
            AlertRecord(
                self._time(),
                "parked",
                host.address,
                f"message {delivery.message.id} is parked after {delivery.attempt} attempts: {failure.type}: {failure.text}",
                f"junctor trace {session_text(delivery.session)}",
                delivery.seq,
            ),
        )


def _is_other(sent: Sent, counter: int) -> bool:
    return counter_of(sent.origin) == counter and sent.status is not Status.EXPIRED


def _without_origin(hop: Hop, draft: Draft) -> None:
    """What is committed together with its hop cannot be sent twice."""


def size_of(payload: Any) -> int:
    """Encoded bytes of a payload; an object passed by reference counts as nothing."""
    return len(payload) if type(payload) is bytes else 0


def _hop_logs(hop: Hop, outcome: Outcome) -> list[HopLog]:
    return [HopLog(hop.session, hop.seq, hop.address, line) for line in outcome.logs]


