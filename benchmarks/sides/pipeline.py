"""A message through three services, each hop durable: accepted at the first, done at the last. With the recording of
every hop, and without."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from functools import partial
from typing import Any

from benchmarks.bodies import SAMPLE, Sample
from benchmarks.load import Load, closed_loop, run
from junctor import Flow, Service, Target, handler

LOOK = 0.001


class First(Service):
    out: Target[Sample]

    @handler
    async def on(self, body: Sample) -> None:
        await self.out.send(body)


class Second(First):
    pass


class Last(Service):
    handled = 0  # of this class: the node runs a copy of the blueprint

    @handler
    async def on(self, body: Sample) -> None:
        Last.handled += 1


async def _measure(folder: str, load: Load, trace: str) -> dict[str, float]:
    flow = Flow("bench")
    flow.add(First(), connect={"out": "second"}, trace=trace)
    flow.add(Second(), connect={"out": "last"}, trace=trace)
    flow.add(Last(), trace=trace)
    async with flow.running(transport="sqlite", store=folder) as node:
        first = node.target("first", Sample)

        async def burst(load: Load, sent: int) -> tuple[int, float]:
            begin = time.perf_counter()
            calls, _ = await closed_loop(partial(first.send, SAMPLE), load)
            while Last.handled < sent + calls:
                await asyncio.sleep(LOOK)
            while any(service.queued for service in node.status().services):
                await asyncio.sleep(LOOK)
            return sent + calls, calls / (time.perf_counter() - begin)

        sent, _ = await burst(load.warm_up, 0)
        sent, rate = await burst(load, sent)
    if Last.handled != sent:
        raise RuntimeError(f"{sent} messages sent, {Last.handled} came through")
    return {"rate": rate}


def recorded(params: Mapping[str, Any]) -> dict[str, float]:
    return run(_measure(params["folder"], Load(**params["load"]), "all"))


def unrecorded(params: Mapping[str, Any]) -> dict[str, float]:
    return run(_measure(params["folder"], Load(**params["load"]), "off"))
