"""A link that fails: a TCP proxy between a client and a server, to cut, block, slow and spoil."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Coroutine
from typing import Any, Literal

from tests.servers.ports import lasting_port

CHUNK = 65_536
_RESET = struct.pack("ii", 1, 0)  # closing sends a reset and not an end


class Link:
    """Connections to ``port`` go to ``target`` of 127.0.0.1. It runs in a thread, for sync and async tests alike.

    ``accepted``: how many connections came so far; ``sent`` and ``received``: bytes to the server and from it. ``tap``
    is called with what is passed on, before it is: ``tap("sent", data)``.
    """

    def __init__(self, target: int) -> None:
        self.target = target
        self.accepted = self.sent = self.received = 0
        self._mode: Literal["open", "half-open", "nonsense"] = "open"
        self.tap: Callable[[str, bytes], object] | None = None
        self._nonsense = b""
        self._rate: float | None = None
        self._cut_after: int | None = None
        self._pairs: set[_Pair] = set()
        self._server: asyncio.Server | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="link")
        self._thread.start()
        self.port = lasting_port()
        self._call(self._listen())

    def __enter__(self) -> Link:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def connections(self) -> int:
        """How many are open."""
        return len(self._pairs)

    def cut(self) -> None:
        """Resets every connection; new ones are refused."""
        self._call(self._cut())

    def drop(self) -> None:
        """Resets every connection; new ones work."""
        self._call(self._reset())

    def cut_after(self, count: int) -> None:
        """As :meth:`cut`, when ``count`` more bytes came from the client. They reach the server."""
        self._cut_after = self.sent + count

    def half_open(self) -> None:
        """Connections stay and new ones are accepted; what is sent vanishes."""
        self._call(self._become("half-open"))

    def nonsense(self, answer: bytes = b"\xff\x00 nonsense \r\n\r\n") -> None:
        """Whatever the client sends is answered with this."""
        self._nonsense = answer
        self._call(self._become("nonsense"))

    def slow(self, bytes_a_second: float) -> None:
        """In each direction of each connection."""
        self._rate = bytes_a_second

    def heal(self) -> None:
        """All works. A connection that has lost bytes is reset."""
        self._call(self._heal())

    def close(self) -> None:
        self._call(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _call(self, what: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(what, self._loop).result(10)

    async def _listen(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_server(self._connected, "127.0.0.1", self.port)

    async def _cut(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        await self._reset()

    async def _reset(self) -> None:
        for pair in list(self._pairs):
            pair.reset()
        await asyncio.sleep(0)

    async def _become(self, mode: Literal["half-open", "nonsense"]) -> None:
        self._mode = mode

    async def _heal(self) -> None:
        self._mode, self._rate, self._cut_after = "open", None, None
        for pair in [pair for pair in self._pairs if pair.lost]:
            pair.reset()
        await self._listen()

    async def _end(self) -> None:
        await self._cut()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        pair = _Pair(writer)
        self._pairs.add(pair)
        try:
            with contextlib.suppress(OSError):
                await self._join(pair, reader)
        finally:
            pair.reset()
            self._pairs.discard(pair)

    async def _join(self, pair: _Pair, reader: asyncio.StreamReader) -> None:
        if self._mode != "open":
            pair.lost = True
            while data := await reader.read(CHUNK):
                await self._lose(data, pair)
            return
        back, pair.server = await asyncio.open_connection("127.0.0.1", self.target)
        ways = [
            asyncio.ensure_future(self._forward(pair, reader, pair.server, "sent")),
            asyncio.ensure_future(self._forward(pair, back, pair.client, "received")),
        ]
        try:
            await asyncio.gather(*ways)
        finally:
            for way in ways:
                way.cancel()

    async def _forward(
        self, pair: _Pair, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: Literal["sent", "received"]
    ) -> None:
        while data := await reader.read(CHUNK if self._rate is None else max(1, int(self._rate / 20))):
            if self._mode != "open":
                pair.lost = True
                if way == "sent":
                    await self._lose(data, pair)
                continue
            if self._rate is not None:
                await asyncio.sleep(len(data) / self._rate)
            if self.tap is not None:
                self.tap(way, data)
            setattr(self, way, getattr(self, way) + len(data))
            writer.write(data)
            await writer.drain()
            await self._perhaps_cut()
        if self._mode != "half-open" and writer.can_write_eof():
            writer.write_eof()
        elif self._mode == "half-open":
            await asyncio.Event().wait()  # the other side does not hear that this one went

    async def _perhaps_cut(self) -> None:
        if self._cut_after is not None and self.sent >= self._cut_after:
            self._cut_after = None
            await self._cut()

    async def _lose(self, data: bytes, pair: _Pair) -> None:
        if self._mode == "nonsense":
            pair.client.write(self._nonsense)
            await pair.client.drain()


class _Pair:
    """The two ends of a connection; ``lost``: bytes of it have vanished."""

    def __init__(self, client: asyncio.StreamWriter) -> None:
        self.client = client
        self.server: asyncio.StreamWriter | None = None
        self.lost = False

    def reset(self) -> None:
        for writer in (self.client, self.server):
            if writer is None or writer.transport.is_closing():
                continue
            with contextlib.suppress(OSError):
                sock = writer.get_extra_info("socket")
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            writer.transport.abort()
