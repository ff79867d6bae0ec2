"""Durable send to processed through the sqlite transport: ``await send()`` returns when it is on the disk."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from functools import partial
from typing import Any

from benchmarks.bodies import SAMPLE, Sample
from benchmarks.load import Load, closed_loop, run
from junctor import Flow, Service, handler

LOOK = 0.001  # seconds between two looks; a loop that spins would keep the writer thread from the interpreter lock


class Sink(Service):
    handled = 0  # of this class, not of the instance: the node runs a copy of the blueprint

    @handler
    async def on(self, body: Sample) -> None:
        Sink.handled += 1


async def _drained(node: Any, sent: int) -> None:
    """Every message handled and off the queue. The status is asked only at the end: it reads the store."""
    while Sink.handled < sent:
        await asyncio.sleep(LOOK)
    while any(service.queued for service in node.status().services):
        await asyncio.sleep(LOOK)


async def _measure(folder: str, load: Load) -> dict[str, float]:
    flow = Flow("bench")
    flow.add(Sink())
    async with flow.running(transport="sqlite", store=folder) as node:
        sink = node.target("sink", Sample)

        async def burst(load: Load, sent: int) -> tuple[int, float]:
            begin = time.perf_counter()
            calls, _ = await closed_loop(partial(sink.send, SAMPLE), load)
            await _drained(node, sent + calls)
            return sent + calls, calls / (time.perf_counter() - begin)

        sent, _ = await burst(load.warm_up, 0)
        sent, rate = await burst(load, sent)
    if Sink.handled != sent:
        raise RuntimeError(f"{sent} messages sent, {Sink.handled} handled")
    return {"rate": rate}


def send(params: Mapping[str, Any]) -> dict[str, float]:
    return run(_measure(params["folder"], Load(**params["load"])))
