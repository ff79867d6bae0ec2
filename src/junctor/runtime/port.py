"""The port of one service: what its code asks of the engine, from the loop or from a thread, in a hop or outside."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import difflib
import logging
import threading
import time
from collections.abc import Callable, Mapping
from threading import get_ident
from typing import TYPE_CHECKING, Any

from junctor.clock import SECOND
from junctor.core.hop import AskedHop, Delivery, Hop, current
from junctor.core.outcome import Draft
from junctor.core.port import Link, Pending, Receipt
from junctor.core.spec import service_address
from junctor.errors import (
    BodyTooLarge,
    EncodeError,
    NotRunning,
    QueueFull,
    RequestError,
    SendError,
    StateError,
    TypeClash,
    UnknownTarget,
    WiringError,
)
from junctor.messages import HANDLER, Kind, Message, MessageType, TypeRegistry, codec, without_reserved
from junctor.observe.hidden import hide
from junctor.observe.logs import ServiceLog
from junctor.runtime.deadlines import nanoseconds
from junctor.runtime.intake import bounded, size_of
from junctor.runtime.pending import JOINED, LoopPending, Settled, ThreadPending, resolve
from junctor.runtime.runs import HostRuns
from junctor.runtime.state import HostState

if TYPE_CHECKING:
    from junctor.runtime.engine import Engine
    from junctor.runtime.host import Host
    from junctor.runtime.mailbox import Mailbox


class EnginePort:
    """A port without a service behind it: for clients, tests and the control socket."""

    def __init__(self, engine: Engine, flow: str, service: str) -> None:
        self.flow = flow
        self.service = service
        self.address = service_address(flow, service) if flow else service
        self.log: logging.Logger | logging.LoggerAdapter[logging.Logger] = ServiceLog(self.address)
        self._engine = engine
        self._dispatcher = engine.dispatcher
        self._loop = asyncio.get_running_loop()
        self._thread = get_ident()
        self._time = engine.clock.time_ns
        self._hosts = engine.hosts
        self._immediate = engine.dispatcher.immediate

    # Links --------------------------------------------------------------------------------------------------

    def links(self, target: str) -> tuple[Link, ...]:
        raise WiringError(f"there is no target {target!r}", where=self.address)

    def link_to(self, service: str, request: Any, reply: Any = None, *, handler: str | None = None) -> Link:
        address = service if "/" in service else service_address(self.flow, service)
        host = self._engine.hosts.get(address)
        if host is None:
            near = difflib.get_close_matches(address, self._engine.hosts, 3, 0.5)
            known = near or sorted(self._engine.hosts)[:8]
            raise UnknownTarget(
                f"there is no service {service!r}", where=self.address, fix=f"Known here: {', '.join(known) or 'none'}."
            )
        return self._link(host, request, reply, handler or "")

    def _link(self, host: Host, request: Any, reply: Any, handler: str) -> Link:
        try:
            return host.link(request, reply, handler, self._types_to(host), host.flow != self.flow)
        except TypeClash:
            # A program outside may hold classes that the flow has loaded anew since: other ones of the same names.
            return host.link(request, reply, handler, TypeRegistry(), foreign=True)

    def _types_to(self, host: Host) -> TypeRegistry:
        """The types by which this sender writes to a service: of its own flow."""
        plan = self._engine.flows.get(self.flow)
        return plan.types if plan is not None else host.types

    # Messages -----------------------------------------------------------------------------------------------

    def send(
        self,
        link: Link,
        body: Any,
        *,
        key: str | None = None,
        delay: float = 0.0,
        headers: Mapping[str, str] | None = None,
        idempotency_key: str | None = None,
    ) -> Pending[Receipt | None]:
        accepts = link.accepts
        if (
            key is None
            and not delay
            and not headers
            and idempotency_key is None
            and not link.handler
            and type(body) is accepts.cls
            and current.get() is None
        ):
            host = self._hosts.get(link.address)
            if host is not None and get_ident() == self._thread and self._dispatcher.accepting:
                payload = body if link.by_reference else accepts.encode(body)
                if type(payload) is bytes and len(payload) > self._dispatcher.max_body:
                    self._check_size(payload, accepts.name, link.address)
                if host.keyed:
                    key = host.key_of(body)
                return LoopPending(self._dispatcher.accept(link, host, payload, self.address, key))
        due = self._engine.clock.time_ns() + int(delay * SECOND) if delay else 0
        draft = self._draft(Kind.SEND, link, body, key, due, 0, headers, idempotency_key)
        return self._hand_over(draft)

    def _hand_over(self, draft: Draft) -> Pending[Any]:
        hop = self.hop()
        if hop is not None and hop.joins:
            self._join(hop, draft)
            return JOINED
        if isinstance(hop, AskedHop):
            draft = hop.mark(draft)
        if get_ident() == self._thread:
            future = self._loop.create_future()
            self._dispatcher.submit(draft, self.address, hop, None, future)
            return LoopPending(future)
        answer = self._from_thread(lambda future: self._dispatcher.submit(draft, self.address, hop, None, future))
        if asyncio._get_running_loop() is None:
            # A blocking caller has nobody to await: when the call is over the message is accepted.
            return Settled(answer.result())
        return ThreadPending(answer)

    def _join(self, hop: Hop, draft: Draft) -> None:
        box = self._dispatcher.host_of(draft.target).mailbox
        if not box.room(size_of(draft.payload)):
            raise self._full(box)
        if hop.sent:
            draft = _numbered(draft, hop.number(draft.target))
            if self._dispatcher.earlier(hop, draft) is not None:
                return
        if hop.drafts is None:
            hop.drafts = []
        hop.drafts.append(draft)

    def _full(self, box: Mailbox) -> QueueFull:
        """A full queue holds the delivery until there is room. One's own cannot get room while it is held: there the
        message is parked."""
        full = box.full()
        if box.address == self.address:
            full.reaction = "park"
        return full

    def request(
        self,
        link: Link,
        body: Any,
        *,
        key: str | None = None,
        timeout: float | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Pending[Any]:
        now = self._time()
        wait = link.wait if timeout is None else nanoseconds(timeout)
        deadline = now + wait if wait else 0
        if (
            self._immediate
            and link.by_reference
            and type(body) is link.accepts.cls
            and not headers
            and current.get() is None
        ):
            host = self._hosts.get(link.address)
            if host is not None and get_ident() == self._thread and self._dispatcher.accepting:
                if key is None and host.keyed:
                    key = host.key_of(body)
                return LoopPending(self._dispatcher.ask(link, host, body, self.address, key, now, deadline, headers))
        return self._ask(link, body, key, deadline, headers)

    def _ask(
        self, link: Link, body: Any, key: str | None, deadline: int, headers: Mapping[str, str] | None
    ) -> Pending[Any]:
        draft = self._draft(Kind.REQUEST, link, body, key, 0, deadline, headers, None)
        hop = self.hop()
        ask: Callable[[asyncio.Future[Any]], object]
        if hop is not None and hop.joins:
            if hop.drafts:  # only what is committed at a savepoint needs its number
                hop.drafts = [each if each.counter else _numbered(each, hop.number(each.target)) for each in hop.drafts]
            draft = _numbered(draft, hop.number(draft.target))
            earlier = self._dispatcher.earlier(hop, draft) if hop.sent else None
            if earlier is not None:
                ask = lambda future: self._dispatcher.ask_again(hop, earlier.seq, (future, deadline, link))  # noqa: E731
            else:
                # Taken here, in the thread of the handler: it may send on before the loop gets to the savepoint.
                before, hop.drafts = hop.drafts or [], None
                ask = lambda future: self._dispatcher.savepoint(hop, before, draft, link, future)  # noqa: E731
        else:
            if isinstance(hop, AskedHop):
                draft = hop.mark(draft)
            ask = lambda future: self._dispatcher.submit(draft, self.address, hop, link, future)  # noqa: E731
        if link.replies is not None and link.replies.sensitive:
            ask = _hiding_reply(ask, hop, link.replies)
        if get_ident() == self._thread:
            future = self._loop.create_future()
            ask(future)
            return LoopPending(future)
        return ThreadPending(self._from_thread(ask))

    def publish(self, body: Any, *, key: str | None = None, headers: Mapping[str, str] | None = None) -> Pending[int]:
        return self._to_all(self._engine.subscribers(self.flow, body), body, key, headers)

    def broadcast(
        self, body: Any, *, handler: str | None = None, headers: Mapping[str, str] | None = None
    ) -> Pending[int]:
        return self._to_all(self._engine.handling(self.flow, body, handler), body, None, headers)

    def _to_all(self, links: list[Link], body: Any, key: str | None, headers: Mapping[str, str] | None) -> Pending[int]:
        # All are made before the first is handed over: a body that one service cannot take goes to none.
        drafts = [self._draft(Kind.EVENT, link, body, key, 0, 0, headers, None) for link in links]
        sent = [self._hand_over(draft) for draft in drafts]
        waiting = [pending for pending in sent if isinstance(pending, LoopPending | ThreadPending)]
        return _All(waiting, len(links)) if waiting else Settled(len(links))

    def _draft(
        self,
        kind: Kind,
        link: Link,
        body: Any,
        key: str | None,
        due: int,
        deadline: int,
        headers: Mapping[str, str] | None,
        idempotency_key: str | None,
    ) -> Draft:
        accepts = link.accepts
        if idempotency_key is not None or key is not None or headers:
            _check_labels(f"{self.address} -> {link.address}", key, idempotency_key, headers)
        if headers and link.when is None:
            headers = without_reserved(headers)
        if link.handler:
            headers = {**(headers or {}), HANDLER: link.handler}
            body = _read_as(accepts, body, f"{link.address}.{link.handler}")
        if type(body) is not accepts.cls and not accepts.fits(body):
            raise EncodeError(
                f"expected {accepts.name}, got {type(body).__qualname__}",
                where=f"{self.address} -> {link.address}",
                fix=f"Send an object of {accepts.name}.",
            )
        if accepts.cls is Any:
            accepts = self._types_to(self._dispatcher.host_of(link.address)).of(body)
        payload = body if link.by_reference and accepts.frozen and type(body) is accepts.cls else accepts.encode(body)
        if accepts.sensitive:
            hide(current.get(), payload, accepts.sensitive)
        if type(payload) is bytes:
            self._check_size(payload, accepts.name, link.address)
        if key is None:
            key = self._engine.hosts[link.address].key_of(body) if link.address in self._engine.hosts else None
        return Draft(
            link.address, kind, accepts.name, payload, accepts.version, key, due, deadline, headers, 0, idempotency_key
        )

    def draft(
        self,
        kind: Kind,
        link: Link,
        body: Any,
        key: str | None,
        deadline: int,
        headers: Mapping[str, str] | None,
    ) -> Draft:
        """A message over a link, checked and encoded, that is not handed over yet."""
        return self._draft(kind, link, body, key, 0, deadline, headers, None)

    def _check_size(self, payload: bytes, name: str, target: str) -> None:
        bounded(payload, self._dispatcher.max_body, f"the body of {name}", self.address, target)

    # The running hop ----------------------------------------------------------------------------------------

    def hop(self) -> Hop | None:
        """The hop that runs now, when it is one of this service and not settled yet.

        :raises NotRunning: its delivery was given up.
        """
        hop = current.get()
        if hop is None or hop.address != self.address:
            return None
        if hop.open:
            return hop
        if isinstance(hop, Delivery) and hop.given_up:
            raise NotRunning("this delivery was given up, its message is delivered anew", where=self.address)
        return None

    @property
    def runs(self) -> HostRuns:
        raise StateError("only a service has runs", where=self.address)

    def message(self) -> Message | None:
        hop = self.hop()
        return hop.message if hop is not None else None

    def state(self, key: str | None = None) -> HostState:
        raise StateError("only a service has state", where=self.address, fix="Ask the service with a request.")

    @property
    def stopping(self) -> bool:
        return self._engine.stopping

    def time_ns(self) -> int:
        return self._time()

    def count(self, what: str, amount: int = 1) -> None:
        raise StateError("only a service counts", where=self.address)

    def reached(self) -> None:
        raise StateError("only a service has a loop()", where=self.address)

    def sleep(self, seconds: float) -> Pending[bool]:
        if get_ident() == self._thread:
            future = self._loop.create_future()
            self._engine.clock.call_later(seconds, lambda: resolve(future, self.stopping))
            return LoopPending(future)
        return self._sleep_in_thread(threading.Event(), seconds)

    def _sleep_in_thread(self, stop: threading.Event, seconds: float) -> Pending[bool]:
        if asyncio._get_running_loop() is not None:
            outside = current.get() is None
            return ThreadPending(self._from_thread(lambda future: self._wake_later(future, seconds, outside)))
        if self._engine.clock.virtual:
            outside = current.get() is None
            return Settled(self._from_thread(lambda future: self._wake_later(future, seconds, outside)).result())
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0 and not self.stopping:
            stop.wait(min(left, 0.25))
        return Settled(self.stopping)

    def _wake_later(self, future: asyncio.Future[Any], seconds: float, outside: bool) -> None:
        """:param outside: asked for by ``loop()`` or ``on_start``, not by a delivery or call."""
        self._engine.clock.call_later(seconds, lambda: resolve(future, self.stopping))

    # Threads ------------------------------------------------------------------------------------------------

    def _from_thread(self, ask: Callable[[asyncio.Future[Any]], object]) -> concurrent.futures.Future[Any]:
        """Do ``ask`` on the node's loop, and carry the outcome of its future over to this thread."""
        answer: concurrent.futures.Future[Any] = concurrent.futures.Future()

        def on_loop() -> None:
            future = self._loop.create_future()
            future.add_done_callback(lambda done: _carry_over(done, answer))
            try:
                ask(future)
            except Exception as error:  # noqa: BLE001 - the caller in its thread gets whatever went wrong here
                if not future.done():
                    future.set_exception(error)

        try:
            self._loop.call_soon_threadsafe(on_loop)
        except RuntimeError as error:
            answer.set_exception(
                RequestError("the node is stopped", where=self.address).with_traceback(error.__traceback__)
            )
        return answer


