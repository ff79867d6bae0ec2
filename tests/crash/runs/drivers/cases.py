"""The flows with durable runs that are killed, by name, and what is done with them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from junctor import Flow
from junctor.core.records import Archive
from junctor.core.run import Run, RunQuery, RunStatus
from tests.crash.runs.drivers.conversations import talk
from tests.crash.runs.drivers.hurry import hurry
from tests.crash.runs.drivers.made import made
from tests.crash.runs.drivers.parts import Order
from tests.crash.runs.drivers.workflows import steps

ORDERS = (Order("a"), Order("b", "fail"), Order("c", "refuse"))


@dataclass(frozen=True)
class Case:
    """``flow`` makes it anew; ``drive`` hands the orders over, again after each death, and waits for the end of all."""

    flow: Callable[[], Flow]
    drive: Callable[[Any], Awaitable[None]]


async def orders(node: Any) -> None:
    door = node.target("door", Order)
    for order in ORDERS:
        await door.send(order, idempotency_key=order.id)
    await rest(node)


async def rest(node: Any) -> None:
    """Until nothing is queued, waits for its time, or is open."""
    while any(host.depth.count for host in node.engine.hosts.values()) or await node.read(_open):
        await asyncio.sleep(0.002)


def _open(archive: Archive) -> list[Run]:
    return archive.runs(RunQuery(statuses=(RunStatus.OPEN,), limit=1))


CASES = {
    "made": Case(made, orders),
    "workflow": Case(steps, orders),
    "conversation": Case(talk, orders),
    "hurry": Case(hurry, orders),
}
