"""What travels beside a body is short, and an idempotency key says something."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

import pytest

from junctor.core.policy import QueuePolicy
from junctor.errors import BodyTooLarge, RequestFailed, SendError
from junctor.flows.model import FlowModel
from junctor.flows.wiring import wire
from junctor.messages import Status
from junctor.runtime.engine import Engine
from junctor.services import Service, handler, subscribe
from junctor.transports.base import Query, Transport
from junctor.transports.memory import MemoryTransport
from junctor.transports.sqlite import SqliteTransport


class Sink(Service):
    @handler
    async def take(self, body: dict[str, int]) -> str:
        return "x" * body["size"]


@dataclass(frozen=True)
class Drop:
    number: int


class Storm(Service):
    @subscribe
    async def again(self, drop: Drop) -> None:
        await self.publish(Drop(drop.number + 1))
        await self.publish(Drop(drop.number + 2))


async def engine_of(*services: Service, limit: int = 1000, transport: Transport | None = None) -> Engine:
    flow = FlowModel("f")
    for service in services:
        flow.add(service, queue=QueuePolicy(limit=limit, wait=0.1))
    engine = Engine(transport or MemoryTransport())
    await engine.open()
    engine.add(wire(flow).plan)
    await engine.start()
    return engine


async def test_an_empty_idempotency_key_is_refused() -> None:
    engine = await engine_of(Sink())
    port = engine.client()
    with pytest.raises(SendError, match="idempotency key is empty. Leave it out"):
        port.send(port.link_to("sink", dict[str, int]), {"size": 1}, idempotency_key="")
    await engine.stop()


LONG = {"key": "k" * 2000}, {"idempotency_key": "k" * 2000}, {"headers": {"h": "x" * 20_000}}


@pytest.mark.parametrize("label", LONG, ids=lambda label: next(iter(label)))
async def test_long_labels_are_refused(label: dict[str, str]) -> None:
    engine = await engine_of(Sink())
    port = engine.client()
    with pytest.raises(BodyTooLarge, match="belongs into the body"):
        port.send(port.link_to("sink", dict[str, int]), {"size": 1}, **label)  # type: ignore[arg-type]
    await engine.stop()


async def test_a_reply_that_is_too_large_parks_its_message(tmp_path: Path) -> None:
    engine = await engine_of(Sink(), transport=SqliteTransport(tmp_path / "store"))
    engine.dispatcher.max_body = 1000
    port = engine.client()
    with pytest.raises(RequestFailed, match="has 1003 bytes, the limit is 1000"):
        await port.request(port.link_to("sink", dict[str, int]), {"size": 1001})
    (parked,) = engine.transport.archive.parked()
    assert parked.error == "BodyTooLarge"
    await engine.stop()


async def test_a_service_that_floods_its_own_queue_parks_instead_of_waiting_for_itself() -> None:
    engine = await engine_of(Storm(), limit=8)
    port = engine.client()
    await port.send(port.link_to("storm", Drop), Drop(0))

    def parked() -> bool:
        return bool(engine.transport.archive.search(Query(statuses=(Status.PARKED,), limit=1)))

    async with asyncio.timeout(10):
        while not parked():
            await asyncio.sleep(0.01)
    state = engine.hosts["f/storm"].lifecycle.state.value
    await engine.stop(grace=0.2)
    assert state == "running", "it is not held for ever"
