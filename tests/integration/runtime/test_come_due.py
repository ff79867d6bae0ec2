"""Delayed messages come when they are due, also where others that are past stay in the store."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from junctor import Flow, Service, handler
from junctor.flows import wire


class Clockwork(Service):
    @handler
    async def on_number(self, number: int) -> None:
        came.add(number)
        woken.set()


class Away(Service):
    @handler
    async def on_text(self, text: str) -> None: ...


came: set[int] = set()
woken = asyncio.Event()


async def both(first: int) -> None:
    while not {first, first + 1} <= came:
        woken.clear()
        await woken.wait()


def crowd() -> Flow:
    flow = Flow("f").add(Clockwork, name="first").add(Clockwork, name="second")
    for number in range(100):
        flow.add(Away, name=f"idle-{number}")
    return flow


@pytest.mark.parametrize("transport", ["sqlite", "memory"])
async def test_two_that_are_due_a_moment_apart(short_dir: Path, transport: str) -> None:
    """The second one comes due while the first one is looked for, between the look into its queue and the one for what
    comes next: many services make that long. Nothing else would wake anybody up for it: as a message for a service
    that is gone is past, the node looks less and less often by itself."""
    store = {"store": short_dir / "store"} if transport == "sqlite" else {}
    async with crowd().add(Away).running(transport=transport, **store) as node:
        await node.target("away", str).send("past", delay=0.1)
        await node.apply([wire(crowd())], who="test")
        one, other = node.target("first", int), node.target("second", int)
        for pair in range(25):
            numbers = 2 * pair, 2 * pair + 1
            await asyncio.gather(
                one.send(numbers[0], delay=0.01), other.send(numbers[1], delay=0.01 + pair % 20 * 1e-4)
            )
            await asyncio.wait_for(both(numbers[0]), 5)
