"""Conditions in a running engine: in memory, in a store, from a delivery, from outside, from a worker process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import pytest

from junctor.core.port import Link
from junctor.core.records import Query, Record
from junctor.errors import NoRoute, RequestFailed
from junctor.flows import FlowModel, wire
from junctor.flows.wires import when
from junctor.messages import CONDITION, Status
from junctor.runtime.engine import Engine
from junctor.runtime.port import EnginePort
from junctor.transports.base import Transport
from junctor.transports.memory import MemoryTransport
from junctor.transports.sqlite import SqliteTransport
from tests.integration.runtime.routed import Alarm, Ask, Batch, Log, Low, Reading, Sorter, Verdict

ALARM = "body.value > 80 && body.tags.room == 'a'"


@pytest.fixture(params=["memory", "sqlite"])
def transport(request: pytest.FixtureRequest, tmp_path: Path) -> Transport:
    return MemoryTransport() if request.param == "memory" else SqliteTransport(tmp_path / "store")


@asynccontextmanager
async def sorting(
    transport: Transport, isolation: Literal["node", "worker"] = "node"
) -> AsyncIterator[tuple[Engine, EnginePort]]:
    """A service that sends on what it gets, over conditions."""
    flow = FlowModel("f")
    connect = {
        "readings": [when("alarm", ALARM), when("log", "body.value > 50")],
        "judges": [when("high", "body.value > 80 && body.tags.room == 'a'"), when("low", "body.value > 10")],
    }
    flow.add(Sorter, connect=connect, isolate=isolation)
    flow.add(Alarm)
    flow.add(Log)
    flow.add(Low, "high")
    flow.add(Low)
    engine = Engine(transport)
    await engine.open()
    engine.add(wire(flow).plan)
    await engine.start()
    try:
        yield engine, engine.client()
    finally:
        await engine.stop(grace=3)


async def settled(engine: Engine) -> None:
    async with asyncio.timeout(15):
        while any(host.depth.count for host in engine.hosts.values()):
            await asyncio.sleep(0.01)
    await engine.committed()


def at(engine: Engine, service: str) -> list[Record]:
    found = engine.transport.archive.search(Query(service=f"f/{service}", limit=1000))
    return [record for record in found if record.message.target == f"f/{service}"]


def values(records: list[Record], status: Status) -> list[float]:
    return sorted(record.message.body["value"] for record in records if record.status is status)


def link(port: EnginePort, request: Any, reply: Any = None) -> Link:
    return port.link_to("f/sorter", request, reply)


@pytest.mark.parametrize("isolation", ["node", "worker"])
async def test_each_message_goes_where_its_conditions_say_and_none_is_lost(
    transport: Transport, isolation: Literal["node", "worker"]
) -> None:
    batch = Batch(
        [
            Reading("low", 10, {"room": "a"}),
            Reading("middle", 60, {"room": "a"}),
            Reading("high", 90, {"room": "a"}),
            Reading("elsewhere", 91, {"room": "b"}),
            Reading("unknown", 92, {}),
        ]
    )
    async with sorting(transport, isolation) as (engine, port):
        await port.send(link(port, Batch), batch)
        await settled(engine)
        alarm, log = at(engine, "alarm"), at(engine, "log")
        assert values(alarm, Status.DONE) == [90]
        assert values(alarm, Status.PARKED) == [92], "the one that nobody could judge waits where it would have gone"
        assert values(log, Status.DONE) == [60, 90, 91, 92], "the other conditions are not touched by it"
        (parked,) = [record for record in alarm if record.status is Status.PARKED]
        assert parked.failure is not None and parked.failure.type == "ConditionFailed"
        assert ALARM in parked.failure.text and "there is no 'room' in this message" in parked.failure.text
        assert "sorter.readings" in parked.failure.text
        assert parked.message.headers[CONDITION] in parked.failure.text
        assert parked.attempt == 1, "no further attempt would help"
        assert engine.hosts["f/alarm"].counters.parked == 1


@pytest.mark.parametrize("isolation", ["node", "worker"])
async def test_a_request_is_routed_by_its_content(transport: Transport, isolation: Literal["node", "worker"]) -> None:
    async with sorting(transport, isolation) as (engine, port):
        asking = link(port, Ask, Verdict)
        assert await port.request(asking, Ask(90, {"room": "a"})) == Verdict("f/high")
        assert await port.request(asking, Ask(60, {"room": "a"})) == Verdict("f/low")
        with pytest.raises(RequestFailed) as nowhere:
            await port.request(asking, Ask(1, {"room": "a"}))
        assert NoRoute.__name__ in str(nowhere.value) and "none of its conditions holds" in str(nowhere.value)
        with pytest.raises(RequestFailed) as failed:
            await port.request(asking, Ask(90, {}))
        assert "RequestFailed" in str(failed.value)
        await settled(engine)
        assert [record.failure.type for record in at(engine, "high") if record.failure] == ["ConditionFailed"]


async def test_outside_a_delivery_the_receipt_tells_whether_it_went_anywhere(transport: Transport) -> None:
    async with sorting(transport) as (engine, port):
        enter = engine.hosts["f/sorter"]
        sorter = enter.slots[0].instance
        assert await sorter.readings.send(Reading("cpu", 1)) is None
        receipt = await sorter.readings.send(Reading("cpu", 60, {"room": "b"}))
        assert receipt is not None and receipt.id
        with pytest.raises(NoRoute):
            sorter.judges.request(Reading("cpu", 1))
        in_thread = await asyncio.to_thread(lambda: sorter.readings.send(Reading("cpu", 61, {"room": "b"})).result())
        assert in_thread is not None
        await settled(engine)
        assert values(at(engine, "log"), Status.DONE) == [60, 61]


async def test_a_service_that_passes_on_the_headers_of_a_message_passes_on_no_mark_of_the_engine(
    transport: Transport,
) -> None:
    async with sorting(transport) as (engine, port):
        reserved = {CONDITION: "made up", "Junctor-Condition": "made up", "junctor-handler": "nothing", "who": "me"}
        way = port.link_to("f/log", Reading)
        await port.send(way, Reading("cpu", 1.0), headers=reserved)
        await port.request(way, Reading("cpu", 2.0), headers=reserved)
        await settled(engine)
        assert values(at(engine, "log"), Status.DONE) == [1.0, 2.0]
        assert [dict(record.message.headers) for record in at(engine, "log")] == [{"who": "me"}] * 2
