"""The listener as a thing of the node: where it listens, what it says, how it ends."""

from __future__ import annotations

import asyncio
import logging
import socket
from typing import Any

import pytest

from junctor.errors import ConfigurationError, PortInUse
from junctor.http.app import Site
from junctor.http.listening.listener import Listener
from junctor.runtime.supervisor import Supervisor
from tests.integration.http.client import call, read_answer
from tests.integration.http.small_host import SmallHost, route


class Slow:
    def __init__(self) -> None:
        self.ended = 0

    @route("GET", "/slow")
    async def slow(self, seconds: float = 0.3) -> str:
        try:
            await asyncio.sleep(seconds)
        finally:
            self.ended += 1
        return "done"


def made(**options: Any) -> Listener:
    return Listener(Site(), spawn=Supervisor().start, **options)


async def test_a_port_in_use_is_an_error_with_the_fix() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortInUse, match=f"port {port} is in use.*--port"):
            await made(port=port).start()


async def test_two_listeners_do_not_share_a_port(serve: Any) -> None:
    async with serve(SmallHost(Slow())) as listener:
        with pytest.raises(PortInUse):
            await made(port=listener.port).start()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"host": "192.0.2.1"}, "cannot listen on 192.0.2.1"),
        ({"host": "no such host"}, "is not an address"),
        ({"port": 70_000}, "is not a port"),
        ({"port": -1}, "is not a port"),
    ],
)
async def test_an_impossible_address(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        await made(**options).start()


async def test_a_port_can_be_taken_again_at_once(serve: Any) -> None:
    async with serve(SmallHost(Slow())) as listener:
        port = listener.port
        assert (await call(port, "GET", "/slow?seconds=0")).status == 200
    again = made(port=port)
    await again.start()
    assert again.port == port
    await again.stop(0)


@pytest.mark.parametrize(
    ("host", "level", "said"),
    [("127.0.0.1", logging.INFO, "listens on http://127.0.0.1:"), ("0.0.0.0", logging.WARNING, "other machines")],
)
async def test_it_says_where_it_listens(caplog: pytest.LogCaptureFixture, host: str, level: int, said: str) -> None:
    caplog.set_level(logging.INFO)
    listener = made(host=host)
    await listener.start()
    await listener.stop(0)
    assert any(said in record.getMessage() and record.levelno == level for record in caplog.records)
    assert listener.url == f"http://127.0.0.1:{listener.port}"


async def test_ipv6(serve: Any) -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6")
    async with serve(SmallHost(Slow()), host="::1") as listener:
        assert listener.url == f"http://[::1]:{listener.port}"
        reader, writer = await asyncio.open_connection("::1", listener.port)
        writer.write(b"GET /slow?seconds=0 HTTP/1.1\r\nhost: [::1]:80\r\n\r\n")
        assert (await read_answer(reader)).status == 200
        writer.close()


async def test_without_httptools_h11_serves(serve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("junctor.http.listening.listener.find_spec", lambda name: None)
    async with serve(SmallHost(Slow())) as listener:
        assert (await call(listener.port, "GET", "/slow?seconds=0")).json == "done"
        assert (await call(listener.port, "GET", "/slow?seconds=x")).code == "parameter"
        running = asyncio.ensure_future(call(listener.port, "GET", "/slow?seconds=0.2"))
        await asyncio.sleep(0.1)
        await listener.stop(2)
        assert (await running).json == "done"


async def test_a_stop_lets_requests_finish_and_takes_no_new_ones(serve: Any) -> None:
    async with serve(SmallHost(Slow())) as listener:
        running = asyncio.ensure_future(call(listener.port, "GET", "/slow?seconds=0.3"))
        idle_reader, idle_writer = await asyncio.open_connection("127.0.0.1", listener.port)
        await asyncio.sleep(0.1)
        stopping = asyncio.ensure_future(listener.stop(5))
        await asyncio.sleep(0.05)
        with pytest.raises(OSError):
            await asyncio.open_connection("127.0.0.1", listener.port)
        answer = await running
        assert (answer.status, answer.json, answer.headers["connection"]) == (200, "done", "close")
        assert await idle_reader.read() == b""
        await stopping
        await listener.stop(5)
        idle_writer.close()


async def test_a_stop_does_not_wait_longer_than_its_grace(serve: Any, caplog: pytest.LogCaptureFixture) -> None:
    service = Slow()
    async with serve(SmallHost(service)) as listener:
        running = asyncio.ensure_future(call(listener.port, "GET", "/slow?seconds=60"))
        await asyncio.sleep(0.1)
        async with asyncio.timeout(3):
            await listener.stop(0.2)
        assert (await running).code == "not-running"
        assert service.ended == 1 and listener.connections == 0
        assert "grace" in caplog.text


async def test_a_client_that_leaves_does_not_disturb(serve: Any, caplog: pytest.LogCaptureFixture) -> None:
    service = Slow()
    async with serve(SmallHost(service)) as listener:
        for sent in (b"GET /slow?seconds=0.1 HTTP/1.1\r\nhost: localhost\r\n\r\n", b"POST /slow HTTP/1.1\r\nhost: l"):
            _, writer = await asyncio.open_connection("127.0.0.1", listener.port)
            writer.write(sent)
            await writer.drain()
            await asyncio.sleep(0.02)
            writer.transport.abort()
        await asyncio.sleep(0.2)
        assert service.ended == 1
        assert (await call(listener.port, "GET", "/slow?seconds=0")).status == 200
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
