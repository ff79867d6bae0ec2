"""Answers that go out in one piece, through a real connection: they are what uvicorn would have sent."""

from __future__ import annotations

import asyncio
from typing import Any

from junctor.http import Response
from junctor.http.listening import exchange
from junctor.http.listening.limits import Limits
from tests.integration.http.client import read_answer
from tests.integration.http.small_host import SmallHost, route


class Answers:
    @route("GET", "/text")
    async def text(self) -> Response:
        return Response("four", headers={"x-one": "1"}, media_type="text/plain")

    @route("GET", "/empty")
    async def empty(self) -> None:
        return None

    @route("GET", "/large")
    async def large(self) -> bytes:
        return bytes(300_000)

    @route("GET", "/last")
    async def last(self) -> Response:
        return Response("bye", headers={"connection": "close"})

    @route("GET", "/odd")
    async def odd(self, name: str, value: str) -> Response:
        made = Response("odd")
        made.raw_headers.append((name.encode("latin-1"), value.encode("latin-1")))
        return made

    @route("POST", "/echo")
    async def echo(self, data: bytes) -> bytes:
        return data


async def sent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, start: bytes) -> bytes:
    """Everything that answers a request on a connection which the client closes after it."""
    writer.write(start + b"\r\nhost: localhost\r\nconnection: close\r\n\r\n")
    return await reader.read()


async def ask(port: int, start: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        return await sent(reader, writer, start)
    finally:
        writer.close()


async def test_head_and_body(serve: Any) -> None:
    async with serve(SmallHost(Answers())) as listener:
        head, _, body = (await ask(listener.port, b"GET /text HTTP/1.1")).partition(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        assert lines[0] == b"HTTP/1.1 200 OK" and body == b"four"
        assert {b"x-one: 1", b"content-length: 4", b"connection: close"} <= set(lines)
        assert len([line for line in lines if line.startswith(b"date: ")]) == 1


async def test_no_body_goes_where_none_belongs(serve: Any) -> None:
    async with serve(SmallHost(Answers())) as listener:
        head, _, body = (await ask(listener.port, b"HEAD /text HTTP/1.1")).partition(b"\r\n\r\n")
        assert b"content-length: 4" in head and body == b""
        head, _, body = (await ask(listener.port, b"GET /empty HTTP/1.1")).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 204 ") and b"content-length" not in head and body == b""


async def test_a_large_answer_and_one_behind_it(serve: Any) -> None:
    async with serve(SmallHost(Answers())) as listener:
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        for path in (b"large", b"text", b"large", b"text"):
            writer.write(b"GET /" + path + b" HTTP/1.1\r\nhost: localhost\r\n\r\n")
        sizes = [len((await read_answer(reader)).body) for _ in range(4)]
        assert sizes == [300_000, 4, 300_000, 4]
        writer.close()


async def test_an_answer_may_end_its_connection(serve: Any) -> None:
    async with serve(SmallHost(Answers())) as listener:
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.write(b"GET /last HTTP/1.1\r\nhost: localhost\r\n\r\n")
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        assert head.lower().count(b"connection: close") == 1 and body == b"bye"
        writer.close()


async def test_a_header_that_would_end_another_one_is_not_sent_the_second_time_either(serve: Any) -> None:
    async with serve(SmallHost(Answers())) as listener:
        for _ in range(2):
            for query in (b"name=x&value=1%0d%0aevil:%201", b"name=x%0a&value=1", b"name=x:y&value=1"):
                got = await ask(listener.port, b"GET /odd?" + query + b" HTTP/1.1")
                assert got.startswith(b"HTTP/1.1 500 ") and b"evil" not in got
        assert b"\r\nx: 1\r\n" in await ask(listener.port, b"GET /odd?name=X&value=1 HTTP/1.1")


async def test_what_is_known_of_headers_stays_small(serve: Any) -> None:
    async with serve(SmallHost(Answers())) as listener:
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        for number in range(exchange._MOST_KNOWN * 2 + 10):
            writer.write(b"GET /odd?name=x-%d&value=1 HTTP/1.1\r\nhost: localhost\r\n\r\n" % number)
            assert (await read_answer(reader)).headers[f"x-{number}"] == "1"
        writer.close()
        assert 0 < len(exchange._lines) <= exchange._MOST_KNOWN
        await ask(listener.port, b"GET /odd?name=set-cookie&value=secret HTTP/1.1")
        assert not any(b"secret" in line for line in exchange._lines.values())


async def test_a_body_that_comes_in_pieces(serve: Any) -> None:
    async with serve(SmallHost(Answers())) as listener:
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        for _ in range(3):
            writer.write(b"POST /echo HTTP/1.1\r\nhost: localhost\r\ncontent-length: 6\r\nexpect: 100-continue\r\n\r\n")
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100 ")
            for piece in (b"ab", b"cd", b"ef"):
                writer.write(piece)
                await asyncio.sleep(0.002)
            assert (await read_answer(reader)).body == b"abcdef"
        writer.close()


async def test_an_idle_connection_is_closed(serve: Any) -> None:
    async with serve(SmallHost(Answers()), limits=Limits(keep_alive=0.5)) as listener:
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        for _ in range(4):
            writer.write(b"GET /text HTTP/1.1\r\nhost: localhost\r\n\r\n")
            assert (await read_answer(reader)).status == 200
        async with asyncio.timeout(20):
            assert await reader.read() == b""
        writer.close()
