"""Open a store that has seen a million messages and owes a hundred thousand; beside it the same flow on an empty one.

The store is made once, through the engine, and opened again by every round after an unclean stop, the harder case:
the pending messages wait behind a handler that never returns, so no round uses them up.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Mapping
from typing import Any

from benchmarks import memory
from benchmarks.bodies import SAMPLE, Sample
from benchmarks.load import run
from junctor import Flow, Service, handler

SETTLE = 1.0  # seconds from open to the reading of the memory: what start-up postpones counts
SENDERS = 256


class Sink(Service):
    @handler
    async def on(self, body: Sample) -> None:
        return None


class Stuck(Service):
    @handler
    async def on(self, body: Sample) -> None:
        await asyncio.sleep(86_400)


def _flow() -> Flow:
    flow = Flow("bench")
    flow.add(Sink())
    flow.add(Stuck())
    return flow


async def _send(target: Any, count: int) -> None:
    async def sender(share: int) -> None:
        for _ in range(share):
            await target.send(SAMPLE)

    share, rest = divmod(count, SENDERS)
    await asyncio.gather(*(sender(share + (index < rest)) for index in range(SENDERS)))


async def _seed(folder: str, stored: int, pending: int) -> dict[str, float]:
    async with _flow().running(transport="sqlite", store=folder) as node:
        await _send(node.target("sink", Sample), stored - pending)
        await _send(node.target("stuck", Sample), pending)
        await asyncio.sleep(SETTLE)
        os._exit(0)  # as after a crash; a clean stop would wait for the handler that never returns


def _check_owed(status: Any, pending: int) -> None:
    """A store that opens fast because it forgot its messages would be a fine figure."""
    owed = sum(service.queued for service in status.services)
    if owed < pending:
        raise RuntimeError(f"{pending} messages were pending, the node knows of {owed}")


async def _open(folder: str, pending: int) -> dict[str, float]:
    begin = time.perf_counter()
    async with _flow().running(transport="sqlite", store=folder) as node:
        seconds = time.perf_counter() - begin
        await asyncio.sleep(SETTLE)
        _check_owed(node.status(), pending)
        _leave({"seconds": seconds} | memory.of_tree(os.getpid()))
    raise AssertionError("unreachable")


def _leave(figures: dict[str, float]) -> None:
    from benchmarks.child import answer

    answer({"figures": figures})
    os._exit(0)


def seed(params: Mapping[str, Any]) -> dict[str, float]:
    return run(_seed(params["prepared"], params["stored"], params["pending"]))


def empty(params: Mapping[str, Any]) -> dict[str, float]:
    return run(_open(params["folder"], 0))


def full(params: Mapping[str, Any]) -> dict[str, float]:
    return run(_open(params["prepared"], params["pending"]))
