"""Request and reply in memory without an engine: a deque, a future per call, one actor task."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from benchmarks.bodies import Ping, Pong
from benchmarks.load import Load, rate, run


class Mailbox:
    """Drains its whole deque per wake-up; the price of one call is one future and two loop turns."""

    def __init__(self, handler: Callable[[Ping], Awaitable[Pong]]) -> None:
        self._handler = handler
        self._loop = asyncio.get_running_loop()
        self._items: deque[tuple[Ping, asyncio.Future[Pong]]] = deque()
        self._sleeping: asyncio.Future[None] | None = None

    def ask(self, body: Ping) -> asyncio.Future[Pong]:
        reply: asyncio.Future[Pong] = self._loop.create_future()
        self._items.append((body, reply))
        if self._sleeping is not None:
            self._sleeping.set_result(None)
            self._sleeping = None
        return reply

    async def drain(self) -> None:
        items, handler = self._items, self._handler
        while True:
            while items:
                body, reply = items.popleft()
                try:
                    answer = await handler(body)
                except Exception as error:  # noqa: BLE001 - whatever the handler raises is the caller's
                    if not reply.done():
                        reply.set_exception(error)
                else:
                    if not reply.done():
                        reply.set_result(answer)
            self._sleeping = self._loop.create_future()
            await self._sleeping


async def on_ping(body: Ping) -> Pong:
    return Pong(body.n)


async def _measure(load: Load) -> dict[str, float]:
    mailbox = Mailbox(on_ping)
    actor = asyncio.create_task(mailbox.drain())
    body = Ping(1)
    try:
        return {"rate": await rate(partial(mailbox.ask, body), load)}
    finally:
        actor.cancel()


def mailbox(params: Mapping[str, Any]) -> dict[str, float]:
    return run(_measure(Load(**params["load"])))
