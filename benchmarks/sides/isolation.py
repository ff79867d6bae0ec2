"""Work that keeps a processor busy, in threads of one interpreter and in worker processes: two deliveries at once."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from benchmarks.bodies import Ping, Pong
from benchmarks.load import Load, rate, run
from junctor import Flow, Service, handler

POOL = 2
STEPS = 100_000  # of the loop in the handler: some milliseconds of plain Python


class Busy(Service):
    @handler
    def on(self, body: Ping) -> Pong:
        total = 0
        for step in range(STEPS):
            total += step & body.n
        return Pong(total)


async def _measure(folder: str, load: Load, isolate: str) -> dict[str, float]:
    flow = Flow("bench")
    flow.add(Busy(), pool=POOL, isolate=isolate)
    async with flow.running(transport="sqlite", store=folder) as node:
        busy = node.target("busy", Ping, Pong)
        return {"rate": await rate(partial(busy.request, Ping(3)), load)}


def threads(params: Mapping[str, Any]) -> dict[str, float]:
    return run(_measure(params["folder"], Load(**params["load"]), "node"))


def processes(params: Mapping[str, Any]) -> dict[str, float]:
    return run(_measure(params["folder"], Load(**params["load"]), "worker"))
