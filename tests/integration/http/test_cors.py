"""Pages of other origins, as a browser asks for them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from junctor.http import Response
from junctor.http.access.cors import with_headers
from junctor.http.requests.uploads import Upload
from junctor.http.settings import ApiKey, Cors, HttpSettings
from tests.integration.http.client import call
from tests.integration.http.small_host import SmallHost, action, route

APP = "https://app.example.org"
NAMED = HttpSettings(cors=Cors(origins=(APP,), headers=("X-Mine",), expose=("x-total",), credentials=True))
OPEN = HttpSettings(cors=Cors(origins=("*",)))


class Tank:
    @route("GET", "/level")
    async def level(self) -> int:
        return 7

    @route("PUT", "/level")
    async def fill(self, data: bytes) -> None: ...

    @route("GET", "/wrong")
    async def wrong(self) -> int:
        raise ValueError("inside")

    @action
    async def drain(self) -> None: ...


def cross(origin: str = APP) -> dict[str, str]:
    return {"origin": origin, "sec-fetch-site": "cross-site"}


async def preflight(listener: Any, path: str, method: str, origin: str = APP) -> Any:
    headers = {"origin": origin, "access-control-request-method": method, "access-control-request-headers": "x-mine"}
    return await call(listener.port, "OPTIONS", path, headers=headers)


async def test_a_named_origin(serve: Any) -> None:
    host = SmallHost(Tank())
    async with serve(host, settings=NAMED) as listener:
        asked = await preflight(listener, "/level", "PUT")
        assert asked.status == 204 and not host.hops
        assert asked.headers["access-control-allow-origin"] == APP
        assert asked.headers["access-control-allow-methods"] == "GET, PUT"
        assert "x-mine" in asked.headers["access-control-allow-headers"].split(", ")
        assert "content-type" in asked.headers["access-control-allow-headers"]
        assert asked.headers["access-control-max-age"] == "600"
        assert asked.headers["access-control-allow-credentials"] == "true"
        assert asked.headers["vary"] == "Origin"
        answer = await call(listener.port, "PUT", "/level", b"x", cross())
        assert answer.status == 204 and len(host.hops) == 1
        assert answer.headers["access-control-allow-origin"] == APP and answer.headers["vary"] == "Origin"
        assert "x-total" in answer.headers["access-control-expose-headers"]
        assert (await call(listener.port, "POST", "/lab/drain", b"", cross())).status == 204


async def test_another_origin(serve: Any) -> None:
    host = SmallHost(Tank())
    async with serve(host, settings=NAMED) as listener:
        evil = "https://evil.example"
        assert (await preflight(listener, "/level", "PUT", evil)).code == "cross-site"
        assert (await call(listener.port, "PUT", "/level", b"x", cross(evil))).code == "cross-site"
        assert not host.hops
        answer = await call(listener.port, "GET", "/level", headers=cross(evil))
        assert answer.status == 200  # a page may always ask, but its browser keeps the answer from it
        assert "access-control-allow-origin" not in answer.headers and answer.headers["vary"] == "Origin"


@pytest.mark.parametrize("origin", ["https://app.example.org.evil", "http://app.example.org", "null", "https://app"])
async def test_what_only_looks_like_it(serve: Any, origin: str) -> None:
    async with serve(SmallHost(Tank()), settings=NAMED) as listener:
        assert (await preflight(listener, "/level", "PUT", origin)).status == 403
        answer = await call(listener.port, "GET", "/level", headers=cross(origin))
        assert "access-control-allow-origin" not in answer.headers


async def test_caches_learn_that_the_answer_depends_on_the_origin(serve: Any) -> None:
    async with serve(SmallHost(Tank()), settings=NAMED) as listener:
        assert (await call(listener.port, "GET", "/level")).headers["vary"] == "Origin"


async def test_a_page_can_read_what_went_wrong(serve: Any) -> None:
    async with serve(SmallHost(Tank()), settings=NAMED) as listener:
        answer = await call(listener.port, "GET", "/wrong", headers=cross())
        assert answer.code == "handler-failed" and answer.headers["access-control-allow-origin"] == APP


async def test_everybody_may_read(serve: Any) -> None:
    host = SmallHost(Tank())
    async with serve(host, settings=OPEN) as listener:
        answer = await call(listener.port, "GET", "/level", headers=cross())
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in answer.headers and "vary" not in answer.headers
        assert (await preflight(listener, "/level", "GET")).headers["access-control-allow-methods"] == "GET"
        assert (await preflight(listener, "/level", "PUT")).status == 403
        assert (await call(listener.port, "PUT", "/level", b"x", cross())).status == 403
        assert len(host.hops) == 1


async def test_the_preflight_of_a_route_with_keys_needs_none(serve: Any) -> None:
    settings = HttpSettings(cors=Cors(origins=(APP,)), keys=(ApiKey(name="a", secret="0123456789abcdef"),))
    async with serve(SmallHost(Tank()), settings=settings) as listener:
        asked = await preflight(listener, "/level", "PUT")
        assert asked.status == 204 and "x-api-key" in asked.headers["access-control-allow-headers"]
        refused = await call(listener.port, "PUT", "/level", b"x", cross())
        assert refused.status == 401 and refused.headers["access-control-allow-origin"] == APP
        given = cross() | {"x-api-key": "0123456789abcdef"}
        assert (await call(listener.port, "PUT", "/level", b"x", given)).status == 204


async def test_the_origin_of_one_flow_opens_no_other(serve: Any) -> None:
    shared, closed = SmallHost(Tank(), flow="a"), SmallHost(Tank(), name="other", flow="b")
    async with serve(shared, settings=NAMED) as listener:
        site: Any = listener._app
        site.attach(closed, HttpSettings(path="/b"))
        assert (await call(listener.port, "PUT", "/level", b"x", cross())).status == 204
        assert (await call(listener.port, "PUT", "/b/level", b"x", cross())).status == 403
        assert (
            "access-control-allow-origin" not in (await call(listener.port, "GET", "/b/level", headers=cross())).headers
        )
        assert [hop.name for hop in closed.hops] == ["level"]


async def test_every_kind_of_answer(serve: Any) -> None:
    """Responses of a route's own making, streams, and those that close files behind them."""

    class Answers:
        @route("GET", "/response")
        async def response(self) -> Any:
            return Response("made", headers={"vary": "Accept"})

        @route("POST", "/form")
        async def form(self, file: Upload) -> Any:
            return Response("closed behind it")

        @route("GET", "/stream")
        async def stream(self) -> Any:
            async def lines() -> Any:
                yield {"n": 1}

            return lines()

    form = b'--x\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\nabc\r\n--x--\r\n'
    more = {"content-type": "multipart/form-data; boundary=x", "content-length": str(len(form))}
    async with serve(SmallHost(Answers()), settings=NAMED) as listener:
        for method, path, body in (("GET", "/response", None), ("POST", "/form", form)):
            answer = await call(listener.port, method, path, body, cross() | (more if body else {}))
            assert answer.status == 200, answer
            assert answer.headers["access-control-allow-origin"] == APP
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.write(f"GET /stream HTTP/1.1\r\nhost: localhost\r\norigin: {APP}\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        assert f"access-control-allow-origin: {APP}".encode() in head, head
        writer.close()


def test_what_an_answer_varies_by_adds_up() -> None:
    vary = (b"vary", b"Origin")
    answer: Any = with_headers((200, [(b"vary", b"Accept"), vary, (b"x", b"1")], b""), [vary, (b"x", b"2")])
    assert answer[1] == [(b"vary", b"Accept"), vary, (b"x", b"2")]
    response = Response("", headers={"vary": "Accept"})
    made: Any = with_headers(response, [vary])
    assert made.raw_headers == [(b"vary", b"Accept"), vary]
