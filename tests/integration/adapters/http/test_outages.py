"""http-out where the other side is away, slow, somebody else, or answers nonsense."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import pytest
from aiohttp import web

from junctor.adapters.http.failed import HttpCallFailed
from junctor.errors import RequestFailed
from junctor.node.node import Node
from junctor.testing import running
from tests.integration.adapters.http.flows import comes, note_of, outbound, parked, sinks
from tests.integration.adapters.http.partner import Partner
from tests.servers.authority import Authority


@pytest.fixture(autouse=True)
def _no_sinks() -> None:
    sinks.clear()


async def held(node: Node, *words: str) -> None:
    """Wait until it is held for this reason."""
    await comes(lambda: all(word in note_of(node, "crm") for word in words))
    assert not parked(node)


Then = Callable[[asyncio.StreamWriter], Any]


@asynccontextmanager
async def saying(
    *pieces: bytes, then: Callable[[asyncio.StreamWriter], Any] | None = None
) -> AsyncIterator[list[bytes]]:
    """A server that says this to whoever connects, whatever is asked; gives what was asked, its port first."""
    asked: list[bytes] = []
    running: set[asyncio.Task[Any]] = set()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        running.add(cast("asyncio.Task[Any]", asyncio.current_task()))
        try:
            asked.append(await reader.readuntil(b"\r\n\r\n"))
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
            if then is not None:
                await then(writer)
        finally:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    asked.append(b"%d" % server.sockets[0].getsockname()[1])
    try:
        yield asked
    finally:
        server.close()
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await asyncio.sleep(0)


def url(asked: list[bytes]) -> str:
    return f"http://127.0.0.1:{asked[0].decode()}/x"


async def test_nobody_listens_and_then_somebody_does() -> None:
    async with Partner() as partner:
        await partner.stop()
        async with outbound(partner.url).running(transport="memory") as node:
            for number in range(3):
                await node.target("crm", Any).send(number)
            await held(node, "cannot be reached")
            await partner.start()
            await comes(lambda: len(partner.asked) == 3)
            assert [one.body for one in partner.asked] == [b"0", b"1", b"2"]


async def test_the_reason_that_is_told_is_that_of_the_last_attempt() -> None:
    async with Partner([503]) as partner:
        await partner.stop()
        async with outbound(partner.url).running(transport="memory") as node:
            await node.target("crm", Any).send(1)
            await held(node, "cannot be reached")
            await partner.start()
            await held(node, "503 Service Unavailable")


async def test_a_link_that_is_cut_and_one_that_is_half_open(link: Any) -> None:
    async with Partner() as partner:
        between = link(partner.port)
        flow = outbound(f"http://127.0.0.1:{between.port}/x", timeout="300ms")
        async with flow.running(transport="memory") as node:
            await node.target("crm", Any).send(0)
            await comes(lambda: len(partner.asked) == 1)
            between.cut()
            await node.target("crm", Any).send(1)
            await held(node, "cannot be reached")
            between.heal()
            await comes(lambda: len(partner.asked) == 2)
            between.half_open()
            await node.target("crm", Any).send(2)
            await held(node, "did not answer within 0.3 s")
            between.heal()
            await comes(lambda: {one.body for one in partner.asked} == {b"0", b"1", b"2"})
            await comes(lambda: note_of(node, "crm").endswith("200 OK"))


async def test_a_slow_answer_takes_as_long_as_it_may() -> None:
    async def drip(writer: asyncio.StreamWriter) -> None:
        for _ in range(100):
            writer.write(b".")
            await asyncio.sleep(0.02)

    async with saying(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", then=drip) as asked:
        async with outbound(url(asked), timeout="200ms").running(transport="memory") as node:
            await node.target("crm", Any).send({})
            await held(node, "did not answer within 0.2 s")


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 12\r\n\r\n\x1f\x8b\x08\0\0\0\0\0\0\x03\xcbH",
    ],
)
async def test_an_answer_that_is_cut_is_an_outage(answer: bytes) -> None:
    async with saying(answer) as asked, outbound(url(asked)).running(transport="memory") as node:
        await node.target("crm", Any).send({})
        await comes(lambda: len(asked) > 3)
        await held(node, "cut" if len(answer) > 30 else "closed the connection")
        keys = [line for one in asked[1:] for line in one.split(b"\r\n") if line.startswith(b"Idempotency-Key")]
        assert len(keys) > 1 and len(set(keys)) == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"220 mail.example ESMTP\r\n",
        b"\x16\x03\x01\x00\xff\x00",
        b"HTTP/1.1 soon OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
    ],
)
async def test_what_is_no_http_is_tried_again_and_then_parked(answer: bytes) -> None:
    async with saying(answer) as asked, outbound(url(asked)).running(transport="memory") as node:
        with pytest.raises(RequestFailed, match="HttpCallFailed: POST .*: what came is no HTTP") as caught:
            await node.target("crm", Any, Any).request({})
        assert len(str(caught.value)) < 1000 and parked(node) == 1


async def test_a_kept_connection_that_was_closed_is_no_outage() -> None:
    """The other side closes what was idle just when the next request goes out."""

    class Rude:
        def __init__(self) -> None:
            self.bodies: list[bytes] = []

        async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            self.bodies.append(await reader.read(1))
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            await reader.readuntil(b"\r\n\r\n")
            writer.close()

    rude = Rude()
    server = await asyncio.start_server(rude.answer, "127.0.0.1", 0)
    address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with outbound(address).running(transport="memory") as node:
        for number in range(3):
            await node.target("crm", Any, Any).request(number)
            assert "held" not in note_of(node, "crm")
        assert rude.bodies == [b"0", b"1", b"2"]
    server.close()


# TLS --------------------------------------------------------------------------------------------------------


async def test_with_ones_own_authority_and_certificates_on_both_sides(short_dir: Path) -> None:
    authority = Authority(short_dir)
    crt, key = authority.issue("junctor-crm")
    partner = Partner(certificate=authority.issue("localhost"), clients=authority.ca)
    async with partner:
        async with outbound(partner.url, ca=authority.ca, certificate=crt, key_file=key).running(
            transport="memory"
        ) as node:
            await node.target("crm", Any, Any).request({})
        assert len(partner.asked) == 1


@pytest.mark.parametrize(
    ("name", "known", "told"),
    [("crm.example", True, "Hostname mismatch"), ("localhost", False, "certificate of localhost")],
)
async def test_a_certificate_of_somebody_else_is_refused(
    short_dir: Path, name: str, known: bool, told: str, caplog: pytest.LogCaptureFixture
) -> None:
    authority, other = Authority(short_dir), Authority(short_dir)
    async with Partner(certificate=authority.issue(name)) as partner:
        flow = outbound(partner.url, ca=(authority if known else other).ca, bearer="hush-hush")
        async with flow.running(transport="memory") as node:
            await node.target("crm", Any).send({})
            await held(node, "Connection")
            assert told in caplog.text and not partner.asked


# Secrets ----------------------------------------------------------------------------------------------------


async def test_secrets_are_in_no_log_and_no_error(caplog: pytest.LogCaptureFixture) -> None:
    def repeats(request: web.Request) -> web.Response:
        return web.Response(status=400, text=f"{request.path_qs} {dict(request.headers)}")

    secrets = {
        "path": "/hush-path-1",
        "query": {"token": "hush-query-1"},
        "headers": {"X-Api-Key": "hush-header-1"},
        "bearer": "hush-bearer-1",
    }
    async with (
        Partner([repeats]) as partner,
        outbound(f"{partner.url}/bot", **secrets).running(transport="memory") as node,
    ):
        with pytest.raises(RequestFailed) as caught:
            await node.target("crm", Any, Any).request({})
        assert "/bot" in str(caught.value) and "hush" not in str(caught.value)
        assert "hush" not in str(node.status())
    assert "/bot" in caplog.text and "hush" not in caplog.text


# Virtual time -----------------------------------------------------------------------------------------------


async def test_an_hour_without_the_other_side() -> None:
    async with Partner() as partner:
        await partner.stop()
        async with running(outbound(partner.url, hold={})) as plant:
            for number in range(30):
                await plant.send("crm", number)
                await plant.advance("2m")
            assert [alert.kind for alert in plant.alerts].count("held") == 1
            await partner.start()
            await plant.advance("2m")
            await comes(lambda: len(partner.asked) == 30)
            assert [one.body for one in partner.asked] == [b"%d" % number for number in range(30)]
            assert len(set(partner.keys)) == 30


async def test_the_rate_is_kept_on_the_clock_of_the_node() -> None:
    times: list[float] = []
    async with Partner([lambda request: times.append(plant.now.timestamp()) or 200]) as partner:
        async with running(outbound(partner.url, pool=8, rate="6/m")) as plant:
            for number in range(12):
                await plant.send("crm", number)
            begin = plant.now.timestamp()
            for _ in range(24):
                await plant.advance("5s")
                await asyncio.sleep(0.01)
            await comes(lambda: len(times) == 12)
        apart = [later - earlier for earlier, later in zip(times, times[1:], strict=False)]
        assert times[0] - begin < 1 and min(apart) >= 5 and times[-1] - begin >= 109


async def test_a_resend_carries_the_same_key() -> None:
    async with Partner([404, 200]) as partner, running(outbound(partner.url)) as plant:
        with plant.expect_parked(HttpCallFailed, match="404"):
            await plant.send("crm", {"n": 1})
        await plant.resend(plant.parked[0])
        await comes(lambda: len(partner.asked) == 2)
        assert partner.keys[0] == partner.keys[1]
