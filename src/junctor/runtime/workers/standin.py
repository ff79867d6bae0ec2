"""What a port of a service asks of its engine, dispatcher and host, answered in a worker process: by what the node has
told about itself, or by asking it over the channel."""

from __future__ import annotations

import asyncio
import concurrent.futures
import itertools
import threading
from collections.abc import Sequence
from typing import Any

import msgspec

from junctor.clock import Clock, RealClock
from junctor.core.hop import Hop, current
from junctor.core.origin import origin_of
from junctor.core.outcome import Draft
from junctor.core.port import Link, Receipt
from junctor.core.spec import ServiceSpec, Wire, service_address
from junctor.errors import UnknownTarget
from junctor.messages import Kind, TypeRegistry
from junctor.runtime.keys import key_reader
from junctor.runtime.pending import resolve
from junctor.runtime.workers import protocol
from junctor.runtime.workers.channel import Channel
from junctor.runtime.workers.counting import TellingCounts
from junctor.runtime.workers.errors import exception_of


class StandIn:
    """Engine, dispatcher and host in one, as far as a port needs them."""

    immediate = False
    accepting = False  # for the short way of a send: the long one is the only one here
    virtual = False

    def __init__(self, build: protocol.Build, spec: ServiceSpec, channel: Channel) -> None:
        self.build, self.spec, self.channel = build, spec, channel
        self.flow, self.service = build.flow, build.service
        self.address = service_address(build.flow, build.service)
        self.clock: Clock = RealClock()
        self.types = TypeRegistry()
        for known in spec.types:
            self.types.register(known)
        self.dispatcher = self.requests = self.transport = self
        self.flows: dict[str, Any] = {}
        self.max_body = build.max_body
        self.hosts = {neighbour.address: Neighbour(neighbour, self.types) for neighbour in build.neighbours}
        self.pending_state: dict[tuple[str, str], tuple[bytes | None, int, Any]] = {}
        self.stopping, self.resting = threading.Event(), threading.Event()
        self.sleepers: set[asyncio.Future[Any]] = set()
        self.own_sleepers: set[asyncio.Future[Any]] = set()
        self.counters = self.away = self
        self.counts = TellingCounts(channel)
        self.states: dict[int, tuple[str, protocol.State]] = {}
        self._loop = asyncio.get_running_loop()
        self._asked: dict[int, tuple[asyncio.Future[Any], Link | None]] = {}
        self._reads: dict[int, concurrent.futures.Future[protocol.State]] = {}
        self._numbers = itertools.count(1)
        targets = {target.name: target for target in spec.targets}
        self.links = {
            name: tuple(self._link(wire, targets[name].request, targets[name].reply) for wire in wires)
            for name, wires in build.links.items()
        }

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
        number = next(self._numbers)
        self._asked[number] = (future, link)
        self.channel.send(protocol.Submit(number, hop.seq if hop is not None else 0, draft))

    def savepoint(
        self, hop: Hop, drafts: Sequence[Draft], request: Draft, link: Link, future: asyncio.Future[Any]
    ) -> None:
        number = next(self._numbers)
        self._asked[number] = (future, link)
        self.channel.send(protocol.Ask(number, hop.seq, (*drafts, request)))

    def state(self, service: str, key: str) -> protocol.State:
        """The entries of a key: those that came with the delivery, or the node's of this moment."""
        hop = current.get()
        given = self.states.get(hop.seq) if hop is not None else None
        if given is not None and given[0] == key:
            return given[1]
        number = next(self._numbers)
        answer = self._reads[number] = concurrent.futures.Future()
        self.channel.send(protocol.Read(number, key))
        return answer.result()

    def reached(self) -> None:
        """What is asked of a service's outages: ``loop()`` has reached the other side."""
        self.channel.send(protocol.Reached())

    # What the node says ---------------------------------------------------------------------------------------

    def answered(self, answer: protocol.Answer) -> None:
        """In the thread that reads: code that waits for state may keep the loop."""
        if answer.state is not None:
            self._reads.pop(answer.number).set_result(answer.state)
        else:
            self._loop.call_soon_threadsafe(self._resolve, answer)

    def _resolve(self, answer: protocol.Answer) -> None:
        future, link = self._asked.pop(answer.number)
        if future.done():
            return
        try:
            future.set_result(self._result(answer, link))
        except Exception as error:  # noqa: BLE001 - the requester gets what is wrong with the reply
            future.set_exception(error)

    def _result(self, answer: protocol.Answer, link: Link | None) -> Any:
        if answer.error is not None:
            raise exception_of(answer.error)
        if answer.receipt is not None:
            return Receipt(*answer.receipt)
        kind = (link.replies if link is not None else None) or self.types.named(answer.kind)
        if answer.reply == b"null" or kind is None:
            return msgspec.json.decode(answer.reply)
        return kind.read(answer.reply, kind.version, f"reply of {link.address if link is not None else self.address}")

    def signalled(self, signal: protocol.Signal) -> None:
        """The service is to stop, or to rest, or to go on."""
        for event, on in ((self.stopping, signal.stopping), (self.resting, signal.resting)):
            if on:
                event.set()
            else:
                event.clear()
        for sleeper in list(self.sleepers if signal.stopping else self.own_sleepers if signal.resting else ()):
            resolve(sleeper, True)


class Neighbour:
    """Another service as a port sees it: it has room as far as the worker knows; the node judges at the commit."""

    def __init__(self, described: protocol.Neighbour, types: TypeRegistry) -> None:
        self.address = described.address
        self.flow = described.address.partition("/")[0]
        self.types = types
        self.mailbox = self
        self.key_of = key_reader(described.key) or (lambda body: None)
        self.keyed = described.key is not None

    def room(self, size: int) -> bool:
        return True

    def link(
        self,
        request: Any,
        reply: Any = None,
        handler: str = "",
        types: TypeRegistry | None = None,
        foreign: bool = False,
    ) -> Link:
        registry = TypeRegistry() if types is None or foreign else types
        replies = registry.register(reply) if reply is not None and reply is not Any else None
        return Link(self.address, registry.register(request), replies, handler=handler)
