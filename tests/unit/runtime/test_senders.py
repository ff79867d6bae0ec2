"""Senders before a full queue: none gets in that came behind one who gave up."""

from __future__ import annotations

import asyncio

from junctor.clock import RealClock
from junctor.errors import QueueFull
from junctor.runtime.senders import Senders


async def test_who_came_a_moment_later_does_not_get_in_where_the_first_one_did_not() -> None:
    room = False
    refused: list[int] = []
    taken: list[int] = []
    senders = Senders(RealClock(), lambda size: room, lambda: None)

    async def come(number: int) -> None:
        nonlocal room
        try:
            await senders.wait(1, 0.05, lambda too_long: QueueFull("full", where="q") if too_long else None)
        except QueueFull:
            refused.append(number)
            room = True  # in the very moment in which the first one gives up
            return
        taken.append(number)

    tasks = []
    for number in range(20):
        tasks.append(asyncio.ensure_future(come(number)))
        await asyncio.sleep(0.001)
    await asyncio.gather(*tasks)
    assert refused == list(range(20))
    assert taken == []


async def test_who_came_much_later_waits_on() -> None:
    room = False
    senders = Senders(RealClock(), lambda size: room, lambda: None)

    async def come(patience: float) -> str:
        try:
            await senders.wait(1, patience, lambda too_long: QueueFull("full", where="q") if too_long else None)
        except QueueFull:
            return "refused"
        return "taken"

    first, other = asyncio.ensure_future(come(0.01)), asyncio.ensure_future(come(30.0))
    assert await first == "refused"
    room = True
    senders.call()
    assert await other == "taken"
