"""A POST for each message, 64 at once: ``http-out``, and bare aiohttp that encodes, sends, reads and decodes, too."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from benchmarks.bodies import SAMPLE, Sample
from benchmarks.load import Load, closed_loop, rate, run
from benchmarks.sides.durable_bare import Journal
from benchmarks.sides.http_get import served
from junctor import Flow
from junctor.adapters import HttpOut

LOOK = 0.001  # seconds between two looks at what is left
PRODUCERS = 512
HEADERS = {"Content-Type": "application/json"}


def _served(params: Mapping[str, Any]) -> Any:
    return served("http_partner.py", str(params["folder"]), b"/")


async def _bare(port: int, load: Load) -> float:
    encode, decode = msgspec.json.encode, msgspec.json.decode
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def call() -> None:
            url = f"http://127.0.0.1:{port}/orders"
            async with session.post(url, data=encode(SAMPLE), headers=HEADERS) as answer:
                decode(await answer.read())

        return await rate(call, load)


async def _kept(port: int, folder: Path, load: Load) -> float:
    """A message is off the queue when its call begins: at the death of the process up to 64 would be lost."""
    encode, decode = msgspec.json.encode, msgspec.json.decode
    journal, room, calls = Journal(folder), asyncio.Semaphore(load.callers), set[asyncio.Task[None]]()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def call(payload: bytes) -> None:
            url = f"http://127.0.0.1:{port}/orders"
            async with session.post(url, data=payload, headers=HEADERS) as answer:
                decode(await answer.read())
            room.release()

        async def handle(payload: bytes) -> None:
            await room.acquire()
            task = asyncio.create_task(call(payload))
            calls.add(task)
            task.add_done_callback(calls.discard)

        async def burst(load: Load) -> float:
            begin = time.perf_counter()
            many = dataclasses.replace(load, callers=PRODUCERS)
            sent, _ = await closed_loop(lambda: journal.send(encode(SAMPLE)), many)
            await journal.drained()
            await asyncio.gather(*calls)
            return sent / (time.perf_counter() - begin)

        consumer = asyncio.create_task(journal.consume(handle))
        await burst(load.warm_up)
        figure = await burst(load)
        consumer.cancel()
        await journal.close()
        return figure


def kept(params: Mapping[str, Any]) -> dict[str, float]:
    """aiohttp behind a journal with group commit, as in ``durable_bare``."""
    with _served(params) as (port, _):
        return {"rate": run(_kept(port, Path(params["folder"]), Load(**params["load"])))}


def bare(params: Mapping[str, Any]) -> dict[str, float]:
    with _served(params) as (port, _):
        return {"rate": run(_bare(port, Load(**params["load"])))}


def _flow(port: int, load: Load) -> Flow:
    return Flow("bench").add(HttpOut(url=f"http://127.0.0.1:{port}/orders"), "crm", pool=load.callers)


async def _requests(port: int, load: Load) -> float:
    async with _flow(port, load).running(transport="memory") as node:
        return await rate(partial(node.target("crm", Sample, Any).request, SAMPLE), load)


def requests(params: Mapping[str, Any]) -> dict[str, float]:
    """Each caller waits for its answer, in memory."""
    with _served(params) as (port, _):
        return {"rate": run(_requests(port, Load(**params["load"])))}


async def _durable(port: int, folder: str, load: Load) -> float:
    async with _flow(port, load).running(transport="sqlite", store=folder) as node:
        target = node.target("crm", Sample)

        def done() -> int:
            return next(one.done for one in node.status().services)

        async def burst(load: Load, sent: int) -> tuple[int, float]:
            begin = time.perf_counter()
            many = dataclasses.replace(load, callers=PRODUCERS)  # the calls are to be what is waited for
            calls, _ = await closed_loop(partial(target.send, SAMPLE), many)
            while any(one.queued or one.running for one in node.status().services):
                await asyncio.sleep(LOOK)
            return sent + calls, calls / (time.perf_counter() - begin)

        sent, _ = await burst(load.warm_up, 0)
        sent, figure = await burst(load, sent)
        if done() != sent:
            raise RuntimeError(f"{sent} messages sent, {done()} done")
        return figure


def durable(params: Mapping[str, Any]) -> dict[str, float]:
    """Durable sends until the last one is answered and off the queue."""
    with _served(params) as (port, _):
        return {"rate": run(_durable(port, str(params["folder"]), Load(**params["load"])))}
