"""Streams of a real engine: the trace, the limits, services with a loop of their own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest

from junctor import Service, Target, get, handler
from junctor.core.lifecycle import State
from junctor.core.spec import FlowPlan, ServicePlan, Wire
from junctor.http.app import Site
from junctor.http.endpoints import end_streams
from junctor.http.listening.listener import Listener
from junctor.messages import TypeRegistry, session_text
from junctor.observe.logs import join_hops
from junctor.runtime.engine import Engine
from junctor.services.native import spec_of
from junctor.transports.memory import MemoryTransport
from tests.integration.http.client import call
from tests.integration.http.test_streams import reading, whole


@dataclass(frozen=True)
class Reading:
    value: int


class Store(Service):
    @handler
    async def keep(self, reading: Reading) -> None: ...


class Source(Service):
    readings: Target[Reading]

    @get("/numbers")
    async def numbers(self, count: int) -> AsyncIterator[int]:
        for number in range(count):
            await self.readings.send(Reading(number))
            self.log.warning("sent %d", number)
            yield number

    @get("/blocking")
    def blocking(self, count: int) -> Iterator[str]:
        for number in range(count):
            self.readings.send(Reading(number))
            yield f"{number} {threading.current_thread().name}\n"

    @get("/returned")
    async def returned(self, count: int) -> Any:
        return self.numbers(count)

    @get("/large")
    async def large(self) -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b"x" * 10_000

    @get("/fails")
    async def fails(self) -> AsyncIterator[int]:
        yield 1
        raise ValueError("no more")

    @get("/waits")
    async def waits(self) -> AsyncIterator[int]:
        try:
            yield 1
            await asyncio.sleep(3600)
        finally:
            self.log.warning("it ended")


@asynccontextmanager
async def serving(loop: Any = "shared") -> AsyncIterator[tuple[Engine, int]]:
    engine = Engine(MemoryTransport())
    await engine.open()
    spec = msgspec.structs.replace(spec_of(Source(), "source"), loop=loop)
    plans = (
        ServicePlan(spec=spec_of(Store(), "store")),
        ServicePlan(spec=spec, connect={"readings": (Wire("plant/store"),)}),
    )
    engine.add(FlowPlan(name="plant", types=TypeRegistry(), services=plans))
    site = Site()
    for host in engine.hosts.values():
        site.attach(host)
    listener = Listener(site, spawn=engine.supervisor.start)
    undo = join_hops()
    await listener.start()
    await engine.start()
    try:
        yield engine, listener.port
    finally:
        undo()
        await listener.stop(1.0)
        await engine.stop(1.0)


def session_in(head: str) -> int:
    return int(head.partition("junctor-session: ")[2][:32], 16)


@pytest.mark.parametrize("loop", ["shared", "own"])
@pytest.mark.parametrize("path", ["/numbers", "/returned"])
async def test_what_a_stream_sends_and_logs_is_one_session(loop: str, path: str) -> None:
    async with serving(loop) as (engine, port):
        _, head, body = await whole(port, f"{path}?count=3")
        assert body == b"0\n1\n2\n"
        session = session_in(head)
        targets = [record.message.target for record in engine.transport.archive.session(session)]
        assert targets.count("plant/store") == 3, (targets, session_text(session))
        lines = [log.line.text for log in engine.transport.archive.logs(session)]
        assert sorted(lines) == ["sent 0", "sent 1", "sent 2"]
        host = engine.hosts["plant/source"]
        assert (host.calls.running, host.calls.lasting, host.counters.failed) == (0, 0, 0)


async def test_a_plain_generator_stays_in_its_thread() -> None:
    async with serving() as (engine, port):
        _, head, body = await whole(port, "/blocking?count=3")
        names = {line.partition(" ")[2] for line in body.decode().splitlines()}
        assert len(names) == 1 and names.pop().startswith("plant/source call")
        targets = [one.message.target for one in engine.transport.archive.session(session_in(head))]
        assert targets.count("plant/store") == 3


@pytest.mark.parametrize("loop", ["shared", "own"])
async def test_a_large_stream_arrives_whole(loop: str) -> None:
    async with serving(loop) as (_, port):
        assert (await whole(port, "/large"))[2] == b"x" * 1_000_000


async def test_a_failure_is_in_the_trace() -> None:
    async with serving() as (engine, port), reading(port, "/fails") as client:
        await client.head()
        with pytest.raises(asyncio.IncompleteReadError):
            await client.rest()
        assert engine.hosts["plant/source"].counters.failed == 1
        (record,) = engine.transport.archive.session(session_in(client.headers))
        assert record.message.target == "plant/source"


@pytest.mark.parametrize("loop", ["shared", "own"])
@pytest.mark.parametrize("ends", ["client", "service"])
async def test_who_leaves_is_no_failure(loop: str, ends: str, caplog: pytest.LogCaptureFixture) -> None:
    async with serving(loop) as (engine, port):
        host = engine.hosts["plant/source"]
        async with reading(port, "/waits") as client:
            await (await client.head()).chunk()
            assert (host.calls.running, host.calls.lasting) == (0, 1)
            if ends == "service":
                end_streams(host)
                with pytest.raises(asyncio.IncompleteReadError):
                    await client.rest()
        async with asyncio.timeout(10):
            while host.calls.lasting:
                await asyncio.sleep(0.01)
        assert host.counters.failed == 0 and host.lifecycle.state is State.RUNNING
        assert "it ended" in caplog.text


async def test_a_stream_refused_for_want_of_room_is_503() -> None:
    async with serving() as (engine, port):
        host = engine.hosts["plant/source"]
        host.calls.lasting = host.spec.policies.pool.calls
        answer = await call(port, "GET", "/numbers?count=1")
        assert answer.status == 503 and "streams run already" in answer.json["detail"]
        host.calls.lasting = 0
