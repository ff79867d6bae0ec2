"""A workflow with two durable requests, from its begin to its reply; beside it two steps in DBOS, and the bare commits.

A run makes six commits: its begin, the first turn, the first answer, the second turn, the second answer, the end. Each
turn is written in one group with what brought it, so that one caller waits for the disk three times. The bare side
makes six commits in a row, and waits for each, with the same journal as the durable jobs.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.bodies import PAYLOAD_BYTES, Ping, Pong
from benchmarks.load import Load, rate, run
from benchmarks.sides.durable_bare import Journal, on_sample
from benchmarks.sides.peers import started_dbos

COMMITS = 6


async def _measure(folder: str, load: Load) -> dict[str, float]:
    from junctor import Flow, Service, Target, Workflow, handler

    class Desk(Service):
        @handler
        async def on(self, body: Ping) -> Pong:
            return Pong(body.n + 1)

    class TwoSteps(Workflow):
        desk: Target[Ping, Pong]

        @handler
        async def run(self, body: Ping) -> Pong:
            first = await self.desk.request(body)
            return await self.desk.request(Ping(first.n))

    flow = Flow("bench")
    flow.add(Desk())
    flow.add(TwoSteps())
    async with flow.running(transport="sqlite", store=folder) as node:
        steps = node.target("two-steps", Ping, Pong)
        return {"rate": await rate(partial(steps.request, Ping(1)), load)}


def junctor(params: Mapping[str, Any]) -> dict[str, float]:
    return run(_measure(params["folder"], Load(**params["load"])))


async def _commits(folder: Path, load: Load) -> dict[str, float]:
    journal = Journal(folder)
    consumer = asyncio.create_task(journal.consume(on_sample))
    payload = os.urandom(PAYLOAD_BYTES)

    async def six() -> None:
        for _ in range(COMMITS):
            await journal.send(payload)

    try:
        return {"rate": await rate(six, load)}
    finally:
        await journal.drained()
        consumer.cancel()
        await journal.close()


def commits(params: Mapping[str, Any]) -> dict[str, float]:
    return run(_commits(Path(params["folder"]), Load(**params["load"])))


def dbos(params: Mapping[str, Any]) -> dict[str, float]:
    """Each caller is a thread that runs one workflow after the other."""
    with started_dbos(params["folder"]) as DBOS:

        @DBOS.step()
        def step(n: int) -> int:
            return n + 1

        @DBOS.workflow()
        def two(n: int) -> int:
            return step(step(n))

        DBOS.launch()
        callers, seconds = params["load"]["callers"], params["load"]["seconds"]
        two(1)
        begin = time.perf_counter()

        def caller(_: int) -> int:
            count = 0
            while time.perf_counter() - begin < seconds:
                two(1)
                count += 1
            return count

        with ThreadPoolExecutor(callers) as threads:
            count = sum(threads.map(caller, range(callers)))
        return {"rate": count / (time.perf_counter() - begin)}