class HostPort(EnginePort):
    """The port of a hosted service."""

    def __init__(self, engine: Engine, host: Host) -> None:
        super().__init__(engine, host.flow, host.service)
        self._host = host
        self._runs = HostRuns(self, host)
        self.log = ServiceLog(host.address)

    @property
    def runs(self) -> HostRuns:
        return self._runs

    def links(self, target: str) -> tuple[Link, ...]:
        known = self._host.links
        if target not in known:
            near = difflib.get_close_matches(target, known, 1)
            hint = f"Did you mean {near[0]!r}?" if near else "Declare it: name: Target[Type]."
            raise WiringError(f"there is no target {target!r}", where=self.address, fix=hint)
        return known[target]

    def request(self, link: Link, body: Any, **options: Any) -> Pending[Any]:
        """As of any port; but a delivery does not wait for one that has to wait for it.

        :raises RequestError: it would: the only place of the service is taken by who asks.
        """
        if link.address == self.address and self._host.spec.policies.pool.size == 1:
            if isinstance(self.hop(), Delivery):
                refused = RequestError(
                    "a handler asks its own service, which has a pool of 1: it would wait for itself",
                    where=self.address,
                    fix="Call the method directly, send instead of requesting, or give the service a larger pool.",
                )
                refused.reaction = "park"  # type: ignore[attr-defined]
                raise refused
        return super().request(link, body, **options)

    def _link(self, host: Host, request: Any, reply: Any, handler: str) -> Link:
        return host.link(request, reply, handler, self._host.types, host.flow != self.flow)

    def state(self, key: str | None = None) -> HostState:
        hop = self.hop()
        pool = self._host.spec.policies.pool
        if key is None and pool.key is not None and hop is not None and hop.message is not None:
            key = hop.message.key
        if key is None and hop is not None and pool.size > 1 and pool.key is None:
            raise StateError(f"state needs a key in a service with pool {pool.size}", where=self.address)
        return HostState(self._host, key or "", hop if hop is not None and hop.joins else None)

    @property
    def stopping(self) -> bool:
        host = self._host
        # A pause ends loop(), and only that: a delivery that runs comes to its end.
        return host.stopping.is_set() or (host.resting.is_set() and current.get() is None)

    def count(self, what: str, amount: int = 1) -> None:
        self._host.counters.counts.add(what, amount)

    def reached(self) -> None:
        if current.get() is not None:
            return
        if get_ident() == self._thread:
            self._host.away.reached()
        else:
            self._loop.call_soon_threadsafe(self._host.away.reached)

    def sleep(self, seconds: float) -> Pending[bool]:
        if get_ident() == self._thread:
            future = self._loop.create_future()
            self._wake_later(future, seconds, current.get() is None)
            return LoopPending(future)
        return self._sleep_in_thread(self._host.stopping, seconds)

    def _wake_later(self, future: asyncio.Future[Any], seconds: float, outside: bool) -> None:
        host = self._host

        def slept() -> None:
            resolve(future, host.stopping.is_set() or (outside and host.resting.is_set()))

        timer = self._engine.clock.call_later(seconds, slept)
        sleepers = (host.sleepers, host.own_sleepers) if outside else (host.sleepers,)
        for those in sleepers:
            those.add(future)

        def woke(_: object) -> None:
            timer.cancel()
            for those in sleepers:
                those.discard(future)

        future.add_done_callback(woke)


