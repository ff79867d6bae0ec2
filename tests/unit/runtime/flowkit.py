"""Small flows of hand-made specs on a real engine: each test says in a few lines which service does what.

A handler here is a plain function ``act(me, body)``; ``async def`` runs on the loop, ``def`` in a thread. ``me`` is the
instance: it sends by the name of the service, which is shorter than declaring targets.
"""

from __future__ import annotations

import asyncio
import inspect
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from junctor.clock import SECOND, VirtualClock
from junctor.core.policy import Policies, PoolPolicy
from junctor.core.port import Receipt
from junctor.core.records import AlertRecord, AttemptRecord, Depth, Query, Record
from junctor.core.spec import Activity, Context, FlowPlan, HandlerSpec, ScheduleSpec, ServicePlan, ServiceSpec
from junctor.messages import Kind, Message, Status, TypeRegistry
from junctor.runtime.engine import Engine
from junctor.runtime.host import Host
from junctor.transports.base import Transport
from junctor.transports.memory import MemoryTransport
from junctor.transports.sqlite import SqliteTransport

PATIENCE = 20.0
"""Seconds until a condition that never comes true fails its test. No test waits so long when all is well."""


@dataclass(frozen=True)
class Item:
    """A frozen body: the memory transport passes it by reference."""

    n: int
    key: str = ""


@dataclass
class Bag:
    """A body that can be changed: always copied."""

    items: list[int]


@dataclass(frozen=True)
class Answer:
    n: int


class Me:
    """The instance of a hand-made service."""

    def __init__(self, context: Context) -> None:
        self.name = context.service
        self.slot = context.slot
        self.port = context.port

    def send(self, to: str, body: Any, **how: Any) -> Any:
        return self.port.send(self.port.link_to(to, type(body)), body, **how)

    def request(self, to: str, body: Any, reply: Any = Answer, **how: Any) -> Any:
        return self.port.request(self.port.link_to(to, type(body), reply), body, **how)

    @property
    def message(self) -> Message:
        message = self.port.message()
        assert message is not None
        return message

    @property
    def state(self) -> Any:
        return self.port.state()


Act = Callable[..., Any]


def service(
    name: str,
    act: Act | None = None,
    *,
    accepts: Any = Item,
    replies: Any = None,
    subscribes: bool = False,
    handlers: Iterable[HandlerSpec] = (),
    every: float | None = None,
    tick: Act | None = None,
    start: Act | None = None,
    stop: Act | None = None,
    main: Act | None = None,
    stateful: bool = False,
    loop: Any = "shared",
    pool: int = 1,
    key: str | None = None,
    order: Any = "strict",
    **policies: Any,
) -> ServiceSpec:
    """A service whose only handler is ``act``; the rest as in :class:`ServiceSpec` and :class:`Policies`."""
    made = [handles("act", act, accepts, replies, subscribes)] if act is not None else []
    return ServiceSpec(
        name=name,
        build=Me,
        handlers=(*made, *handlers),
        schedules=(schedule("tick", tick, every=every),) if tick is not None else (),
        start=activity(start),
        stop=activity(stop),
        main=activity(main),
        stateful=stateful,
        loop=loop,
        policies=Policies(pool=PoolPolicy(size=pool, key=key, order=order), **policies),
    )


def handles(name: str, act: Act, accepts: Any = Item, replies: Any = None, subscribes: bool = False) -> HandlerSpec:
    return HandlerSpec(
        name=name, accepts=accepts, bind=bound(act), replies=replies, blocking=blocks(act), subscribes=subscribes
    )


def schedule(name: str, act: Act, **when: Any) -> ScheduleSpec:
    return ScheduleSpec(name=name, bind=bound(act), blocking=blocks(act), **when)


def activity(act: Act | None) -> Activity | None:
    return None if act is None else Activity(bind=bound(act), blocking=blocks(act))


def bound(act: Act) -> Callable[[Any], Act]:
    return lambda me: partial(act, me)


def blocks(act: Act) -> bool:
    return not inspect.iscoroutinefunction(act)


