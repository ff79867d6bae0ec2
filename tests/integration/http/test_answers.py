"""Answers of a route's own making: their lengths, their statuses, and what the inside tells of itself."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from junctor.errors import ConfigurationError, StateConflict
from junctor.http import HttpError, Response, html, set_cookie, stream
from tests.integration.http.client import call, read_answer
from tests.integration.http.small_host import SmallHost, route

PAGE = html("<h1>kept</h1>")


class Theirs:
    """A response of another framework that is wrong in itself."""

    def __init__(self, status: int, breaks: bool = False) -> None:
        self.status_code = status
        self.raw_headers: list[tuple[bytes, bytes]] = []
        self.breaks = breaks

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        if self.breaks:
            raise OSError("the disk under it has gone")
        await send({"type": "http.response.body", "body": b"theirs"})


class Lab:
    @route("GET", "/kept")
    async def kept(self) -> Response:
        return PAGE

    @route("GET", "/framed")
    async def framed(self, length: str = "100") -> Response:
        return Response("hello", headers={"content-length": length, "transfer-encoding": "chunked", "x-mine": "1"})

    @route("GET", "/status/{status}")
    async def status(self, status: int) -> Any:
        return Theirs(status)

    @route("GET", "/breaks")
    async def breaks(self) -> Any:
        return Theirs(200, breaks=True)

    @route("GET", "/inside")
    async def inside(self, which: int) -> None:
        if which:
            raise StateConflict("the state of /var/lib/plant was changed", where="plant/tank")
        raise ConfigurationError("the password file /etc/plant/secret is empty", where="/etc/plant/flow.yaml:3")


async def test_a_response_that_is_returned_again_says_its_length_once(serve: Any) -> None:
    async with serve(SmallHost(Lab())) as listener:
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        for _ in range(3):
            writer.write(b"GET /kept HTTP/1.1\r\nhost: localhost\r\n\r\n")
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.count(b"content-length") == head.count(b"junctor-session") == 1
            assert await reader.readexactly(13) == PAGE.body
        writer.close()
        assert [name for name, _ in PAGE.raw_headers] == [b"content-type"]


@pytest.mark.parametrize("length", ["100", "1", "5", "x"])
async def test_the_length_is_that_of_the_body(serve: Any, length: str) -> None:
    """What a route says of it could make a proxy take the next answer for a part of this one."""
    async with serve(SmallHost(Lab())) as listener:
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.write(f"GET /framed?length={length} HTTP/1.1\r\nhost: localhost\r\n\r\n".encode() * 2)
        for _ in range(2):
            answer = await read_answer(reader)
            assert (answer.body, answer.headers["content-length"], answer.headers["x-mine"]) == (b"hello", "5", "1")
            assert "transfer-encoding" not in answer.headers
        writer.close()


@pytest.mark.parametrize("status", [-1, 0, 99, 100, 101, 600, 1000])
async def test_a_status_that_there_is_not(serve: Any, caplog: pytest.LogCaptureFixture, status: int) -> None:
    with pytest.raises(ValueError, match="is no status from 200 to 599"):
        Response("x", status)
    with pytest.raises(ValueError, match="is no status from 200 to 599"):
        stream(iter(()), status=status)
    with pytest.raises(ValueError, match="is no status from 300 to 599"):
        HttpError("x", status=status)
    async with serve(SmallHost(Lab())) as listener:
        assert (await call(listener.port, "GET", f"/status/{status}")).status == 500
    assert f"GET '/status/{status}': the answer broke off" in caplog.text


def test_a_route_with_a_status_that_there_is_not(serve: Any) -> None:
    class Odd:
        @route("GET", "/odd", 1000)
        async def odd(self) -> int:
            return 1

    async def start() -> None:
        async with serve(SmallHost(Odd())):
            pass

    with pytest.raises(ConfigurationError, match="1000 is no status of an answer"):
        asyncio.run(start())


async def test_an_answer_that_breaks_off_is_in_the_log(serve: Any, caplog: pytest.LogCaptureFixture) -> None:
    async with serve(SmallHost(Lab())) as listener:
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.write(b"GET /breaks HTTP/1.1\r\nhost: localhost\r\n\r\n")
        assert b"theirs" not in await reader.read()
        writer.close()
    assert "GET '/breaks': the answer broke off" in caplog.text and "the disk under it" in caplog.text


@pytest.mark.parametrize(("which", "code"), [(0, "configuration"), (1, "state-conflict")])
async def test_errors_that_are_no_refusals_stay_inside(
    serve: Any, caplog: pytest.LogCaptureFixture, which: int, code: str
) -> None:
    with caplog.at_level(logging.WARNING):
        async with serve(SmallHost(Lab())) as listener:
            answer = await call(listener.port, "GET", f"/inside?which={which}")
    assert (answer.status, answer.code) == (500, code)
    assert b"plant" not in answer.body and answer.json["session"] in answer.json["fix"]
    assert "plant" in caplog.text


@pytest.mark.parametrize("path", ["/; Domain=evil.example", "/\r\nx: y", "/ü"])
def test_a_cookie_has_the_attributes_that_are_meant(path: str) -> None:
    with pytest.raises(ValueError, match="a path has no semicolons"):
        set_cookie("sid", "1", path=path)
