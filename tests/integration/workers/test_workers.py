"""One worker process through the worker protocol: results, savepoints, state, logs, and its sudden end."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from junctor.core.policy import RetryPolicy
from junctor.core.port import Link
from junctor.errors import RequestFailed
from junctor.flows.model import FlowModel
from junctor.flows.wiring import wire
from junctor.messages import Status
from junctor.runtime.engine import Engine
from junctor.runtime.port import EnginePort
from junctor.transports.base import Query, Transport
from junctor.transports.memory import MemoryTransport
from junctor.transports.sqlite import SqliteTransport
from tests.integration.workers.services import Crunch, Job, Note, Notes, Oracle, Worked

FAST = RetryPolicy(attempts=2, initial=0.01, max=0.05)


@asynccontextmanager
async def running(transport: Transport) -> AsyncIterator[tuple[Engine, EnginePort, Link]]:
    flow = FlowModel("w")
    flow.add(Crunch(factor=3), isolate="worker", retry=FAST)
    flow.add(Oracle())
    flow.add(Notes())
    engine = Engine(transport)
    await engine.open()
    engine.add(wire(flow).plan)
    await engine.start()
    try:
        port = engine.client()
        yield engine, port, port.link_to("crunch", Job, Worked)
    finally:
        await engine.stop(grace=3)


@pytest.fixture(params=["memory", "sqlite"])
def transport(request: pytest.FixtureRequest, tmp_path: Path) -> Transport:
    return MemoryTransport() if request.param == "memory" else SqliteTransport(tmp_path / "store")


async def settled(engine: Engine) -> None:
    async with asyncio.timeout(10):
        while any(host.depth.count for host in engine.hosts.values()):
            await asyncio.sleep(0.01)
    # The queue goes on before the disk has the last settlement: wait for a commit behind it.
    await engine.committed()


async def test_a_worker_handles_requests_with_settings_state_and_requests_of_its_own(transport: Transport) -> None:
    async with running(transport) as (engine, port, crunch):
        first = await port.request(crunch, Job(1))
        second = await port.request(crunch, Job(2))
        await settled(engine)

        assert (first.number, second.number) == (6, 9)
        assert (first.total, second.total) == (1, 2), "state is committed by the node and comes with the next delivery"
        assert first.pid == second.pid != os.getpid()
        assert sorted(transport.state("w/notes", "")) == ["after 1", "after 2", "before 1", "before 2"]


async def test_what_a_worker_logs_is_part_of_the_trace(transport: Transport) -> None:
    async with running(transport) as (engine, port, crunch):
        await port.request(crunch, Job(5))
        await settled(engine)

        (record,) = [r for r in transport.archive.search(Query(type="Job")) if r.status is Status.DONE]
        session = transport.archive.session(record.message.session)
        assert {r.message.type for r in session} == {"Job", "Question", "Note"}
        assert "asked for 5" in [log.line.text for log in transport.archive.logs(record.message.session)]


async def test_a_worker_that_dies_costs_attempts_of_its_own_message_only(transport: Transport) -> None:
    async with running(transport) as (engine, port, crunch):
        fatal = port.request(crunch, Job(1, fatal=True))
        others = [port.request(crunch, Job(number)) for number in (2, 3)]

        with pytest.raises(RequestFailed, match="SIGKILL"):
            await fatal
        assert [(await other).number for other in others] == [9, 12]
        (parked,) = transport.archive.parked()
        assert (parked.service, parked.error, parked.count) == ("w/crunch", "WorkerLost", 1)
        assert len(transport.archive.attempts([parked.latest_seq])) == 2


async def test_a_failed_attempt_leaves_no_sends_but_its_savepoint(transport: Transport) -> None:
    async with running(transport) as (engine, port, crunch):
        worker = engine.hosts["w/crunch"].slots[0]
        reply = await port.request(crunch, Job(7))
        await port.send(port.link_to("notes", Note), Note("direct"))
        await settled(engine)

        assert worker.pid == reply.pid  # type: ignore[attr-defined]
        assert sorted(transport.state("w/notes", "")) == ["after 7", "before 7", "direct"]