class Store:
    """Where messages are kept over several nodes of one test: a folder, or nothing for ``memory``."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.kind = kind
        self.folder = folder

    @property
    def durable(self) -> bool:
        return self.kind == "sqlite"

    def transport(self) -> Transport:
        # Without the reserve of a full disk: sixteen megabytes to write a test.
        return SqliteTransport(self.folder, reserve=0) if self.durable else MemoryTransport(history=100_000)

    def __repr__(self) -> str:
        return self.kind


def _is_below(depth: Depth, count: int) -> bool:
    return depth.count < count


class Node:
    """A running engine with one flow, and the outside of it."""

    def __init__(self, engine: Engine, clock: VirtualClock | None) -> None:
        self.engine = engine
        self.clock = clock
        self.client = engine.client()
        self.failures: list[Exception] = []

    # Outside senders ------------------------------------------------------------------------------------------

    def send(self, to: str, body: Any, **how: Any) -> Any:
        return self.client.send(self.client.link_to(to, type(body)), body, **how)

    def request(self, to: str, body: Any, reply: Any = Answer, **how: Any) -> Any:
        return self.client.request(self.client.link_to(to, type(body), reply), body, **how)

    async def send_all(self, to: str, bodies: Iterable[Any], **how: Any) -> list[Receipt]:
        """Send without waiting in between, as fast callers do."""
        pending = [self.send(to, body, **how) for body in bodies]
        return [await one for one in pending]

    # Looking in -----------------------------------------------------------------------------------------------

    def host(self, name: str) -> Host:
        return self.engine.hosts[f"flow/{name}"]

    def records(self, to: str, *statuses: Status) -> list[Record]:
        """What was ever accepted for a service, oldest first."""
        query = Query(service=f"flow/{to}", statuses=statuses or None, limit=100_000)
        found = self.engine.transport.archive.search(query)
        queued = [record for record in reversed(found) if record.message.kind < Kind.TICK]
        return [record for record in queued if record.message.target == f"flow/{to}"]

    def statuses(self, to: str) -> list[str]:
        return [record.status.name for record in self.records(to)]

    def bodies(self, to: str, *statuses: Status) -> list[int]:
        """The numbers in the bodies, whatever form the transport keeps them in."""
        return [number(record.message.body) for record in self.records(to, *statuses)]

    def attempts(self, to: str) -> list[AttemptRecord]:
        seqs = [record.message.seq for record in self.records(to)]
        return self.engine.transport.archive.attempts(seqs)

    def alerts(self, kind: str) -> list[AlertRecord]:
        """Oldest first."""
        return [alert for alert in reversed(self.engine.transport.archive.alerts(1000)) if alert.kind == kind]

    # Time -----------------------------------------------------------------------------------------------------

    async def until(self, true: Callable[[], Any], what: str = "") -> None:
        """Wait for something that is about to happen without the clock of the node."""
        end = time.monotonic() + PATIENCE
        while not true():
            assert time.monotonic() < end, f"still not: {what or inspect.getsource(true).strip()}"
            await asyncio.sleep(0.001)

    async def drained(self, service: str) -> None:
        """Wait until the queue of a service is empty. Much work takes its time; that none of it is done for a while
        fails."""
        depth = self.host(service).depth
        while count := depth.count:
            await self.until(partial(_is_below, depth, count), f"{service} gets below {count}")

    async def idle(self) -> None:
        """Wait until nothing moves: every commit is told, every fetch answered, every handler waits or has ended."""
        for _ in range(4):
            for _ in range(20):
                await asyncio.sleep(0)
            await self.engine.committed()
            await self._readers_idle()

    async def _readers_idle(self) -> None:
        """Every question to the store is answered: all of its readers meet, so none of them is busy."""
        asking: ThreadPoolExecutor | None = getattr(self.engine.transport, "_asking", None)
        if asking is not None:
            everybody = threading.Barrier(asking._max_workers)
            loop = asyncio.get_running_loop()
            waits = [loop.run_in_executor(asking, everybody.wait, PATIENCE) for _ in range(everybody.parties)]
            await asyncio.gather(*waits)

    async def advance(self, seconds: float, step: float = 0.5) -> None:
        """Let virtual time pass; in steps, so that what a timer starts is done before much later ones fire."""
        assert self.clock is not None
        await self.idle()
        end = self.clock.time_ns() + round(seconds * SECOND)
        while (left := end - self.clock.time_ns()) > 0:
            await self.clock.advance(min(step, left / SECOND))
            await self.idle()


def number(body: Any) -> int:
    found = body["n"] if isinstance(body, dict) else body.n
    assert isinstance(found, int)
    return found


@asynccontextmanager
async def running(
    store: Store, *services: ServiceSpec, clock: VirtualClock | None = None, grace: float = 2.0
) -> AsyncIterator[Node]:
    """A node with these services, stopped cleanly at the end."""
    node = await start(store, *services, clock=clock)
    try:
        yield node
    finally:
        await node.engine.stop(grace)


async def start(store: Store, *services: ServiceSpec, clock: VirtualClock | None = None, window: int = 0) -> Node:
    """A node that the test stops, or leaves, by itself."""
    engine = Engine(store.transport(), clock=clock)
    if window:
        engine.window = window
    await engine.open()
    engine.add(FlowPlan(name="flow", types=TypeRegistry(), services=tuple(ServicePlan(spec=one) for one in services)))
    node = Node(engine, clock)
    await engine.start()
    return node


class Seen(list[int]):
    """A sink's memory: the numbers it was given, in order."""

    async def take(self, me: Me, item: Item) -> None:
        self.append(item.n)

    def take_blocking(self, me: Me, item: Item) -> None:
        self.append(item.n)


class Gate:
    """Holds handlers back until the test opens it. Works for coroutines and threads."""

    def __init__(self) -> None:
        self.opened = False
        self.inside = 0

    async def wait(self) -> None:
        self.inside += 1
        while not self.opened:
            await asyncio.sleep(0.001)

    def wait_blocking(self) -> None:
        self.inside += 1
        while not self.opened:
            time.sleep(0.001)

    def open(self) -> None:
        self.opened = True


class Away(ConnectionError):
    """The other side is away, as a user's own class."""
