"""Runs that are stored: a hundred thousand that sleep, and one with a long history.

The stores are made once, through the engine, and opened again by every round, each in a process of its own.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import apsw

from benchmarks import memory
from benchmarks.bodies import Ping, Pong
from benchmarks.load import run
from junctor import Flow, Service, Target, Workflow, handler, query
from junctor.clock import SECOND, RealClock

DAY = 86_400
SETTLE = 1.0  # seconds from open to the reading of the memory
BEGINNERS = 256


class Sleeper(Workflow):
    """Sleeps for a day."""

    @handler
    async def on(self, body: Ping) -> None:
        await self.sleep(DAY)


class Sink(Service):
    @handler
    async def on(self, body: Ping) -> None:
        return None


class Desk(Service):
    @handler
    async def on(self, body: Ping) -> Pong:
        return Pong(body.n + 1)


class Long(Workflow):
    """Asks so often as it is told, and sleeps then."""

    desk: Target[Ping, Pong]
    done: int = 0

    @handler(key="n")
    async def on(self, body: Ping) -> None:
        for number in range(body.n):
            await self.desk.request(Ping(number))
            self.done += 1
        await self.sleep(DAY)

    @query
    def count(self) -> int:
        return self.done


class Ahead(RealClock):
    """The clock of the machine, and from a moment on one of the day after tomorrow."""

    def __init__(self) -> None:
        super().__init__()
        self.offset = 0
        self.time_ns = lambda: time.time_ns() + self.offset


def _flow() -> Flow:
    flow = Flow("bench")
    for service in (Sleeper(), Sink(), Desk(), Long()):
        flow.add(service, connect={"desk": "desk"} if isinstance(service, Long) else None)
    return flow


# Runs that sleep ---------------------------------------------------------------------------------------------


async def _many(send: Any, count: int) -> None:
    async def beginner(share: int) -> None:
        for _ in range(share):
            await send()

    share, rest = divmod(count, BEGINNERS)
    await asyncio.gather(*(beginner(share + (index < rest)) for index in range(BEGINNERS)))


async def _sleep(folder: str, count: int) -> dict[str, float]:
    async with _flow().running(transport="sqlite", store=folder) as node:
        sleeper = node.target("sleeper", Ping)
        await _many(lambda: sleeper.send(Ping(1)), count)
        host = node.engine.hosts["bench/sleeper"]
        while host.counters.done < count:
            await asyncio.sleep(0.05)
    return {}


async def _resume(folder: str, name: str, delayed: int, seconds: float) -> dict[str, float]:
    """What it takes with nothing due; then the time of each delivery when all of them are."""
    clock = Ahead()
    async with _flow().running(transport="sqlite", store=folder, clock=clock) as node:
        await asyncio.sleep(SETTLE)
        found = memory.of_tree(os.getpid())
        if delayed:
            sink = node.target("sink", Ping)
            await _many(lambda: sink.send(Ping(1), delay=DAY), delayed)
        host = node.engine.hosts[f"bench/{name}"]
        before, clock.offset = host.counters.done, 2 * DAY * SECOND
        while host.counters.done == before:
            await asyncio.sleep(0.005)
        begin, first = time.perf_counter(), host.counters.done
        while time.perf_counter() - begin < seconds and host.depth.count:
            await asyncio.sleep(0.005)
        taken = time.perf_counter() - begin
        _leave(found | {"wake_ms": 1000 * taken / max(1, host.counters.done - first)})
    raise AssertionError("unreachable")


def _leave(figures: dict[str, float]) -> None:
    from benchmarks.child import answer

    answer({"figures": figures})
    os._exit(0)  # a hundred thousand would have to come to their end


def seed_sleeping(params: Mapping[str, Any]) -> dict[str, float]:
    return run(_sleep(params["prepared"], params["runs"]))


def idle(params: Mapping[str, Any]) -> dict[str, float]:
    return run(_resume(params["folder"], "sink", params["delayed"], params["seconds"]))


def sleeping(params: Mapping[str, Any]) -> dict[str, float]:
    return run(_resume(params["prepared"], "sleeper", 0, params["seconds"]))


# A long history ----------------------------------------------------------------------------------------------


async def _lengthen(folder: str, steps: int) -> dict[str, float]:
    async with _flow().running(transport="sqlite", store=folder) as node:
        await node.target("long", Ping).send(Ping(steps))
        host = node.engine.hosts["bench/desk"]
        while host.counters.done < steps:
            await asyncio.sleep(0.05)
    return {}


def seed_long(params: Mapping[str, Any]) -> dict[str, float]:
    return run(_lengthen(params["prepared"], params["steps"]))


def read(params: Mapping[str, Any]) -> dict[str, float]:
    """Bare: the rows of the history are read and decoded, and no more."""
    begin = time.perf_counter()
    db = apsw.Connection(str(Path(params["prepared"]) / "junctor.db"), flags=apsw.SQLITE_OPEN_READONLY)
    for (data,) in db.execute("SELECT data FROM turn ORDER BY run, number"):
        json.loads(data)
    return {"seconds": time.perf_counter() - begin}


async def _replay(folder: str, steps: int) -> dict[str, float]:
    async with _flow().running(transport="sqlite", store=folder) as node:
        begin = time.perf_counter()
        count = await node.call("long", "count", run=str(steps))
        seconds = time.perf_counter() - begin
    if count < steps - 1:
        raise RuntimeError(f"{steps} steps were made, the run knows of {count}")
    return {"seconds": seconds}


def replayed(params: Mapping[str, Any]) -> dict[str, float]:
    return run(_replay(params["prepared"], params["steps"]))
