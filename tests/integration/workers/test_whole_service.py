"""Everything of a service runs in its worker, with the effects that it has in the node."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from junctor.core.lifecycle import State
from junctor.core.policy import HoldPolicy, RestartPolicy, RetryPolicy
from junctor.errors import WorkerLost
from junctor.flows.model import FlowModel
from junctor.flows.wiring import wire
from junctor.http.problem import HttpError
from junctor.messages import Kind
from junctor.node.views.status import status_of
from junctor.runtime.engine import Engine
from junctor.runtime.host import Host
from junctor.runtime.scheduler import tick
from junctor.transports.base import Query
from junctor.transports.sqlite import SqliteTransport
from tests.integration.workers.living import (
    Ask,
    Book,
    Broken,
    Counting,
    Keyed,
    Line,
    Living,
    Looping,
    Named,
    Place,
    Reaching,
)
from tests.integration.workers.many import Entry

SOON = RestartPolicy(limit=2, initial=0.01, max=0.02)


@asynccontextmanager
async def running(folder: Path, kind: Any, **policies: Any) -> AsyncIterator[tuple[Engine, Host]]:
    flow = FlowModel("w")
    flow.add(kind, "one", isolate="worker", **{"restart": SOON, **policies})
    flow.add(Book)
    flow.add(Ask)
    engine = Engine(SqliteTransport(folder / "store"))
    await engine.open()
    engine.add(wire(flow).plan)
    await engine.start()
    try:
        yield engine, engine.hosts["w/one"]
    finally:
        await engine.stop(grace=2)


async def until(what: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not what():
            await asyncio.sleep(0.01)


def lines(engine: Engine) -> set[str]:
    return set(engine.transport.state("w/book", ""))


async def call(host: Host, name: str, **arguments: Any) -> Any:
    spec = next(action for action in host.spec.actions if action.name == name)
    entered = await host.enter(Kind.ACTION, name, host.bound(spec), spec.blocking, kwargs=arguments)
    return entered.value


async def test_handlers_ticks_actions_and_routes_share_the_instance_in_the_worker(tmp_path: Path) -> None:
    async with running(tmp_path, Living) as (engine, host):
        port = engine.client()
        await port.send(port.link_to("one", Line), Line("hello"))
        await until(lambda: "handled hello" in lines(engine))

        assert await call(host, "memory") == ["hello"]
        assert await call(host, "tell", place=Place("Kiel"), times=2) == [Place("Kiel"), Place("Kiel")]
        (route,) = host.spec.routes
        named = await host.enter(Kind.ROUTE, "who", host.bound(route), False, kwargs={"name": "me"})
        assert named.value == Named("me", host.slots[0].pid)  # type: ignore[attr-defined]
        assert named.value.pid != os.getpid()
        (schedule,) = host.spec.schedules
        assert await tick(host, schedule) is None
        assert await tick(host, schedule) is None
        await until(lambda: {"started", "tick 2", "action Kiel"} <= lines(engine))
        assert engine.transport.state("w/one", "")["ticks"][0] == b"2"
        assert await call(host, "other_state", key="nobody") == {}
        assert host.slots[0].instance is None, "the node has made one too"


async def test_state_is_that_of_the_key_and_of_others_when_asked(tmp_path: Path) -> None:
    async with running(tmp_path, Keyed, pool=2, key="key") as (engine, host):
        port = engine.client()
        link = port.link_to("one", Entry, int)
        counts = await asyncio.gather(*(port.request(link, Entry(key, 1)) for key in "abaca"))  # type: ignore[call-overload]
        assert counts == [1, 1, 2, 1, 3]
        await engine.committed()
        assert [await call(host, "total", key=key) for key in "abcd"] == [3, 1, 1, 0]


async def test_lines_of_a_call_are_in_its_trace(tmp_path: Path) -> None:
    async with running(tmp_path, Living) as (engine, host):
        port = engine.client()
        await port.send(port.link_to("one", Line), Line("x"))
        await call(host, "tell", place=Place("Kiel"))
        await until(lambda: "handled x" in lines(engine))
        await engine.committed()
        archive = engine.transport.archive
        logged = {
            (log.service, log.line.text)
            for record in archive.search(Query(service="w/one"))
            for log in archive.logs(record.message.session)
        }
        assert logged == {("w/one", "printed x"), ("w/one", "told")}


async def test_errors_of_calls_are_those_of_the_node(tmp_path: Path) -> None:
    async with running(tmp_path, Living) as (engine, host):
        with pytest.raises(HttpError, match="not here") as refused:
            await call(host, "refuse")
        assert refused.value.http_status == 409
        with pytest.raises(Exception, match="as asked") as failed:
            await call(host, "fail")
        assert type(failed.value).__name__ == "ValueError"
        assert host.last_error == "ValueError: as asked"


async def test_an_untyped_reply_is_an_object_where_the_service_knows_its_type(tmp_path: Path) -> None:
    async with running(tmp_path, Living) as (engine, host):
        assert await call(host, "asked", city="Kiel") == "Place Place(city='KIEL')"


async def test_a_call_that_kills_the_worker_fails_alone_and_the_worker_comes_back(tmp_path: Path) -> None:
    async with running(tmp_path, Living) as (engine, host):
        with pytest.raises(WorkerLost, match="exit code 9"):
            await call(host, "die")
        assert await call(host, "tell", place=Place("Kiel")) == [Place("Kiel")]
        assert host.lifecycle.state is State.RUNNING
        assert host.restarts == 1


async def test_a_loop_runs_in_the_worker_and_again_after_its_end(tmp_path: Path) -> None:
    async with running(tmp_path, Looping) as (engine, host):
        await until(lambda: len(lines(engine)) == 1)
        pid = host.slots[0].pid  # type: ignore[attr-defined]
        assert lines(engine) == {f"round 1 in {pid}"}
        os.kill(pid, 9)
        await until(lambda: len(lines(engine)) == 2)
        host.pause("by the test")
        await until(lambda: host._main_task is not None and host._main_task.done())
        await host.resume()
        await until(lambda: any("round 2" in line for line in lines(engine)))


async def test_a_service_that_cannot_start_fails_by_its_restart_policy_and_keeps_its_messages(tmp_path: Path) -> None:
    async with running(tmp_path, Broken) as (engine, host):
        port = engine.client()
        await port.send(port.link_to("one", Line), Line("x"))
        await until(lambda: host.lifecycle.state is State.FAILED)

        assert "no such device" in host.lifecycle.reason
        assert host.depth.count == 1
        assert sum(slot.starts for slot in host.slots) == 1, "each start of the service makes its workers once"  # type: ignore[attr-defined]
        assert host.restarts == 2


async def test_what_is_counted_in_a_worker_comes_home_also_at_its_stop(tmp_path: Path) -> None:
    async with running(tmp_path, Counting) as (engine, host):
        port = engine.client()
        for _ in range(3):
            await port.send(port.link_to("one", Line), Line("hello"))
        await until(lambda: host.counters.counts.now() == {"lines": 3000, "bytes": 210_000, "turns": 1})
        shown = next(one for one in status_of(engine, {}, {}).services if one.service == "one")
        assert (shown.reason, shown.counts["lines"]) == ("", 3000)
    assert host.counters.counts.now()["ends"] == 1


async def test_an_outage_of_ticks_and_loop_in_a_worker_is_one_of_the_service(tmp_path: Path) -> None:
    away = {"retry": RetryPolicy(on={"ConnectionError": "hold"}), "hold": HoldPolicy(initial=0.05, max=0.1)}
    async with running(tmp_path, Reaching(folder=str(tmp_path)), **away) as (engine, host):
        await until(lambda: host.counters.ticks > 3)
        assert (host.lifecycle.state, host.restarts, host.counters.failed) == (State.RUNNING, 0, 0)
        (tmp_path / "tick-line").touch()
        await asyncio.sleep(0.2)
        shown = next(one for one in status_of(engine, {}, {}).services if one.service == "one")
        assert shown.reason == "away: ConnectionRefusedError: no loop-line"
        (tmp_path / "loop-line").touch()
        await until(lambda: host.away.outage is None)
        await engine.committed()
        kinds = [alert.kind for alert in engine.transport.archive.alerts(10)]
        assert kinds == ["back", "away"]
