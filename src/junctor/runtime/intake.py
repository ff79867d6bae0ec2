"""Where messages are accepted: numbered, given their place in the queue of their service, committed, handed over.

Everything here runs on the node's event loop.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import structs

from junctor.clock import SECOND, Clock
from junctor.core.hop import AskedHop, Delivery, Hop, delivery_of
from junctor.core.origin import origin_of_key
from junctor.core.outcome import Draft
from junctor.core.port import Link, Receipt
from junctor.core.recording import records_hop
from junctor.errors import BodyTooLarge, NotRunning, SendError, UnknownTarget
from junctor.messages import NO_HEADERS, Kind, Message, MessageType, Status, session_text
from junctor.runtime.ahead import Ahead
from junctor.runtime.requests import Requests
from junctor.runtime.suspects import Turn
from junctor.transports.base import Commit, Insert, Settle, Transport

if TYPE_CHECKING:
    from junctor.runtime.host import Host
    from junctor.runtime.inbox import Inbox
    from junctor.runtime.mailbox import Mailbox
    from junctor.runtime.supervisor import Supervisor

# Members of an enum are looked up through its metaclass; on the way of every message a global is five times cheaper.
_SEND, _REQUEST, _CLAIMED, _WAITING = Kind.SEND, Kind.REQUEST, Status.CLAIMED, Status.WAITING


class Intake:
    """``hosts`` by address, and ``inboxes``, also of services that were taken out; ``node`` and ``sessions`` (the
    upper half of every session made here) come with ``open``."""

    def __init__(self, transport: Transport, clock: Clock, supervisor: Supervisor) -> None:
        self.transport = transport
        self.clock = clock
        self.hosts: dict[str, Host] = {}
        self.inboxes: dict[str, Inbox] = {}
        self.node = ""
        self.sessions = 0
        self.max_body = 16 * 1024 * 1024
        self.accepting = True
        self.requests = Requests(transport, self._type_at)
        self.waiters = self.requests.waiters
        self.suspects = Turn()
        self.ahead = Ahead(self.hosts)
        self.inbox_at: Callable[[str], Inbox] = self.inboxes.__getitem__
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
        accepts = link.accepts
        future: asyncio.Future[Any] = self._future()
        box = host.mailbox
        depth = box.depth
        if depth.count >= box.limit or box.senders.waiting:
            # The long way knows how to wait for room.
            name, version = accepts.name, accepts.version
            draft = Draft(link.address, _REQUEST, name, payload, version, key, 0, deadline, headers)
            self.submit(draft, source, None, link, future)
            return future
        seq = self._number()
        session = self.sessions | seq
        message = Message(
            seq,
            self.node,
            session,
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
        # Written out instead of calling delivery_of() and take_in(): this is the way of every request in memory.
        delivery = Delivery(_REQUEST, link.address, "", session, seq, 0, message)
        if box.simple:
            depth.count += 1
            box.active += 1
            box.ready.append(delivery)
            if box.idle:
                box.wake_one()
        else:
            delivery.lane = key
            box.take_in(delivery)
        self._put(seq, message)
        self.waiters[seq] = (future, deadline, link)
        host.counters.accepted += 1
        return future

    def accept(self, link: Link, host: Host, payload: Any, source: str, key: str | None) -> asyncio.Future[Any]:
        """A send from outside a hop: what ``submit`` does, without its detours."""
        accepts = link.accepts
        future: asyncio.Future[Any] = self._future()
        box = host.mailbox
        size = len(payload) if type(payload) is bytes else 0
        if box.senders.waiting or not box.room(size):
            draft = Draft(link.address, _SEND, accepts.name, payload, accepts.version, key)
            self.submit(draft, source, None, None, future)
            return future
        seq, now = self._number(), self._time()
        message = Message(
            seq,
            self.node,
            self.sessions | seq,
            _SEND,
            source,
            link.address,
            accepts.name,
            payload,
            now,
            0,
            accepts.version,
            key,
        )
        commit = Commit(
            self._accepted,
            (Insert(message, box.admit(message, size, now)),),
            durability=host.spec.policies.durability,
            external=True,
            tag=future,
        )
        if host.ahead:
            self.ahead.hand_over(commit)
        self.transport.commit(commit)
        return future

    def submit(
        self,
        draft: Draft,
        source: str,
        hop: Hop | None,
        link: Link | None,
        future: asyncio.Future[Any],
        waited: bool = False,
    ) -> None:
        """Accept one message on its own; the future gets the receipt, for a request the reply, or the error.

        :param waited: it had to wait for room, and now it is its turn.
        """
        try:
            host = self.host_of(draft.target)
        except SendError as error:
            future.set_exception(error)
            return
        box = host.mailbox
        size = size_of(draft.payload)
        if not waited and (box.senders.waiting or not box.room(size)):
            work = self._submit_later(box, size, draft, source, hop, link, future)
            self._supervisor.start(f"wait for room in {draft.target}", work)
            return
        inserts = self.first_record(hop) if hop is not None else ()
        insert = self.insert_of(draft, source, hop, box, size)
        if draft.kind is _REQUEST:
            self.waiters[insert.message.seq] = (future, draft.deadline, link)
        commit = Commit(
            self._accepted,
            inserts=(*inserts, insert) if inserts else (insert,),
            durability=host.spec.policies.durability,
            external=True,
            tag=future,
        )
        if host.ahead:
            self.ahead.hand_over(commit)
        self.transport.commit(commit)

    async def _submit_later(
        self, box: Mailbox, size: int, draft: Draft, source: str, hop: Hop | None, link: Link | None, future: Any
    ) -> None:
        try:
            longest = (draft.deadline - self._time()) / SECOND if draft.deadline else math.inf
            await box.wait_for_room(size, longest)
        except BaseException as error:
            if not future.done():
                # Cancelled: the node ends, and nobody else would tell the sender.
                future.set_exception(error if isinstance(error, SendError) else NotRunning("the node is stopping"))
            if not isinstance(error, SendError):
                raise
            return
        if not future.done():  # else the sender has gone meanwhile
            self.submit(draft, source, hop, link, future, waited=True)

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

    def first_record(self, hop: Hop) -> list[Insert]:
        """The record of a first hop that comes to the store before its end; none where it is there, or where its
        service shows failures at most: how it ends is not known yet."""
        if hop.recorded:
            return []
        host = self.hosts.get(hop.address)
        shown = host is None or records_hop(host.spec.policies.trace, failed=False)
        return [self.hop_record(hop, Status.DONE)] if shown else []

    def hop_record(self, hop: Hop, status: Status, duration: int = 0) -> Insert:
        """The record of a first hop: it has no body and no queue."""
        hop.recorded = True
        message = Message(hop.seq, self.node, hop.session, hop.kind, "", hop.address, hop.name, b"null", hop.started)
        headers = dict(hop.headers or NO_HEADERS)
        if isinstance(hop, AskedHop) and hop.asking.caller:
            headers["caller"] = hop.asking.caller
        if headers:
            message = structs.replace(message, headers=headers)
        return Insert(message, status, hop.started, duration)

    def _accepted(self, commit: Commit, error: Exception | None) -> None:
        if error is not None or commit.duplicates is not None:
            self._not_accepted(commit, error)
            return
        insert = commit.inserts[-1]
        self.hand_over(insert)
        message, future = insert.message, commit.tag
        if message.kind is not _REQUEST and not future.done():
            # As Message.id and session_text() write them.
            session = message.session.to_bytes(16, "big").hex()
            future.set_result(Receipt(f"{message.node}-{message.seq}", session))

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
        inbox = self.inboxes.get(message.target)
        if insert.ahead:  # what it does falls with it, see Ahead
            self.ahead.arrived()
        elif inbox is not None and insert.status < Status.DONE:
            inbox.mailbox.withdraw(message, insert.status, size_of(message.payload))

    def hand_over(self, insert: Insert) -> None:
        """A message is accepted: bring it to its service, or note where it waits."""
        message = insert.message
        inbox = self.inboxes[message.target]
        inbox.counters.accepted += 1
        if insert.ahead:
            self.ahead.arrived()
        elif insert.status is _CLAIMED:
            inbox.mailbox.push(delivery_of(message))
        elif insert.status is _WAITING:
            self.due_changed(message.due)
        else:
            inbox.mailbox.stored(message)

    def give_back(self, deliveries: Sequence[Delivery]) -> None:
        """Messages that were handed out but did not begin wait in the store again."""
        settles = [Settle(delivery.seq, Status.READY, delivery.attempt - 1) for delivery in deliveries]
        self.transport.commit(Commit(lambda commit, error: None, settles=settles))

    def insert_in(self, hop: Hop, draft: Draft, origin: bytes | None = None) -> Insert:
        box = self.host_of(draft.target).mailbox
        size = size_of(draft.payload)
        return self.insert_of(draft, hop.address, hop, box, size, origin)


def bounded(data: bytes, limit: int, what: str, *places: str) -> None:
    """Refuse what is too large to be kept.

    :raises BodyTooLarge: ``data`` is longer than ``limit`` bytes.
    """
    if len(data) > limit:
        raise BodyTooLarge(f"{what} has {len(data)} bytes, the limit is {limit}", where=" -> ".join(places))


def size_of(payload: Any) -> int:
    """Encoded bytes of a payload; an object passed by reference counts as nothing."""
    return len(payload) if type(payload) is bytes else 0
