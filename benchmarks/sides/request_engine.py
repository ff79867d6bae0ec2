"""Request and reply through a flow in memory: async handler, and blocking handler in its thread."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from benchmarks.bodies import Ping, Pong
from benchmarks.load import Load, rate, run
from junctor import Flow, Service, handler


class Echo(Service):
    @handler
    async def on(self, body: Ping) -> Pong:
        return Pong(body.n)


class Hop(Service):
    @handler
    def on(self, body: Ping) -> Pong:
        return Pong(body.n)


async def _measure(service: Service, name: str, load: Load) -> dict[str, float]:
    flow = Flow("bench")
    flow.add(service)
    async with flow.running(transport="memory") as node:
        target = node.target(name, Ping, Pong)
        body = Ping(1)
        return {"rate": await rate(partial(target.request, body), load)}


def request(params: Mapping[str, Any]) -> dict[str, float]:
    return run(_measure(Echo(), "echo", Load(**params["load"])))


def blocking(params: Mapping[str, Any]) -> dict[str, float]:
    return run(_measure(Hop(), "hop", Load(**params["load"])))
