"""Routes whose plain functions may run on the event loop once they have proved prompt."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any
from urllib.request import urlopen

from junctor import Flow
from junctor.core.spec import RouteSpec, ServiceSpec
from junctor.http.promptness import LONG, PROBATION, PROMPT, QUICK
from tests.integration.http.client import call, read_answer

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


class Asks(Work):
    """Once it runs on the loop it asks its own node, which cannot answer as long as that waits."""

    port = 0
    asks = False

    def do(self) -> bool:
        here = threading.current_thread() is MAIN
        if self.asks:
            self.asks = not here
            with urlopen(f"http://127.0.0.1:{self.port}/health/live") as answer:
                assert answer.status == 200
        return here


async def test_what_would_wait_for_its_own_node_is_called_again_in_a_thread_and_counts_once() -> None:
    work = Asks()
    async with flow(work).running(transport="memory", http=True) as node:
        work.port = port = int(node.urls[0].rpartition(":")[2])
        await proved(port)
        counters = node.engine.hosts["work/work"].counters
        before = counters.calls
        work.asks = True
        async with asyncio.timeout(30):
            assert await ask(port, 3) == [False, False, False]
        assert (counters.calls - before, counters.failed) == (3, 0)


async def test_a_prompt_function_that_raises_counts_as_failed_and_what_follows_is_answered() -> None:
    work = Work()
    async with flow(work).running(transport="memory", http=True) as node:
        port = int(node.urls[0].rpartition(":")[2])
        await proved(port)
        counters = node.engine.hosts["work/work"].counters
        work.takes = -1  # time.sleep raises ValueError
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for takes, status in ((-1, 500), (0, 200), (-1, 500), (0, 200)):
            work.takes = takes
            writer.write(b"GET /do HTTP/1.1\r\nhost: localhost\r\n\r\n")
            assert (await read_answer(reader)).status == status
        writer.close()
        assert counters.failed == 2


async def test_answers_of_one_connection_come_in_the_order_of_its_requests() -> None:
    """The first of them is answered at once, others in tasks, one in a thread."""
    async with flow(Work()).running(transport="memory", http=True) as node:
        port = int(node.urls[0].rpartition(":")[2])
        await proved(port)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(3):
            writer.write(b"GET /do HTTP/1.1\r\nhost: localhost\r\n\r\n")
            assert (await read_answer(reader)).status == 200
        paths = ["/do", "/nothing", "/do", "/health/live", "/do", "/nothing"] * 15
        writer.write(b"".join(b"GET %b HTTP/1.1\r\nhost: localhost\r\n\r\n" % path.encode() for path in paths))
        assert [(await read_answer(reader)).status for _ in paths] == [404 if "no" in path else 200 for path in paths]
        writer.close()
