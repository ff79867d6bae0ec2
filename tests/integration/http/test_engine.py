"""The listener in front of a real engine: what a client sees, and what the trace keeps of it."""

from __future__ import annotations

import asyncio
import logging
import random
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from junctor import Service, Target, action, get, handler, post
from junctor.core.spec import FlowPlan, ServicePlan, Wire
from junctor.http import HttpError
from junctor.http.app import Site
from junctor.http.listening.listener import Listener
from junctor.http.pages.health import open_health
from junctor.http.pages.index import open_index
from junctor.http.pages.metrics import open_metrics
from junctor.messages import TypeRegistry
from junctor.observe.logs import join_hops
from junctor.runtime.engine import Engine
from junctor.services.native import spec_of
from junctor.transports.memory import MemoryTransport
from tests.integration.http.client import call, raw


@dataclass(frozen=True)
class Reading:
    sensor: str
    value: float


class Store(Service):
    @handler
    async def keep(self, reading: Reading) -> Reading:
        self.log.info("kept %s", reading.sensor)
        return reading


class Door(Service):
    readings: Target[Reading, Reading]

    @get("/thread")
    def thread(self, n: int = 1) -> list[Any]:
        return [n, threading.current_thread() is threading.main_thread()]

    @post("/readings", status=201)
    async def put(self, reading: Reading) -> Reading:
        self.log.info("got %s", reading.sensor)
        return await self.readings.request(reading)

    @get("/refused")
    async def refused(self) -> None:
        raise HttpError("no such sensor", status=404)

    @get("/broken")
    async def broken(self) -> None:
        raise ValueError("secret detail")

    @action(name="set-limit")
    async def set_limit(self, limit: float) -> float:
        return limit


@asynccontextmanager
async def serving(**limits: Any) -> AsyncIterator[tuple[Engine, Listener]]:
    engine = Engine(MemoryTransport())
    await engine.open()
    plans = (
        ServicePlan(spec=spec_of(Store(), "store")),
        ServicePlan(spec=spec_of(Door(), "door"), connect={"readings": (Wire("plant/store"),)}),
    )
    engine.add(FlowPlan(name="plant", types=TypeRegistry(), services=plans))
    site = Site()
    open_health(site.routes, engine)
    open_metrics(site.routes, engine, lambda: site.requests, name="n1")
    open_index(site.routes, engine)
    for host in engine.hosts.values():
        site.attach(host)
    listener = Listener(site, spawn=engine.supervisor.start)
    undo = join_hops()
    await listener.start()
    await engine.start()
    try:
        yield engine, listener
    finally:
        undo()
        await listener.stop(1.0)
        await engine.stop(1.0)


async def test_a_request_is_the_first_hop_of_its_session(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with serving() as (engine, listener):
        answer = await call(listener.port, "POST", "/readings", b'{"sensor":"a","value":1}')
        assert (answer.status, answer.json) == (201, {"sensor": "a", "value": 1.0})
        session = int(answer.headers["junctor-session"], 16)
        records = engine.transport.archive.session(session)
        assert [record.message.target for record in records] == ["plant/door", "plant/store"]
        assert records[1].message.cause == records[0].message.seq
        lines = [log.line.text for log in engine.transport.archive.logs(session)]
        assert sorted(lines) == ["got a", "kept a"]


async def test_the_trace_of_the_caller_is_the_session() -> None:
    async with serving() as (engine, listener):
        trace = "0af7651916cd43dd8448eb211c80319c"
        headers = {"traceparent": f"00-{trace}-b7ad6b7169203331-01"}
        await call(listener.port, "POST", "/readings", b'{"sensor":"a","value":1}', headers)
        assert len(engine.transport.archive.session(int(trace, 16))) == 2


async def test_blocking_routes_and_actions() -> None:
    async with serving() as (_, listener):
        assert (await call(listener.port, "GET", "/thread?n=5")).json == [5, False]
        assert (await call(listener.port, "POST", "/door/set-limit", b'{"limit":2}')).json == 2.0


async def test_failures_are_recorded_and_told_without_their_text(caplog: pytest.LogCaptureFixture) -> None:
    async with serving() as (engine, listener):
        answer = await call(listener.port, "GET", "/broken")
        assert (answer.status, answer.code) == (500, "handler-failed") and b"secret" not in answer.body
        record = engine.transport.archive.session(int(answer.json["session"], 16))[0]
        assert record.failure is not None and record.failure.text == "secret detail"
        assert [one.levelno for one in caplog.records if one.name == "junctor.http"][-1] == logging.ERROR
        assert (await call(listener.port, "GET", "/refused")).status == 404


async def test_ready_metrics_and_index_of_an_engine() -> None:
    async with serving() as (engine, listener):
        await call(listener.port, "GET", "/thread")
        ready = await call(listener.port, "GET", "/health/ready")
        assert (ready.status, ready.json["reasons"]) == (200, [])
        metrics = (await call(listener.port, "GET", "/metrics")).body.decode()
        assert 'junctor_calls_total{flow="plant",service="door"} 1' in metrics
        assert 'junctor_service_state{flow="plant",service="door",state="running"} 1' in metrics
        index = (await call(listener.port, "GET", "/")).json
        assert [one["service"] for one in index["services"]] == ["plant/store", "plant/door"]
        stopping = asyncio.ensure_future(engine.stop(1.0))
        await asyncio.sleep(0.05)
        refused = await call(listener.port, "GET", "/thread")
        assert (refused.status, refused.code) == (503, "service-stopped")
        await stopping


async def test_noise_on_the_socket_breaks_nothing() -> None:
    """Requests with bytes changed, cut or doubled: an answer below 500 or a closed connection, and the node lives."""
    rng = random.Random(20)
    seeds = [
        b"GET /thread?n=5 HTTP/1.1\r\nhost: localhost\r\n\r\n",
        b'POST /readings HTTP/1.1\r\nhost: localhost\r\ncontent-length: 24\r\n\r\n{"sensor":"a","value":1}',
        b"POST /door/set-limit HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n"
        b'b\r\n{"limit":2}\r\n0\r\n\r\n',
    ]

    def spoiled() -> bytes:
        data = bytearray(rng.choice(seeds))
        for _ in range(rng.randint(1, 4)):
            at = rng.randrange(len(data))
            data[at : at + rng.randint(0, 3)] = rng.randbytes(rng.randint(0, 3))
        return bytes(data)

    async def shout(port: int) -> int:
        try:
            return (await raw(port, spoiled() + b"\r\n\r\n", until=0.2)).status
        except (asyncio.IncompleteReadError, TimeoutError, ConnectionError):
            return 0

    async with serving() as (_, listener):
        statuses = [
            status for _ in range(20) for status in await asyncio.gather(*(shout(listener.port) for _ in range(20)))
        ]
        assert max(statuses) < 500 and statuses.count(400) > 20
        assert (await call(listener.port, "GET", "/thread")).status == 200
