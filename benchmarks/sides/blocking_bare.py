"""A blocking handler without an engine: one hop through a thread pool of one."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from benchmarks.bodies import Ping, Pong
from benchmarks.load import Load, rate, run


def on_ping(body: Ping) -> Pong:
    return Pong(body.n)


async def _measure(load: Load) -> dict[str, float]:
    loop = asyncio.get_running_loop()
    body = Ping(1)
    with ThreadPoolExecutor(max_workers=1) as pool:
        return {"rate": await rate(partial(loop.run_in_executor, pool, on_ping, body), load)}


def thread_hop(params: Mapping[str, Any]) -> dict[str, float]:
    return run(_measure(Load(**params["load"])))