class _All:
    """Several sends as one result: their number, when all are accepted."""

    __slots__ = ("_count", "_parts")

    def __init__(self, parts: list[Any], count: int) -> None:
        self._parts = parts
        self._count = count

    def __await__(self) -> Any:
        for part in self._parts:
            yield from part.__await__()
        return self._count

    def result(self, timeout: float | None = None) -> int:
        for part in self._parts:
            part.result(timeout)
        return self._count


_LONGEST_LABEL = 1024
_LONGEST_HEADERS = 16 * 1024


def _check_labels(where: str, key: str | None, idempotency_key: str | None, headers: Mapping[str, str] | None) -> None:
    """Keys and headers are read without the body and held in memory, so they are short.

    :raises SendError: the idempotency key is empty: it would make all such sends the same one.
    :raises BodyTooLarge: one of them is too long.
    """
    if idempotency_key == "":
        raise SendError(
            "the idempotency key is empty",
            where=where,
            fix="Leave it out, or give a text that names this one act of sending.",
        )
    for name, text in (("key", key), ("idempotency key", idempotency_key)):
        if text is not None and len(text) > _LONGEST_LABEL:
            fix = f"Use at most {_LONGEST_LABEL}; what is longer belongs into the body."
            raise BodyTooLarge(f"the {name} has {len(text)} characters", where=where, fix=fix)
    length = sum(len(name) + len(text) for name, text in (headers or {}).items())
    if length > _LONGEST_HEADERS:
        fix = f"Use at most {_LONGEST_HEADERS}; what is longer belongs into the body."
        raise BodyTooLarge(f"the headers have {length} characters", where=where, fix=fix)


