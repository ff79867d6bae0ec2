"""The loop of a service: whatever blocks, fails or is cancelled, each call is made once, and ends once."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from junctor.dialects.microservicebus.hosting.loop import ServiceLoop

CALLS = 600
KINDS = {"quick": 60, "sleep": 20, "raise": 10, "block": 1, "block later": 0.3}


@asynccontextmanager
async def opened() -> AsyncIterator[ServiceLoop]:
    loop = ServiceLoop("test loop")
    await loop.open(lambda: None)
    yield loop
    loop.close()


async def test_each_call_is_made_once_and_ends_once() -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    made: Counter[int] = Counter()
    ends: dict[int, object] = {}

    async def call(number: int, kind: str) -> int:
        made[number] += 1
        if kind == "block":
            time.sleep(chance.uniform(0, 0.1))
        elif kind == "sleep":
            await asyncio.sleep(chance.uniform(0, 0.05))
        elif kind == "raise":
            raise ValueError(number)
        elif kind == "block later":
            asyncio.get_running_loop().call_soon(time.sleep, chance.uniform(0, 0.3))
        return number

    async def one(loop: ServiceLoop, number: int) -> None:
        await asyncio.sleep(chance.uniform(0, 1))
        kind = chance.choices(list(KINDS), list(KINDS.values()))[0]
        calling = asyncio.ensure_future(loop.call(call, (number, kind), None))
        if chance.random() < 0.1:
            await asyncio.sleep(chance.uniform(0, 0.02))
            calling.cancel()
        (ends[number],) = await asyncio.gather(calling, return_exceptions=True)

    async with opened() as loop, asyncio.timeout(30):
        await asyncio.gather(*(one(loop, number) for number in range(CALLS)))
    assert not [number for number, times in made.items() if times > 1]
    for number, end in ends.items():
        assert end == number or isinstance(end, ValueError | asyncio.CancelledError)
        assert made[number] or isinstance(end, asyncio.CancelledError)


async def test_calls_begin_in_order() -> None:
    begun: list[int] = []

    async def call(number: int) -> None:
        begun.append(number)
        await asyncio.sleep(0)

    async with opened() as loop:
        await asyncio.gather(*(loop.call(call, (number,), None) for number in range(100)))
    assert begun == list(range(100))


async def test_what_the_first_call_raises_comes_out() -> None:
    def fails() -> None:
        raise OSError("no device")

    loop = ServiceLoop("test loop")
    with pytest.raises(OSError, match="no device"):
        await loop.open(fails)
    loop.close()
