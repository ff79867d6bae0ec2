"""Routes whose plain functions may run on the event loop once they have proved prompt."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

from junctor import Flow
from junctor.core.spec import RouteSpec, ServiceSpec
from junctor.http.promptness import LONG, PROBATION, PROMPT, QUICK
from tests.integration.http.client import call

MAIN = threading.main_thread()


class Work:
    """Tells whether it runs on the loop, and takes as long as it is told."""

    takes = 0.0

    def do(self) -> bool:
        time.sleep(self.takes)
        return threading.current_thread() is MAIN


def flow(work: Work, *, adaptive: bool = True, isolation: Any = "node") -> Flow:
    def signature() -> bool:
        raise NotImplementedError

    route = RouteSpec(
        name="do",
        method="GET",
        path="/do",
        bind=lambda made: made.do,
        signature=signature,
        blocking=True,
        adaptive=adaptive,
    )
    return Flow("work").add(ServiceSpec(name="work", build=lambda context: work, routes=(route,), isolation=isolation))


async def ask(port: int, times: int) -> list[bool]:
    """Where each call ran: on the loop or not."""
    return [(await call(port, "GET", "/do")).json for _ in range(times)]


async def proved(port: int) -> None:
    assert not any(await ask(port, PROBATION))
    async with asyncio.timeout(60):  # on a busy machine some calls take long, and it begins anew
        while not (await ask(port, 1))[0]:
            pass


async def test_a_prompt_function_moves_to_the_loop_and_back_when_it_is_slow_twice() -> None:
    work = Work()
    async with flow(work).running(transport="memory", http=True) as node:
        port = int(node.urls[0].rpartition(":")[2])
        await proved(port)
        work.takes = PROMPT * 2
        assert (await ask(port, 3))[::2] == [True, False]
        work.takes = 0
        assert not any(await ask(port, PROBATION * 2))


async def test_what_takes_much_too_long_is_not_forgiven() -> None:
    work = Work()
    async with flow(work).running(transport="memory", http=True) as node:
        port = int(node.urls[0].rpartition(":")[2])
        await proved(port)
        work.takes = LONG * 1.2
        assert await ask(port, 2) == [True, False]


async def test_a_slow_function_stays_in_threads() -> None:
    work = Work()
    work.takes = QUICK * 1.5
    async with flow(work).running(transport="memory", http=True) as node:
        port = int(node.urls[0].rpartition(":")[2])
        assert not any(await ask(port, PROBATION * 2))


async def test_nobody_else_is_moved() -> None:
    async with flow(Work(), adaptive=False).running(transport="memory", http=True) as node:
        port = int(node.urls[0].rpartition(":")[2])
        assert not any(await ask(port, PROBATION * 2))
