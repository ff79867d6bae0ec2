"""A node that is swept and backed up all the time while messages come in; it tells each one that was accepted.

``python -m tests.crash.drivers.keeping STORE BACKUPS FIRST``; with ``drain`` for FIRST it only handles what is left.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import sys
from dataclasses import dataclass
from pathlib import Path

from junctor import Flow, Service, Target, handler
from junctor.messages import Status
from junctor.node.node import Node
from junctor.transports.base import Query


@dataclass(frozen=True)
class Job:
    n: int


@dataclass(frozen=True)
class Part:
    n: int


class Splits(Service):
    parts: Target[Part]

    @handler
    async def split(self, job: Job) -> None:
        if job.n % 20 == 0:
            raise ValueError("twenty")
        await self.parts.send(Part(job.n))


class Counts(Service):
    """Counts how often the effect of each message is in the state."""

    @handler
    async def count(self, part: Part) -> None:
        self.state["seen"] = self.state.get("seen", 0) + 1


async def sweep(node: Node) -> None:
    while node.engine.sweep is not None:
        await node.engine.sweep.once()
        await asyncio.sleep(0.002)


async def back_up(node: Node, folder: Path) -> None:
    upkeep = node.engine.transport.upkeep()
    assert upkeep is not None
    for number in itertools.count():
        await upkeep.backup(folder / f"{node.engine.opened.epoch}-{number}.db")  # type: ignore[union-attr]
        await asyncio.sleep(0.02)


async def drain(node: Node) -> None:
    owed = Query(statuses=(Status.READY, Status.CLAIMED, Status.WAITING))
    while await node.read(lambda archive: archive.search(owed)):
        await asyncio.sleep(0.02)


async def main(store: Path, backups: Path, first: str) -> None:
    flow = Flow("f", retention={"done": 0, "failures": 0, "keys": 0})
    flow.add(Splits(), "splits", retry={"attempts": 1}).add(Counts(), "counts", key="n")
    async with flow.running(store=store) as node:
        warnings = node.engine.opened.warnings if node.engine.opened is not None else []
        print("ready", *warnings, flush=True)
        if first == "drain":
            await drain(node)
            return
        for work in (sweep(node), back_up(node, backups)):
            node.engine.supervisor.start("keeping", work)
        target = node.target("splits", Job)
        for n in itertools.count(int(first)):
            await target.send(Job(n))
            print(n, flush=True)


logging.disable(logging.CRITICAL)
asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]))
