"""WebSockets of clients that send frames as no library would: by the thousand, without content, without reading."""

from __future__ import annotations

import asyncio
import contextlib
import struct
from collections.abc import AsyncIterator
from typing import Any

import pytest

from junctor import Flow, Service, Socket, SocketClosed, websocket
from tests.integration.http.test_sockets import HANDSHAKE, KEY, VERSION, Running, running

TEXT, MORE, CLOSE, PING = 1, 0, 8, 9


def frame(kind: int, payload: bytes = b"", *, last: bool = True) -> bytes:
    size = len(payload)
    length = bytes([0x80 | size]) if size < 126 else b"\xfe" + struct.pack("!H", size)
    return bytes([(0x80 if last else 0) | kind]) + length + bytes(4) + payload


class Sink(Service):
    def __init__(self) -> None:
        self.numbers: list[int] = []
        self.ended = asyncio.Event()

    @websocket("/sink")
    async def sink(self, socket: Socket[int, None]) -> None:
        async for number in socket:
            await asyncio.sleep(0.001)  # meanwhile the client leaves
            self.numbers.append(number)
        self.ended.set()


class Torrent(Service):
    def __init__(self) -> None:
        self.ended = asyncio.Event()

    @websocket("/torrent")
    async def torrent(self, socket: Socket[None, str]) -> None:
        try:
            for _ in range(20_000):
                await socket.send("x" * 1000)
        except SocketClosed:
            self.ended.set()


class Plain:
    """A client on a bare connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def receive(self) -> bytes:
        """The payload of the next frame, which is neither masked nor long."""
        _, size = await self.reader.readexactly(2)
        if size == 126:
            size = int.from_bytes(await self.reader.readexactly(2))
        return await self.reader.readexactly(size)


@contextlib.asynccontextmanager
async def plain(run: Running, path: str) -> AsyncIterator[Plain]:
    reader, writer = await asyncio.open_connection("127.0.0.1", run.port)
    writer.write(HANDSHAKE.format(path=path, more=KEY + VERSION).encode())
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 101 "), head
    try:
        async with asyncio.timeout(60):
            yield Plain(reader, writer)
    finally:
        writer.transport.abort()


async def test_pings_of_a_client_that_takes_no_answers_fill_no_memory() -> None:
    async with running() as run, plain(run, "/deaf") as client:
        client.reader._transport.pause_reading()  # type: ignore[attr-defined]
        sent = 0
        with contextlib.suppress(TimeoutError):
            while sent < 100_000_000:
                client.writer.write(frame(PING, b"x" * 125) * 1000)
                async with asyncio.timeout(3):
                    await client.writer.drain()
                sent += 131_000
        assert sent < 50_000_000, "the listener read on"


async def test_pings_that_are_read_late_are_all_answered() -> None:
    async with running() as run, plain(run, "/any") as client:
        client.reader._transport.pause_reading()  # type: ignore[attr-defined]
        for number in range(60_000):
            client.writer.write(frame(PING, b"%0125d" % number))
        client.writer.write(frame(TEXT, b'"end"'))
        await asyncio.sleep(0.5)
        client.reader._transport.resume_reading()  # type: ignore[attr-defined]
        for number in range(60_000):
            assert await client.receive() == b"%0125d" % number
        assert await client.receive() == b'"end"'


async def test_fragments_by_the_thousand_leave_others_their_turn() -> None:
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async with running() as run, plain(run, "/any") as client:
        empty = frame(MORE, last=False) * 40_000
        client.writer.write(frame(TEXT, b'"a', last=False) + empty + frame(MORE, b'b"'))
        watching = asyncio.ensure_future(others())
        assert await client.receive() == b'"ab"'
        watching.cancel()
        assert turns > 100


async def test_a_message_of_many_pieces_is_whole() -> None:
    text = b'"' + b"".join(b"%02d" % (number % 100) for number in range(5000)) + b'"'
    async with running() as run, plain(run, "/any") as client:
        pieces = [text[at : at + 2] for at in range(0, len(text), 2)]
        client.writer.write(frame(TEXT, pieces[0], last=False))
        client.writer.write(b"".join(frame(MORE, piece, last=False) for piece in pieces[1:]) + frame(MORE))
        assert await client.receive() == text


async def test_small_messages_in_one_packet_come_in_their_order() -> None:
    async with running() as run, plain(run, "/any") as client:
        client.writer.write(b"".join(frame(TEXT, b"%d" % number) for number in range(20_000)))
        assert [int(await client.receive()) for _ in range(20_000)] == list(range(20_000))


@pytest.mark.parametrize("how", ["close", "end"])
async def test_what_was_sent_before_the_end_is_received(how: str) -> None:
    flow = Flow("f").add(Sink())
    async with flow.running(transport="memory", http=True) as node, plain(Running(node), "/sink") as client:
        host: Any = node.engine.hosts["f/sink"]
        sink: Sink = host.slots[0].instance
        goodbye = frame(CLOSE, b"\x03\xe8") if how == "close" else b""
        client.writer.write(b"".join(frame(TEXT, b"%d" % number) for number in range(500)) + goodbye)
        client.writer.write_eof()
        await sink.ended.wait()
        assert sink.numbers == list(range(500))


async def test_a_method_that_only_sends_hears_that_its_client_has_gone() -> None:
    flow = Flow("f").add(Torrent())
    async with flow.running(transport="memory", http=True) as node:
        host: Any = node.engine.hosts["f/torrent"]
        async with plain(Running(node), "/torrent") as client:
            await client.receive()
        async with asyncio.timeout(10):
            await host.slots[0].instance.ended.wait()
