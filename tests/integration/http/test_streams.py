"""Answers that come in parts: framing, backpressure, and how they end, whoever ends them."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
import pytest

from junctor.core.lifecycle import State
from junctor.http import Event, Header, HttpError, stream
from junctor.http.answers import streams as streaming
from junctor.http.endpoints import end_streams
from tests.integration.http.client import call
from tests.integration.http.small_host import SmallHost, route


@dataclass
class Point:
    x: int


class Lab:
    """Streams of every kind, with a record of how they ended."""

    def __init__(self) -> None:
        self.ended = asyncio.Event()
        self.loop = asyncio.get_running_loop()
        self.yielded = 0
        self.thread = ""

    def end(self) -> None:
        self.loop.call_soon_threadsafe(self.ended.set)

    @route("GET", "/points")
    async def points(self, count: int = 2) -> AsyncIterator[Point]:
        for number in range(count):
            yield Point(number)

    @route("GET", "/events")
    async def events(self, last: Annotated[int, Header("last-event-id")] = 0) -> AsyncIterator[Event[Point]]:
        yield Event(Point(last + 1), event="point", id=str(last + 1), retry=500)
        yield Event(Point(last + 2))

    @route("GET", "/words")
    async def words(self) -> AsyncIterator[Event[str]]:
        yield Event("one\ntwo\r\nthree\rfour")

    @route("GET", "/text")
    def text(self) -> Iterator[str]:
        self.thread = threading.current_thread().name
        yield "grün\n"
        yield "blau\n"

    @route("GET", "/unknown")
    async def unknown(self, kind: str) -> Any:
        values: dict[str, Any] = {"text": "a", "bytes": b"b", "point": Point(1)}
        return stream(iter([values[kind]] * 2))

    @route("GET", "/csv")
    async def csv(self) -> Any:
        return stream(iter(["a;b\n"]), "text/csv", status=203, headers={"x-rows": "1"})

    @route("GET", "/empty")
    async def empty(self) -> AsyncIterator[Point]:
        for one in ():
            yield one

    @route("GET", "/refused")
    async def refused(self) -> AsyncIterator[Point]:
        raise HttpError("there is no such stream", status=404)
        yield Point(1)

    @route("GET", "/broken")
    async def broken(self, text: bool = False) -> AsyncIterator[Point]:
        yield Point(1)
        raise RuntimeError("secret inside")

    @route("GET", "/odd")
    async def odd(self) -> AsyncIterator[str]:
        yield "text"
        yield 1  # type: ignore[misc]

    @route("GET", "/endless")
    async def endless(self) -> AsyncIterator[Point]:
        try:
            yield Point(1)
            await asyncio.Event().wait()
        finally:
            self.end()

    @route("GET", "/silent")
    async def silent(self) -> AsyncIterator[Event[Point]]:
        try:
            await asyncio.Event().wait()
            yield Event(Point(1))
        finally:
            self.end()

    @route("GET", "/flood")
    async def flood(self) -> AsyncIterator[bytes]:
        try:
            while True:
                self.yielded += 1
                yield b"x" * 16384
        finally:
            self.end()

    @route("GET", "/blocking-flood")
    def blocking_flood(self) -> Iterator[bytes]:
        try:
            while True:
                self.yielded += 1
                yield b"x" * 16384
        finally:
            self.end()


class Reader:
    """A client that reads an answer piece by piece."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.status, self.headers = 0, ""

    async def head(self) -> Reader:
        text = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        self.status, self.headers = int(text.split()[1]), text
        return self

    async def chunk(self) -> bytes:
        """The next chunk, empty at the proper end.

        :raises IncompleteReadError: the connection was dropped before it.
        """
        size = int((await self.reader.readuntil(b"\r\n")).strip(), 16)
        return (await self.reader.readexactly(size + 2))[:-2]

    async def rest(self) -> bytes:
        found = b""
        while piece := await self.chunk():
            found += piece
        return found