def _numbered(draft: Draft, counter: int) -> Draft:
    return Draft(
        draft.target,
        draft.kind,
        draft.type,
        draft.payload,
        draft.version,
        draft.key,
        draft.due,
        draft.deadline,
        draft.headers,
        counter,
        draft.idempotency_key,
    )


def _read_as(kind: MessageType, body: Any, where: str) -> Any:
    """Plain data as an object of the type that a handler called by its name takes."""
    if kind.fits(body):
        return body
    try:
        return codec.convert(codec.to_plain(body), kind.cls)
    except Exception as error:
        wrong = codec.decode_error(error, where, kind.name)
        raise EncodeError(wrong.what, where=wrong.where, fix=f"Send what {kind.name} declares.") from error


def _hiding_reply(
    ask: Callable[[asyncio.Future[Any]], object], hop: Hop | None, kind: MessageType
) -> Callable[[asyncio.Future[Any]], object]:
    """Ask so that the hop hides what is sensitive in the reply, before its code has it."""

    def note(answered: asyncio.Future[Any]) -> None:
        if not answered.cancelled() and answered.exception() is None:
            hide(hop, answered.result(), kind.sensitive)

    def ask_and_note(future: asyncio.Future[Any]) -> None:
        future.add_done_callback(note)
        ask(future)

    return ask_and_note


def _carry_over(done: asyncio.Future[Any], answer: concurrent.futures.Future[Any]) -> None:
    with contextlib.suppress(concurrent.futures.InvalidStateError):
        if done.cancelled():
            answer.cancel()
        elif (error := done.exception()) is not None:
            answer.set_exception(error)
        else:
            answer.set_result(done.result())
