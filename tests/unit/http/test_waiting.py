"""Functions on the event loop that turn out to wait."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable
from typing import Any

from junctor.http.promptness import Promptness
from junctor.runtime.calls import LATER


def prompt() -> Promptness:
    made = Promptness()
    made.on_loop = True
    return made


async def called(known: Promptness, function: Callable[..., Any], **arguments: Any) -> Any:
    """As a route does it: on the loop, and once more in a thread where it would wait there."""
    result = known.now(function)(**arguments)
    return await asyncio.to_thread(function, **arguments) if result is LATER else result


def asks(port: int, threads: list[threading.Thread], *, bare: bool = False) -> bytes:
    threads.append(threading.current_thread())
    try:
        with socket.create_connection(("127.0.0.1", port)) as connection:
            return connection.recv(10)
    except:  # noqa: E722 - as programs have it
        if not bare:
            raise
        return b"swallowed"


async def answering(bare: bool) -> tuple[bytes, list[threading.Thread], Promptness]:
    known = prompt()
    threads: list[threading.Thread] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello")
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        got = await called(known, asks, port=port, threads=threads, bare=bare)
    return got, threads, known


def test_what_asks_its_own_loop_gets_its_answer_in_a_thread() -> None:
    for bare in (False, True):
        got, threads, known = asyncio.run(answering(bare))
        assert got == b"hello"
        assert threads[0] is threading.main_thread() and threads[1] is not threading.main_thread()
        assert not known.on_loop


def test_it_stays_in_threads() -> None:
    known = prompt()
    asyncio.run(called(known, lambda: socket.gethostbyname("127.0.0.1")))
    assert not known.on_loop
    for _ in range(10_000):
        known.timed(int)()
    assert not known.on_loop


def test_other_threads_and_other_calls_may_wait() -> None:
    known = prompt()

    def waits() -> None:
        thread = threading.Thread(target=socket.gethostbyname, args=("127.0.0.1",))
        thread.start()
        thread.join()

    asyncio.run(called(known, waits))
    assert known.on_loop
    socket.gethostbyname("127.0.0.1")
