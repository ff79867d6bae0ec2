"""A business process that calls an operation and waits, each call a persisted round trip; beside it the bare commits.

A round trip is two commits one after the other, the request's and the reply's, with a handler in a thread between them
and a caller in a thread of its own.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.bodies import PAYLOAD_BYTES
from benchmarks.load import run
from benchmarks.sides.durable_bare import Journal, on_sample
from junctor import Flow
from junctor.dialects.iop import BusinessOperation, BusinessProcess, Message

WARM_UP = 20  # round trips of each conversation that do not count


@dataclass
class Calls(Message):
    number: int


@dataclass
class Body(Message):
    text: str
    number: int


class Echo(BusinessOperation):
    def on_message(self, request: Body) -> Body:
        return request


class Caller(BusinessProcess):
    def on_message(self, request: Calls) -> Calls:
        for number in range(request.number):
            answer = self.send_request_sync("echo", Body("x" * PAYLOAD_BYTES, number))
            if answer.number != number:
                raise RuntimeError(f"asked for {number}, got {answer.number}")
        return request


async def _measure(folder: str, conversations: int, calls: int) -> dict[str, float]:
    flow = Flow("bench").add(Echo, "echo").add(Caller, "caller", pool=conversations)
    async with flow.running(transport="sqlite", store=folder) as node:
        caller = node.target("caller", Calls, Any)

        async def talk(number: int) -> None:
            await asyncio.gather(*(caller.request(Calls(number), timeout=600) for _ in range(conversations)))

        await talk(WARM_UP)
        begin = time.perf_counter()
        await talk(calls)
        return {"rate": conversations * calls / (time.perf_counter() - begin)}


def process(params: Mapping[str, Any]) -> dict[str, float]:
    return run(_measure(params["folder"], params["conversations"], params["calls"]))


async def _commits(folder: Path, conversations: int, calls: int) -> dict[str, float]:
    journal, loop = Journal(folder), asyncio.get_running_loop()
    consumer = asyncio.create_task(journal.consume(on_sample))
    payload = os.urandom(PAYLOAD_BYTES)
    callers, handlers = ThreadPoolExecutor(conversations), ThreadPoolExecutor(conversations)

    async def round_trip() -> None:
        await journal.send(payload)
        await loop.run_in_executor(handlers, len, payload)
        await journal.send(payload)

    def caller(number: int) -> None:
        for _ in range(number):
            asyncio.run_coroutine_threadsafe(round_trip(), loop).result()

    async def talk(number: int) -> None:
        await asyncio.gather(*(loop.run_in_executor(callers, caller, number) for _ in range(conversations)))

    try:
        await talk(WARM_UP)
        begin = time.perf_counter()
        await talk(calls)
        return {"rate": conversations * calls / (time.perf_counter() - begin)}
    finally:
        await journal.drained()
        consumer.cancel()
        await journal.close()


def commits(params: Mapping[str, Any]) -> dict[str, float]:
    return run(_commits(Path(params["folder"]), params["conversations"], params["calls"]))
