"""A request that was begun before its deadline and comes again behind it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

import pytest

from junctor import Flow, Service, Target, handler

pytestmark = pytest.mark.crash


@dataclass(frozen=True)
class Job:
    n: int


@dataclass(frozen=True)
class Part:
    n: int


@dataclass(frozen=True)
class Question:
    n: int


@dataclass(frozen=True)
class Effect:
    n: int


class Sink(Service):
    seen: list[int] = []

    @handler
    async def on_effect(self, effect: Effect) -> None:
        Sink.seen.append(effect.n)


class Oracle(Service):
    @handler
    async def on_question(self, question: Question) -> int:
        return question.n


class Maker(Service):
    """Fails once, behind a savepoint: its effect is committed."""

    sink: Target[Effect]
    oracle: Target[Question, int]
    tries = 0

    @handler
    async def on_part(self, part: Part) -> int:
        await self.sink.send(Effect(part.n))
        await self.oracle.request(Question(part.n))
        Maker.tries += 1
        if Maker.tries == 1:
            raise ValueError("not yet")
        return part.n


class Asker(Service):
    maker: Target[Part, int]
    done: list[int] = []

    @handler
    async def on_job(self, job: Job) -> None:
        Asker.done.append(await self.maker.request(Part(job.n)))


async def test_what_was_done_in_part_is_not_done_anew(short_dir: Path) -> None:
    """It would expire with its effect standing, be asked anew, and have it twice. It goes on to its end instead."""
    Sink.seen, Asker.done, Maker.tries = [], [], 0
    flow = Flow("parts").add(Sink()).add(Oracle())
    flow.add(
        Maker(),
        timeout=0.2,
        retry={"attempts": 5, "initial": 0.4, "max": 0.4},
        connect={"sink": "sink", "oracle": "oracle"},
    )
    flow.add(Asker(), retry={"attempts": 5, "initial": 0.05, "max": 0.05}, connect={"maker": "maker"})
    async with flow.running(store=short_dir / "store") as node:
        await node.target("asker", Job).send(Job(1))
        async with asyncio.timeout(10):
            while not Asker.done or any(host.depth.count for host in node.engine.hosts.values()):
                await asyncio.sleep(0.01)
    assert Asker.done == [1]
    assert Sink.seen == [1]
