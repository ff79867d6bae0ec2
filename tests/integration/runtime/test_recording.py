"""What ``trace: all``, ``failures`` and ``off`` leave in the store, and that none of them weakens a promise."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from junctor import Flow, Service, Target, action, every, handler
from junctor.flows import wire
from junctor.messages import Kind, Status
from junctor.node.control.wire import CallFailed
from junctor.node.node import Node
from junctor.transports.base import Query, Record

TRANSPORTS = pytest.mark.parametrize("transport", ["memory", "sqlite"])


@dataclass(frozen=True)
class Job:
    n: int
    fails: int = 0


@dataclass(frozen=True)
class Done:
    n: int


class Works(Service):
    """Fails as often as the job says."""

    def on_start(self) -> None:
        self.tries: dict[int, int] = {}

    @handler
    async def work(self, job: Job) -> Done:
        self.tries[job.n] = self.tries.get(job.n, 0) + 1
        self.log.info("try %s of %s", self.tries[job.n], job.n)
        if self.tries[job.n] <= job.fails:
            raise ValueError(f"{job.n} fails")
        return Done(job.n)


class Asks(Service):
    """Asks for work inside a delivery; the first attempt fails behind the reply."""

    jobs: Target[Job, Done]
    asked = 0

    @handler
    async def ask(self, n: int) -> int:
        done = await self.jobs.request(Job(n))
        self.asked += 1
        if self.asked == 1:
            raise ValueError("after the reply")
        return done.n


class Front(Service):
    """First hops: a tick, an action that works and one that fails, both with a log line and a send."""

    jobs: Target[Job]
    ticked = 0

    @every("5ms")
    async def tick(self) -> None:
        if self.ticked < 2:
            self.ticked += 1
            self.log.info("tick")
            await self.jobs.send(Job(100 + self.ticked))

    @action
    async def works(self) -> str:
        self.log.info("works")
        await self.jobs.send(Job(200))
        return "yes"

    @action
    async def fails(self) -> str:
        self.log.info("fails")
        raise ValueError("no")


QUICK = {"attempts": 3, "initial": 0.0, "max": 0.0}


def plant(trace: Any) -> Flow:
    flow = Flow("plant").add(Works(), trace=trace, retry=QUICK).add(Asks(), retry=QUICK)
    return flow.add(Front(), trace=trace)


def everything(node: Node) -> list[Record]:
    return node.archive.search(Query(limit=1000))


async def settled(node: Node) -> None:
    """Until nothing is owed any more, and all of it is stored. What a handler sent is owed from its commit on, what the
    two ticks that send do before the third begins."""

    def owed() -> bool:
        hosts = node.engine.hosts
        return hosts["plant/front"].counters.ticks < 3 or any(host.depth.count for host in hosts.values())

    async with asyncio.timeout(10):
        await node.engine.committed()
        while owed():
            await asyncio.sleep(0.002)
            await node.engine.committed()
        await node.engine.committed()


def of_job(node: Node, n: int) -> Record:
    found = [r for r in everything(node) if r.message.type == "Job" and n == _body(r).get("n")]
    assert len(found) == 1
    return found[0]


def _body(record: Record) -> dict[str, Any]:
    body = record.message.body
    return body if isinstance(body, dict) else {"n": body.n}


def logs_of(node: Node, record: Record) -> list[str]:
    """What the service said; what the engine says of a failure stands there too."""
    lines = node.archive.logs(record.message.session)
    own = [log for log in lines if log.seq == record.message.seq and log.line.logger.startswith("plant.")]
    return [log.line.text for log in own]


def tries_of(node: Node, record: Record) -> list[str]:
    return [attempt.settlement for attempt in node.archive.attempts([record.message.seq])]


@TRANSPORTS
@pytest.mark.parametrize("trace", ["all", "failures", "off"])
async def test_what_a_delivery_leaves(short_dir: Path, transport: str, trace: str) -> None:
    async with plant(trace).running(transport=transport, store=short_dir / "store") as node:
        target = node.target("works", Job, Done)
        assert await target.request(Job(1)) == Done(1)
        assert await target.request(Job(2, fails=1)) == Done(2)
        await target.send(Job(3, fails=9))
        await settled(node)
        well, later, parked = (of_job(node, n) for n in (1, 2, 3))
        assert (well.status, later.status, parked.status) == (Status.DONE, Status.DONE, Status.PARKED)
        assert (later.attempt, parked.attempt) == (2, 3)
        assert parked.failure is not None and parked.failure.text == "3 fails"
        assert [group.count for group in node.archive.parked()] == [1]
        assert _body(parked)["n"] == 3  # whole: it can be sent again
        assert (well.reply is not None) == (trace == "all")
        assert logs_of(node, well) == (["try 1 of 1"] if trace == "all" else [])
        if trace == "off":
            assert (tries_of(node, later), logs_of(node, later), logs_of(node, parked)) == ([], [], [])
            assert tries_of(node, parked) == ["PARKED"]
        else:
            assert tries_of(node, later) == ["WAITING"]
            assert logs_of(node, later) == ["try 1 of 2", "try 2 of 2"]
            assert tries_of(node, parked) == ["WAITING", "WAITING", "PARKED"]
            assert len(logs_of(node, parked)) == 3
        counters = node.engine.hosts["plant/works"].counters
        assert (counters.retried, counters.parked) == (3, 1)


@TRANSPORTS
@pytest.mark.parametrize("trace", ["all", "failures", "off"])
async def test_what_first_hops_leave(short_dir: Path, transport: str, trace: str) -> None:
    async with plant(trace).running(transport=transport, store=short_dir / "store") as node:
        assert await node.call("front", "works") == "yes"
        with pytest.raises(CallFailed, match="no") as failed:
            await node.call("front", "fails")
        assert failed.value.fix.startswith("`junctor logs`" if trace == "off" else "`junctor messages")
        async with asyncio.timeout(10):
            while not any(_body(r).get("n") == 102 for r in everything(node) if r.message.type == "Job"):
                await asyncio.sleep(0.002)
        await settled(node)
        hops = [r for r in everything(node) if r.message.kind in (Kind.TICK, Kind.ACTION)]
        found = sorted((r.message.kind.name, r.message.type, r.status.name) for r in hops)
        well = [("ACTION", "works", "DONE"), ("TICK", "tick", "DONE"), ("TICK", "tick", "DONE")]
        failed = [("ACTION", "fails", "FAILED")]
        assert found == {"all": sorted(failed + well), "failures": failed, "off": []}[trace]
        assert [logs_of(node, r) for r in hops if r.status == Status.FAILED] == ([["fails"]] if trace != "off" else [])
        sent = [of_job(node, n) for n in (101, 102, 200)]
        assert all(r.status == Status.DONE for r in sent)
        assert len({r.message.session for r in sent}) == 3
        counters = node.engine.hosts["plant/front"].counters
        assert (counters.calls, counters.failed) == (2, 1)


@TRANSPORTS
@pytest.mark.parametrize("trace", ["all", "failures", "off"])
async def test_a_repeated_request_gets_the_recorded_reply(short_dir: Path, transport: str, trace: str) -> None:
    async with plant(trace).running(transport=transport, store=short_dir / "store") as node:
        assert await node.target("asks", int, int).request(7) == 7
        await settled(node)
        assert node.engine.hosts["plant/works"].slots[0].instance.tries[7] == 1  # asked twice, worked once
        asked = of_job(node, 7)
        assert asked.message.origin is not None and asked.reply is not None


@TRANSPORTS
async def test_apply_changes_what_is_recorded(short_dir: Path, transport: str) -> None:
    async with plant("off").running(transport=transport, store=short_dir / "store") as node:
        target = node.target("works", Job, Done)
        await target.request(Job(1))
        changes = await node.apply([wire(plant("all"))], who="test")
        assert [service.kind for service in changes[0].services] == ["changed", "same", "changed"]
        await node.target("works", Job, Done).request(Job(2))
        await settled(node)
        assert of_job(node, 1).reply is None
        assert of_job(node, 2).reply is not None
        assert logs_of(node, of_job(node, 2)) == ["try 1 of 2"]


async def test_the_number_of_a_removed_message_is_not_given_again(short_dir: Path) -> None:
    ids = []
    for _ in range(3):
        async with plant("off").running(store=short_dir / "store") as node:
            ids += [(await node.target("works", Job).send(Job(n))).id for n in range(3)]
            await settled(node)
            await node.engine.committed(removes=[record.message.seq for record in everything(node)])
            assert everything(node) == []
    assert len(set(ids)) == 9