@contextlib.asynccontextmanager
async def reading(port: int, path: str, *headers: str, method: str = "GET") -> AsyncIterator[Reader]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    lines = [f"{method} {path} HTTP/1.1", "host: 127.0.0.1", *headers, "", ""]
    writer.write("\r\n".join(lines).encode())
    try:
        yield Reader(reader, writer)
    finally:
        writer.close()


async def whole(port: int, path: str, *headers: str) -> tuple[int, str, bytes]:
    async with reading(port, path, *headers) as client:
        await client.head()
        return client.status, client.headers, await client.rest()


EVENTS = "accept: text/event-stream"


async def test_typed_values_are_lines_or_events_as_the_client_likes(serve: Any) -> None:
    async with serve(SmallHost(Lab())) as listener:
        status, head, body = await whole(listener.port, "/points?count=3")
        assert (status, body) == (200, b'{"x":0}\n{"x":1}\n{"x":2}\n')
        assert "content-type: application/x-ndjson" in head and "junctor-session:" in head
        status, head, body = await whole(listener.port, "/points", EVENTS)
        assert (status, body) == (200, b'data: {"x":0}\n\ndata: {"x":1}\n\n')
        assert "content-type: text/event-stream" in head and "cache-control: no-cache" in head


async def test_events_carry_name_id_and_retry(serve: Any) -> None:
    async with serve(SmallHost(Lab())) as listener:
        _, head, body = await whole(listener.port, "/events", "last-event-id: 6")
        assert "content-type: text/event-stream" in head
        assert body == b'event: point\nid: 7\nretry: 500\ndata: {"x":7}\n\ndata: {"x":8}\n\n'
        _, _, body = await whole(listener.port, "/words")
        assert body == b"data: one\ndata: two\ndata: three\ndata: four\n\n"
        _, _, body = await whole(listener.port, "/events", "accept: application/x-ndjson")
        assert body == b'{"x":1}\n{"x":2}\n'


@pytest.mark.parametrize("text", ["a\nb", "a\rb", "a\0"])
def test_an_event_has_one_line_for_its_name(text: str) -> None:
    with pytest.raises(ValueError, match="one line"):
        Event(1, event=text)
    with pytest.raises(ValueError, match="one line"):
        Event(1, id=text)


async def test_text_of_a_plain_generator_comes_from_a_thread(serve: Any) -> None:
    lab = Lab()
    async with serve(SmallHost(lab)) as listener:
        _, head, body = await whole(listener.port, "/text")
    assert body.decode() == "grün\nblau\n" and "text/plain; charset=utf-8" in head
    assert lab.thread and lab.thread != threading.main_thread().name


async def test_without_a_declaration_the_first_value_decides(serve: Any) -> None:
    async with serve(SmallHost(Lab())) as listener:
        for kind, media, expected in [
            ("text", "text/plain", b"aa"),
            ("bytes", "application/octet-stream", b"bb"),
            ("point", "application/x-ndjson", b'{"x":1}\n{"x":1}\n'),
        ]:
            _, head, body = await whole(listener.port, f"/unknown?kind={kind}")
            assert body == expected and f"content-type: {media}" in head
        status, head, body = await whole(listener.port, "/csv")
        assert (status, body) == (203, b"a;b\n") and "text/csv; charset=utf-8" in head and "x-rows: 1" in head
        assert (await whole(listener.port, "/empty"))[::2] == (200, b"")


async def test_a_refusal_before_the_first_value_has_its_own_status(serve: Any) -> None:
    async with serve(SmallHost(Lab())) as listener:
        answer = await call(listener.port, "GET", "/refused")
        assert (answer.status, answer.code) == (404, "http")
        assert (await call(listener.port, "GET", "/points?count=x")).status == 422


async def test_head_runs_nothing(serve: Any) -> None:
    host = SmallHost(Lab())
    async with serve(host) as listener:
        async with reading(listener.port, "/endless", method="HEAD") as client:
            await client.head()
            assert client.status == 200 and "content-type: application/x-ndjson" in client.headers
    assert host.hops == []


