"""Requests that two readers could take for different ones, and requests in a row on one connection."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from junctor.http.listening.limits import Limits
from tests.integration.http.client import call, read_answer
from tests.integration.http.small_host import SmallHost, route

HEAD = b"POST /echo HTTP/1.1\r\nhost: localhost\r\n"
HIDDEN = b"GET /hidden HTTP/1.1\r\nhost: localhost\r\n\r\n"


class Echo:
    def __init__(self) -> None:
        self.ended = asyncio.Event()

    @route("POST", "/echo")
    async def echo(self, data: bytes) -> int:
        return len(data)

    @route("GET", "/hidden")
    async def hidden(self) -> str:
        return "treasure"

    @route("GET", "/wait")
    async def wait(self, n: int) -> int:
        await asyncio.sleep(0.05 / (n + 1))
        return n

    @route("GET", "/quiet")
    async def quiet(self) -> AsyncIterator[int]:
        try:
            yield 1
            await asyncio.Event().wait()
        finally:
            self.ended.set()


async def everything(port: int, data: bytes) -> bytes:
    """All that is answered to these bytes until the listener closes the connection, or half a second passes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(data)
    received = b""
    with contextlib.suppress(TimeoutError, ConnectionError):
        async with asyncio.timeout(0.5):
            while piece := await reader.read(65536):
                received += piece
    writer.close()
    return received


@pytest.mark.parametrize(
    "head",
    [
        b"content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"transfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n0\r\n\r\n",
        b"content-length: 0\r\ncontent-length: 44\r\n\r\n",
        b"content-length: 0, 44\r\n\r\n",
        b"content-length: +0\r\n\r\n",
        b"content-length: 0x0\r\n\r\n",
        b"content-length : 0\r\n\r\n",
        b"transfer-encoding: identity\r\ncontent-length: 0\r\n\r\n",
        b"transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        b"transfer-encoding: xchunked\r\n\r\n0\r\n\r\n",
        b"transfer-encoding : chunked\r\n\r\n0\r\n\r\n",
        b"transfer-encoding:\x0bchunked\r\n\r\n0\r\n\r\n",
        b"x: a\r\n b\r\ncontent-length: 0\r\n\r\n",
        b"x: a\r\n\tcontent-length: 44\r\n\r\n",
        b"x: a\ncontent-length: 0\r\n\r\n",
        b"x: a\rcontent-length: 44\r\n\r\n",
        b"x\x00: a\r\n\r\n",
        b"transfer-encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n",
        b"transfer-encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n",
        b"transfer-encoding: chunked\r\n\r\n-1\r\n\r\n",
        b"transfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\n\r\n",
    ],
)
async def test_what_could_be_read_in_two_ways(serve: Any, head: bytes) -> None:
    """It is refused and the connection closed, so that nothing behind it is taken for a request."""
    host = SmallHost(Echo())
    async with serve(host) as listener:
        received = await everything(listener.port, HEAD + head + HIDDEN)
        assert b"treasure" not in received, received
        assert "hidden" not in [hop.name for hop in host.hops]
        assert received == b"" or received.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 413 ")), received
        assert (await call(listener.port, "GET", "/hidden")).json == "treasure"


@pytest.mark.parametrize("method", [b"GET", b"HEAD", b"DELETE"])
async def test_a_body_where_none_is_expected_is_no_request(serve: Any, method: bytes) -> None:
    host = SmallHost(Echo())
    async with serve(host) as listener:
        head = method + b" /none HTTP/1.1\r\nhost: localhost\r\ncontent-length: %d\r\n\r\n" % len(HIDDEN)
        assert b"treasure" not in await everything(listener.port, head + HIDDEN)
        assert not host.hops


async def test_many_requests_in_a_row_are_answered_in_their_order(serve: Any) -> None:
    async with serve(SmallHost(Echo())) as listener:
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        for number in range(50):
            writer.write(b"GET /wait?n=%d HTTP/1.1\r\nhost: localhost\r\n\r\n" % number)
        async with asyncio.timeout(10):
            assert [(await read_answer(reader)).json for _ in range(50)] == list(range(50))
        writer.close()


async def test_bodies_in_a_row(serve: Any) -> None:
    async with serve(SmallHost(Echo())) as listener:
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        for number in range(20):
            writer.write(HEAD + b"content-length: %d\r\n\r\n" % number + b"x" * number)
            writer.write(HEAD + b"transfer-encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n")
        async with asyncio.timeout(10):
            answers = [(await read_answer(reader)).json for _ in range(40)]
        assert answers == [value for number in range(20) for value in (number, 2)]
        writer.close()


async def test_more_in_a_row_than_wait_are_not_taken(serve: Any) -> None:
    """They cost far more than their bytes. The connection closes behind the answers that are due."""
    host = SmallHost(Echo())
    async with serve(host) as listener:
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.write(b"GET /wait?n=0 HTTP/1.1\r\nhost: localhost\r\n\r\n" * 3000)
        async with asyncio.timeout(20):
            answers = [await read_answer(reader) for _ in range(101)]
            assert await reader.read() == b""
        assert [answer.headers.get("connection") for answer in answers] == [None] * 100 + ["close"]
        assert len(host.hops) == 101
        writer.close()


@pytest.mark.parametrize("gone", ["close", "abort"])
@pytest.mark.parametrize("behind", [0, 1, 3])
async def test_who_leaves_ends_the_answer_that_runs(serve: Any, behind: int, gone: str) -> None:
    """Also when other requests wait behind it, whose turn never comes."""
    echo = Echo()
    async with serve(SmallHost(echo), limits=Limits(receive=0.5)) as listener:
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.write(b"GET /quiet HTTP/1.1\r\nhost: localhost\r\n\r\n")
        await reader.readuntil(b"1\n")
        writer.write(b"GET /hidden HTTP/1.1\r\nhost: localhost\r\n\r\n" * behind)
        await writer.drain()
        await asyncio.sleep(0)
        if gone == "abort":
            writer.transport.abort()
        writer.close()
        async with asyncio.timeout(10):
            await echo.ended.wait()
