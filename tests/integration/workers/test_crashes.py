"""Code that ends its process: each time one attempt of one delivery, and nothing of its neighbours."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from junctor.core.policy import RestartPolicy, RetryPolicy
from junctor.errors import RequestFailed
from junctor.flows.model import FlowModel
from junctor.flows.wiring import wire
from junctor.messages import Status
from junctor.runtime.engine import Engine
from junctor.runtime.port import EnginePort
from junctor.transports.base import Query
from junctor.transports.memory import MemoryTransport
from junctor.transports.sqlite import SqliteTransport
from tests.integration.workers.deadly import Deadly, Deed

ROOT = Path(__file__).parents[3]
TWICE = RetryPolicy(attempts=2, initial=0.001, jitter=0)
ONCE = RetryPolicy(attempts=1)
AT_ONCE = RestartPolicy(initial=0.001, max=0.01)


@asynccontextmanager
async def running(folder: Path | None = None, **policies: Any) -> AsyncIterator[tuple[Engine, EnginePort, Any]]:
    flow = FlowModel("w")
    flow.add(Deadly, isolate="worker", **{"retry": TWICE, "restart": AT_ONCE, **policies})
    engine = Engine(SqliteTransport(folder) if folder is not None else MemoryTransport())
    await engine.open()
    engine.add(wire(flow).plan)
    await engine.start()
    try:
        port = engine.client()
        yield engine, port, port.link_to("deadly", Deed, int)
    finally:
        await engine.stop(grace=1)


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ("kill", "WorkerLost: .*SIGKILL"),
        ("segv", "WorkerLost: .*SIGSEGV"),
        ("abort", "WorkerLost: .*SIGABRT"),
        ("exit", "WorkerLost: .*exit code 3"),
        ("close", "WorkerLost: .*connection"),
        ("shutdown", "WorkerLost: .*connection"),
        ("garbage", "WorkerLost: .*no frame"),
        ("thread", "WorkerLost: .*SIGKILL"),
        ("memory", "MemoryError"),
        ("recursion", "RecursionError"),
        ("sysexit", "SystemExit: 4"),
        ("raise", "ValueError: just so"),
        ("park", "Park: no use"),
    ],
)
async def test_each_end_costs_one_attempt_of_one_delivery(how: str, told: str) -> None:
    twice = how == "kill"
    async with running(retry=TWICE if twice else ONCE) as (engine, port, deadly):
        asked = [port.request(deadly, Deed("", n)) for n in range(3)]
        fatal = port.request(deadly, Deed(how))
        asked += [port.request(deadly, Deed("", n)) for n in range(3, 9)]

        with pytest.raises(RequestFailed, match=told):
            await fatal
        assert all([await one for one in asked])
        (parked,) = engine.transport.archive.parked()
        attempts = engine.transport.archive.attempts([parked.latest_seq])
        assert len(attempts) == (2 if twice else 1)
        done = [r for r in engine.transport.archive.search(Query(type="Deed")) if r.status is Status.DONE]
        assert [record.attempt for record in done] == [1] * 9, "a neighbour lost an attempt"


async def test_where_the_interpreter_crashed_is_kept_with_the_message() -> None:
    async with running() as (engine, port, deadly):
        with pytest.raises(RequestFailed):
            await port.request(deadly, Deed("segv"))
        (parked,) = engine.transport.archive.parked()
        (_, last) = engine.transport.archive.attempts([parked.latest_seq])
        assert "Segmentation fault" in last.failure.traceback
        assert "deadly.py" in last.failure.traceback


async def test_what_it_logged_before_it_died_is_in_the_trace() -> None:
    async with running() as (engine, port, deadly):
        with pytest.raises(RequestFailed):
            await port.request(deadly, Deed("kill", 7))
        (parked,) = engine.transport.archive.parked()
        record = engine.transport.archive.record(parked.latest_seq)
        assert record is not None
        lines = [log.line.text for log in engine.transport.archive.logs(record.message.session)]
        assert lines.count("kill 7") == 2, lines


@pytest.mark.parametrize("how", ["print", "fork", "term"])
async def test_odd_habits_do_no_harm(how: str) -> None:
    async with running() as (engine, port, deadly):
        assert await port.request(deadly, Deed(how)) == await port.request(deadly, Deed(""))


async def test_a_handler_that_never_returns_is_ended_with_its_service_and_its_message_kept() -> None:
    async with running(retry=RetryPolicy(attempts=1)) as (engine, port, deadly):
        await port.send(deadly, Deed("spin"))
        host = engine.hosts["w/deadly"]
        while not host.in_flight:
            await asyncio.sleep(0.01)
        before = host.slots[0].pid
        await host.restart(grace=0.1)
        while not host.in_flight:
            await asyncio.sleep(0.01)
        assert host.slots[0].pid != before
        assert not Path(f"/proc/{before}").exists()
        assert not engine.transport.archive.parked(), "a restart costs no attempt"


async def test_what_went_to_a_worker_behind_one_that_never_returns_is_done_by_another() -> None:
    async with running(pool=2) as (engine, port, deadly):
        await asyncio.gather(*(port.request(deadly, Deed("", n)) for n in range(200)))  # short ones: many go at once
        await port.send(deadly, Deed("spin"))
        behind = [port.request(deadly, Deed("", n)) for n in range(100)]
        assert len({await one for one in behind}) >= 1
        assert engine.hosts["w/deadly"].in_flight == 1
        assert not engine.hosts["w/deadly"].restarts


async def test_a_pause_takes_back_what_has_not_begun() -> None:
    async with running() as (engine, port, deadly):
        await asyncio.gather(*(port.request(deadly, Deed("", n)) for n in range(200)))
        host = engine.hosts["w/deadly"]
        await asyncio.gather(*(port.send(deadly, Deed("nap", n)) for n in range(16)))
        while not host.in_flight:
            await asyncio.sleep(0)
        host.pause("by the test")
        while host.in_flight:
            await asyncio.sleep(0.01)
        assert host.depth.count >= 13, "at most the one that ran, and what began before the pause was heard"
        await host.resume()
        while host.depth.count:
            await asyncio.sleep(0.01)
        assert host.counters.done == 216


def test_a_node_that_is_killed_takes_its_workers_along(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.integration.workers.program", str(tmp_path / "store")]
    with subprocess.Popen(command, cwd=ROOT, env={"PYTHONPATH": f"{ROOT}/src:{ROOT}"}, stdout=subprocess.PIPE) as node:
        assert node.stdout is not None
        pids = [int(pid) for pid in node.stdout.readline().split()]
        node.kill()
    assert len(pids) == 2
    end = time.monotonic() + 10
    while any(map(is_running, pids)):
        assert time.monotonic() < end, "a worker outlives its node"
        time.sleep(0.01)


def is_running(pid: int) -> bool:
    """A zombie is none: who should reap it may be anybody."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


async def test_two_workers_do_not_share_a_fate(tmp_path: Path) -> None:
    async with running(tmp_path / "store", pool=2) as (engine, port, deadly):
        asked = [port.request(deadly, Deed("" if n % 5 else "kill", n)) for n in range(10)]
        ended = await asyncio.gather(*asked, return_exceptions=True)

        assert [isinstance(one, RequestFailed) for one in ended] == [n % 5 == 0 for n in range(10)]
        assert len({one for one in ended if isinstance(one, int)}) >= 2