async def test_an_error_in_the_middle_is_seen(serve: Any, caplog: pytest.LogCaptureFixture) -> None:
    async with serve(SmallHost(Lab())) as listener:
        _, _, body = await whole(listener.port, "/broken", EVENTS)
        name, data = body.decode().split("\n\n")[1].split("\n")
        problem = msgspec.json.decode(data.removeprefix("data: "))
        assert name == "event: error" and problem["code"] == "handler-failed" and "secret" not in body.decode()
        async with reading(listener.port, "/broken") as client:
            assert await (await client.head()).chunk() == b'{"x":1}\n'
            with pytest.raises(asyncio.IncompleteReadError):
                await client.chunk()
        async with reading(listener.port, "/odd") as client:
            with pytest.raises(asyncio.IncompleteReadError):
                await (await client.head()).rest()
    assert "secret inside" in caplog.text


@pytest.mark.parametrize("path", ["/endless", "/flood", "/blocking-flood", "/silent"])
async def test_a_client_that_leaves_ends_the_generator(serve: Any, path: str) -> None:
    lab = Lab()
    host = SmallHost(lab)
    async with serve(host) as listener:
        async with reading(listener.port, path) as client:
            await client.head()
        async with asyncio.timeout(10):
            await lab.ended.wait()
            while host.lasting:
                await asyncio.sleep(0)


@pytest.mark.parametrize("path", ["/endless", "/flood", "/blocking-flood", "/silent"])
async def test_the_end_of_a_service_ends_its_streams(serve: Any, path: str) -> None:
    lab = Lab()
    host = SmallHost(lab)
    async with serve(host) as listener, reading(listener.port, path, EVENTS) as client:
        await client.head()
        end_streams(host)
        async with asyncio.timeout(10):
            if path in ("/endless", "/silent"):
                await client.rest()  # events: the client comes again by itself
            else:
                with pytest.raises(asyncio.IncompleteReadError):
                    await client.rest()  # what was cut short does not look complete
            await lab.ended.wait()


@pytest.mark.parametrize("path", ["/flood", "/blocking-flood"])
async def test_a_client_that_does_not_read_stops_the_generator(serve: Any, path: str) -> None:
    lab = Lab()
    async with serve(SmallHost(lab)) as listener, reading(listener.port, path) as client:
        await client.head()
        before = -1
        while before != lab.yielded:  # it stands still when the buffers on the way are full
            before = lab.yielded
            await asyncio.sleep(0.2)
        assert lab.yielded * 16384 < 32 * 1024 * 1024
        for _ in range(200):
            await client.chunk()
        while lab.yielded == before:
            await asyncio.sleep(0.01)


async def test_streams_have_places_of_their_own(serve: Any) -> None:
    host = SmallHost(Lab(), calls=1)
    async with serve(host) as listener, reading(listener.port, "/endless") as client:
        await (await client.head()).chunk()
        assert (await call(listener.port, "GET", "/endless")).status == 503
        assert (host.in_flight, host.lasting) == (0, 1)


async def test_silence_is_filled_for_events(serve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "KEEP_ALIVE", 0.02)
    monkeypatch.setattr(streaming, "FIRST", 0.02)
    async with serve(SmallHost(Lab())) as listener, reading(listener.port, "/silent") as client:
        assert await (await client.head()).chunk() == b":\n\n"
        assert await client.chunk() == b":\n\n"


async def test_a_stopped_service_refuses(serve: Any) -> None:
    host = SmallHost(Lab())
    async with serve(host) as listener:
        host.lifecycle.to(State.STOPPING)
        assert (await call(listener.port, "GET", "/points")).status == 503


async def test_nothing_is_left_of_a_thousand_streams(serve: Any) -> None:
    host = SmallHost(Lab())
    async with serve(host) as listener:
        for _ in range(20):
            await asyncio.gather(*(whole(listener.port, "/points") for _ in range(50)))
        gc.collect()
        assert host.lasting == 0
        assert not [one for one in gc.get_objects() if type(one) is streaming.Stream]
