"""Clients that send too much, too slowly, or nothing at all."""

from __future__ import annotations

import asyncio
import contextlib
import tracemalloc
from typing import Any

import pytest

from junctor.http.listening.limits import Limits
from junctor.http.settings import HttpSettings
from tests.integration.http.client import call, raw, read_answer
from tests.integration.http.small_host import SmallHost, route

HEAD = b"POST /echo HTTP/1.1\r\nhost: localhost\r\n"


class Echo:
    @route("POST", "/echo")
    async def echo(self, data: bytes) -> int:
        return len(data)

    @route("GET", "/big")
    async def big(self) -> bytes:
        return b"x" * 8_000_000

    @route("GET", "/slow")
    async def slow(self, seconds: float = 0.2) -> str:
        await asyncio.sleep(seconds)
        return "done"


async def test_a_body_up_to_the_limit(serve: Any) -> None:
    async with serve(SmallHost(Echo()), settings=HttpSettings(body=100_000)) as listener:
        assert (await call(listener.port, "POST", "/echo", b"x" * 100_000)).json == 100_000
        assert (await call(listener.port, "POST", "/echo", b"x" * 100_001)).code == "body-too-large"


async def test_a_body_of_100_mb_is_refused_before_it_is_read(serve: Any) -> None:
    async with serve(SmallHost(Echo())) as listener:
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.write(HEAD + b"content-length: 100000000\r\nexpect: 100-continue\r\n\r\n")
        answer = await read_answer(reader)
        assert (answer.status, answer.code) == (413, "body-too-large")
        writer.close()


@pytest.mark.parametrize("head", [b"content-length: 100000000\r\n\r\n", b"transfer-encoding: chunked\r\n\r\n"])
async def test_a_client_that_sends_100_mb_anyway_hears_it_and_costs_nothing(serve: Any, head: bytes) -> None:
    async with serve(SmallHost(Echo())) as listener:
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        answering = asyncio.ensure_future(read_answer(reader))
        piece = b"x" * 1_000_000
        chunk = piece if b"length" in head else b"f4240\r\n" + piece + b"\r\n"
        tracemalloc.start()
        writer.write(HEAD + head)
        with contextlib.suppress(ConnectionError):
            for _ in range(100):
                writer.write(chunk)
                await writer.drain()
        assert (await answering).code == "body-too-large"
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 20_000_000
        assert (await call(listener.port, "POST", "/echo", b"1")).json == 1
        writer.close()


@pytest.mark.parametrize("value", [b"-1", b"abc", b"1" * 40, b"\xb2"])
async def test_a_strange_length(serve: Any, value: bytes) -> None:
    async with serve(SmallHost(Echo())) as listener:
        answer = await raw(listener.port, HEAD + b"content-length: " + value + b"\r\n\r\n")
        assert answer.status in (400, 413)


async def test_length_and_chunks_together_are_refused(serve: Any) -> None:
    """Two readings of one request are how requests are smuggled."""
    async with serve(SmallHost(Echo())) as listener:
        both = b"content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"
        assert (await raw(listener.port, HEAD + both)).status == 400


@pytest.mark.parametrize(
    "head",
    [
        b"GET /slow HTTP/1.1\r\nhost: localhost\r\nx: " + b"a" * 100_000 + b"\r\n\r\n",
        b"GET /slow HTTP/1.1\r\nhost: localhost\r\nx: " + b"a" * 5_000_000,
        b"GET /slow?" + b"a" * 100_000 + b" HTTP/1.1\r\nhost: localhost\r\n\r\n",
        b"GET /slow HTTP/1.1\r\nhost: localhost\r\n" + b"x: y\r\n" * 200 + b"\r\n",
    ],
)
async def test_a_giant_head_is_refused(serve: Any, head: bytes) -> None:
    async with serve(SmallHost(Echo())) as listener:
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.write(head)
        answer = await read_answer(reader)
        assert (answer.status, answer.code) == (431, "head-too-large")
        assert answer.headers["connection"] == "close"
        writer.close()


async def test_a_large_body_behind_a_small_head_is_no_large_head(serve: Any) -> None:
    async with serve(SmallHost(Echo())) as listener:
        body = b"x" * 200_000
        data = HEAD + b"content-length: 200000\r\n\r\n" + body
        assert (await raw(listener.port, data)).json == 200_000
        # Two requests in one chunk: the first one's body is not the second one's head.
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.write(data + data)
        assert [(await read_answer(reader)).json for _ in range(2)] == [200_000, 200_000]
        writer.close()


SLOW = Limits(receive=0.2, pace=1_000_000, send=0.2, keep_alive=1)


@pytest.mark.parametrize(
    "sent",
    [b"", b"GET /sl", b"GET /slow HTTP/1.1\r\nhost: localhost\r\n"],
    ids=["nothing", "half a line", "half a head"],
)
async def test_a_client_that_never_finishes_its_head_is_dropped(serve: Any, sent: bytes) -> None:
    async with serve(SmallHost(Echo()), limits=SLOW) as listener:
        answer = await raw(listener.port, sent, until=5)
        assert (answer.status, answer.code) == (408, "too-slow")


async def test_a_client_that_drips_is_dropped(serve: Any) -> None:
    async with serve(SmallHost(Echo()), limits=SLOW) as listener:
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.write(HEAD + b"content-length: 1000\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(5):
                while listener.connections:
                    writer.write(b"x")
                    await writer.drain()
                    await asyncio.sleep(0.05)
            assert await reader.read() == b""
        while listener.connections:
            await asyncio.sleep(0.01)
        writer.close()


async def test_the_rest_of_a_refused_body_is_not_awaited_for_ever(serve: Any) -> None:
    async with serve(SmallHost(Echo()), settings=HttpSettings(body=10), limits=SLOW) as listener:
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.write(HEAD + b"transfer-encoding: chunked\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(5):
                while not reader.at_eof() and listener.connections:
                    writer.write(b"400\r\n" + b"x" * 1024 + b"\r\n")
                    await writer.drain()
                    await asyncio.sleep(0.01)
        assert listener.connections == 0
        writer.close()


async def test_a_client_that_does_not_read_is_dropped(serve: Any) -> None:
    async with serve(SmallHost(Echo()), limits=SLOW) as listener:
        _, writer = await asyncio.open_connection("127.0.0.1", listener.port, limit=1024)
        writer.write(b"GET /big HTTP/1.1\r\nhost: localhost\r\n\r\n" * 4)
        async with asyncio.timeout(6):
            await asyncio.sleep(0.1)
            while listener.connections:
                await asyncio.sleep(0.05)
        writer.close()


async def test_a_slow_service_is_not_a_slow_client(serve: Any) -> None:
    """Neither a long call, nor a request that waits behind it on the same connection, is the client's delay."""
    async with serve(SmallHost(Echo()), limits=SLOW) as listener:
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.write(b"GET /slow?seconds=0.8 HTTP/1.1\r\nhost: localhost\r\n\r\n")
        writer.write(HEAD + b"content-length: 4\r\n\r\nab")
        first = await read_answer(reader)
        writer.write(b"cd")
        assert (first.json, (await read_answer(reader)).json) == ("done", 4)
        writer.close()


async def test_an_idle_connection_ends(serve: Any) -> None:
    async with serve(SmallHost(Echo()), limits=SLOW) as listener:
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.write(b"GET /slow?seconds=0 HTTP/1.1\r\nhost: localhost\r\n\r\n")
        await read_answer(reader)
        async with asyncio.timeout(5):
            assert await reader.read() == b""
        writer.close()


async def test_too_many_clients(serve: Any) -> None:
    async with serve(SmallHost(Echo()), limits=Limits(connections=2)) as listener:
        held = [await asyncio.open_connection("127.0.0.1", listener.port) for _ in range(2)]
        await asyncio.sleep(0.05)
        answer = await raw(listener.port, b"")
        assert (answer.status, answer.code) == (503, "too-many-clients")
        held[0][0].feed_eof()
        for _, writer in held:
            writer.close()
        while listener.connections:
            await asyncio.sleep(0.01)
        assert (await call(listener.port, "GET", "/slow?seconds=0")).status == 200


@pytest.mark.parametrize(
    "data",
    [
        b"\x00\x01\x02\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nhost: localhost\r\n\r\n",
        b"GET /slow HTTP/1.1\r\nhost localhost\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",  # the begin of TLS
        HEAD + b"transfer-encoding: chunked\r\n\r\nzz\r\n",
        b"OPTIONS * HTTP/1.1\r\nhost: localhost\r\n\r\n",
        b"CONNECT example.org:443 HTTP/1.1\r\nhost: localhost\r\n\r\n",
    ],
)
async def test_what_is_no_http_is_refused(serve: Any, data: bytes) -> None:
    async with serve(SmallHost(Echo())) as listener:
        answer = await raw(listener.port, data)
        assert 400 <= answer.status < 500
        assert (await call(listener.port, "GET", "/slow?seconds=0")).status == 200


async def test_an_upgrade_is_answered_as_plain_http(serve: Any) -> None:
    async with serve(SmallHost(Echo())) as listener:
        headers = {"connection": "upgrade", "upgrade": "websocket", "sec-websocket-key": "x"}
        assert (await call(listener.port, "GET", "/slow?seconds=0", headers=headers)).status == 200


@pytest.mark.parametrize("piece", [b"x-more: " + b"v" * 1000 + b"\r\n", b"v" * 1000])
async def test_trailers_without_end_cost_a_client_its_connection(serve: Any, piece: bytes) -> None:
    async with serve(SmallHost(Echo())) as listener:
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.write(HEAD + b"transfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nx-more: ")
        with contextlib.suppress(ConnectionError):
            for _ in range(500):
                writer.write(piece)
            async with asyncio.timeout(5):
                assert await reader.read() == b""
        writer.close()


async def test_a_trailer_is_no_header(serve: Any) -> None:
    class Typed:
        @route("POST", "/echo")
        async def echo(self, data: dict[str, int]) -> int:
            return len(data)

    async with serve(SmallHost(Typed())) as listener:
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        body = b"2\r\n{}\r\n0\r\ncontent-type: text/plain\r\n\r\n"
        writer.write(HEAD + b"transfer-encoding: chunked\r\n\r\n" + body)
        assert (await read_answer(reader)).status == 200
        writer.close()
