"""http-out against a real server: what goes out, what becomes of the answer, and of the message."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from aiohttp import web

from junctor.errors import RequestFailed
from junctor.node.node import Node
from tests.integration.adapters.http.flows import Customer, Customers, Sink, comes, note_of, outbound, parked, sinks
from tests.integration.adapters.http.partner import Partner


@pytest.fixture(autouse=True)
def _no_sinks() -> None:
    sinks.clear()


@dataclass
class Order:
    id: int
    lines: list[str]


JSON = "application/json"
BODY = b'{"id":7,"lines":["a b","c&d"]}'


async def ask(node: Node, body: Any, reply: Any = Any) -> Any:
    return await node.target("crm", Any, reply).request(body)


# What goes out ----------------------------------------------------------------------------------------------


async def test_by_default_the_body_as_json() -> None:
    async with Partner([201]) as partner, outbound(f"{partner.url}/orders").running(transport="memory") as node:
        receipt = await node.target("crm", Any).send(Order(7, ["ä"]))
        assert receipt is not None
        await comes(lambda: partner.asked)
        asked = partner.asked[0]
        assert (asked.method, asked.path, json.loads(asked.body)) == ("POST", "/orders", {"id": 7, "lines": ["ä"]})
        assert asked.headers["Content-Type"] == "application/json"
        assert asked.headers["Idempotency-Key"] == receipt.id


@pytest.mark.parametrize(
    ("settings", "kind", "body"),
    [
        (
            {"fields": {"number": "body.id", "to.name": "body.lines[0]"}},
            "application/json",
            b'{"number":7,"to":{"name":"a b"}}',
        ),
        ({"content": "form"}, "application/x-www-form-urlencoded", b"id=7&lines=a+b&lines=c%26d"),
        ({"content": "form", "fields": {"n": "body.id"}}, "application/x-www-form-urlencoded", b"n=7"),
        ({"text": "order {body.id}"}, "text/plain; charset=utf-8", b"order 7"),
        ({"content": "text"}, "text/plain; charset=utf-8", BODY),
        ({"content": "none"}, None, b""),
        ({"method": "GET"}, None, b""),
        ({"method": "DELETE", "fields": {"n": "body.id"}}, JSON, b'{"n":7}'),
        (
            {"headers": {"content-type": "application/vnd.x+json"}},
            "application/vnd.x+json",
            b'{"id":7,"lines":["a b","c&d"]}',
        ),
    ],
)
async def test_other_contents(settings: dict[str, Any], kind: str | None, body: bytes) -> None:
    async with Partner() as partner, outbound(partner.url, **settings).running(transport="memory") as node:
        await ask(node, {"id": 7, "lines": ["a b", "c&d"]})
        assert (partner.asked[0].body, partner.asked[0].headers.get("Content-Type")) == (body, kind)


async def test_query_and_headers_are_filled() -> None:
    settings = {
        "url": "{url}/customers/{body.id}?a=1",
        "query": {"since": "{body.day}", "token": "t0p-secret"},
        "headers": {"X-Line": "{body.line}"},
        "key_header": "X-Request-Id",
    }
    async with Partner() as partner:
        settings["url"] = f"{partner.url}/customers/{{body.id}}?a=1"
        async with outbound(**settings).running(transport="memory") as node:
            await ask(node, {"id": "x/y", "day": "1&b=2", "line": "ä 1"})
        asked = partner.asked[0]
        assert asked.path == "/customers/x%2Fy"
        assert asked.query == {"a": "1", "since": "1&b=2", "token": "t0p-secret"}
        assert asked.headers["X-Line"] == "ä 1"
        assert "X-Request-Id" in asked.headers and "Idempotency-Key" not in asked.headers


@pytest.mark.parametrize("line", ["a\r\nX-Admin: 1", "a\nb", "\0"])
async def test_a_value_that_would_make_another_header_is_parked(line: str) -> None:
    async with Partner() as partner:
        flow = outbound(partner.url, headers={"X-Line": "{body}"})
        async with flow.running(transport="memory") as node:
            with pytest.raises(RequestFailed, match="headers have no line feeds"):
                await ask(node, line)
            assert not partner.asked and parked(node) == 1


async def test_basic_and_bearer() -> None:
    async with Partner() as partner:
        for settings, wanted in (
            ({"user": "ann", "password": "p:ä"}, "Basic " + base64.b64encode("ann:p:ä".encode()).decode()),
            ({"bearer": "tok-123"}, "Bearer tok-123"),
        ):
            async with outbound(partner.url, **settings).running(transport="memory") as node:
                await ask(node, {})
            assert partner.asked.pop().headers["Authorization"] == wanted


async def test_a_large_body_arrives_whole_and_once_more_where_it_is_sent_on() -> None:
    def size(request: web.Request) -> web.Response:
        return web.Response(text=str(len(partner.asked[-1].body)))

    async with Partner([to("/b", 307), size]) as partner:
        async with outbound(partner.url, content="text").running(transport="memory") as node:
            assert await ask(node, "x" * 600_000) == "600000"
            assert [len(one.body) for one in partner.asked] == [600_000, 600_000]


# What comes back --------------------------------------------------------------------------------------------


async def test_the_answer_is_the_reply_in_the_type_of_who_asks() -> None:
    async with Partner([{"id": 7, "name": "Ann"}]) as partner:
        async with outbound(partner.url, method="GET").running(transport="memory") as node:
            assert await ask(node, {}, Customer) == Customer(7, "Ann")
            assert await ask(node, {}) == {"id": 7, "name": "Ann"}


async def test_the_answer_goes_on_in_the_type_of_the_receiver() -> None:
    async with Partner([{"id": 7, "name": "Ann"}, {"id": "no"}]) as partner:
        async with outbound(partner.url, Customers).running(transport="memory") as node:
            for _ in range(2):
                await node.target("crm", Any).send({})
            await comes(lambda: sinks[0].bodies == [Customer(7, "Ann")])
            await comes(lambda: parked(node, "sink") == 1)


async def test_fields_of_answer_and_message_are_mapped() -> None:
    response = {
        "id": "body.id",
        "name": "response.json.who.name",
        "was": "response.status",
        "kind": "response.headers['x-kind']",
    }
    answer = web.json_response({"who": {"name": "Ann"}}, status=203, headers={"X-Kind": "gold"})
    async with Partner([answer]) as partner:
        async with outbound(partner.url, Sink, response=response).running(transport="memory") as node:
            await node.target("crm", Any).send({"id": 7})
            await comes(lambda: sinks[0].bodies)
            assert sinks[0].bodies == [{"id": 7, "name": "Ann", "was": 203, "kind": "gold"}]


@pytest.mark.parametrize(
    ("settings", "answer", "reply"),
    [
        ({}, web.Response(status=204), None),
        ({}, web.Response(text="ok"), "ok"),
        ({"answer": "json"}, web.Response(text="[1]"), [1]),
        ({"answer": "text"}, web.json_response([1]), "[1]"),
        ({"answer": "none"}, web.json_response([1]), None),
        ({"on": {"404": "done"}}, web.json_response({"known": False}, status=404), {"known": False}),
        ({}, web.Response(body=gzip.compress(b"packed"), headers={"Content-Encoding": "gzip"}), "packed"),
    ],
)
async def test_answers_are_read(settings: dict[str, Any], answer: web.Response, reply: Any) -> None:
    async with Partner([answer]) as partner, outbound(partner.url, **settings).running(transport="memory") as node:
        assert await ask(node, {}) == reply


@pytest.mark.parametrize("status", [400, 404, 409, 422])
async def test_a_message_that_is_refused_is_parked_at_once(status: int) -> None:
    answer = web.Response(status=status, text="the number is wrong")
    async with Partner([answer]) as partner, outbound(partner.url).running(transport="memory") as node:
        with pytest.raises(RequestFailed, match=f"it answered {status} .*: the number is wrong") as caught:
            await ask(node, {})
        assert caught.value.error_type == "HttpCallFailed"
        assert len(partner.asked) == 1 and parked(node) == 1


async def test_a_500_that_lasts_is_tried_again_and_then_parked() -> None:
    async with Partner([500]) as partner, outbound(partner.url).running(transport="memory") as node:
        with pytest.raises(RequestFailed, match="it answered 500"):
            await ask(node, {})
        assert len(partner.asked) == 3 and len(set(partner.keys)) == 1 and parked(node) == 1


@pytest.mark.parametrize("status", [401, 429, 502, 503, 504])
async def test_an_outage_holds_and_keeps_the_order(status: int) -> None:
    async with Partner([status, status, status, status, 200]) as partner:
        async with outbound(partner.url).running(transport="memory") as node:
            for number in range(3):
                await node.target("crm", Any).send(number)
            await comes(lambda: len(partner.asked) == 7)
            assert [one.body for one in partner.asked] == [b"0"] * 5 + [b"1", b"2"]
            assert len(set(partner.keys)) == 3 and not parked(node)


@pytest.mark.parametrize(("status", "as_date"), [(429, False), (500, True)])
async def test_retry_after_is_obeyed(status: int, as_date: bool) -> None:
    def busy(request: web.Request) -> web.Response:
        until = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)
        return web.Response(status=status, headers={"Retry-After": until if as_date else "1"})

    times: list[float] = []

    def note(request: web.Request) -> web.Response:
        times.append(asyncio.get_running_loop().time())
        return busy(request) if len(times) == 1 else web.Response()

    async with Partner([note]) as partner, outbound(partner.url).running(transport="memory") as node:
        await node.target("crm", Any).send({})
        await comes(lambda: len(times) == 2)
        assert times[1] - times[0] >= 0.5


@pytest.mark.parametrize("response", [{}, {"name": "response.json.name"}])
async def test_nonsense_is_tried_again_and_parked_with_what_came(response: dict[str, str]) -> None:
    answer = web.Response(text="<html>oops</html>", content_type="application/json")
    async with Partner([answer]) as partner:
        async with outbound(partner.url, response=response).running(transport="memory") as node:
            with pytest.raises(RequestFailed, match="no JSON.*<html>oops</html>"):
                await ask(node, {})
            assert len(partner.asked) == 3


async def test_an_answer_too_large_is_parked() -> None:
    bomb = web.Response(body=gzip.compress(bytes(50_000_000)), headers={"Content-Encoding": "gzip"})
    async with Partner([web.Response(body=bytes(5000)), bomb]) as partner:
        async with outbound(partner.url, limit=1000).running(transport="memory") as node:
            for _ in range(2):
                with pytest.raises(RequestFailed, match="larger than 1000 bytes"):
                    await ask(node, {})
            assert len(partner.asked) == 2 and parked(node) == 2


# Redirects --------------------------------------------------------------------------------------------------


def to(location: str, status: int = 302) -> web.Response:
    return web.Response(status=status, headers={"Location": location})


async def test_redirects_of_the_same_host_are_followed() -> None:
    async with Partner([to("/b", 307), to("c?d=1", 308), {"at": "c"}]) as partner:
        async with outbound(f"{partner.url}/a", bearer="tok-123").running(transport="memory") as node:
            assert await ask(node, {"n": 1}) == {"at": "c"}
            assert [(one.method, one.path, one.body) for one in partner.asked] == [
                ("POST", path, b'{"n":1}') for path in ("/a", "/b", "/c")
            ]
            assert {one.headers["Authorization"] for one in partner.asked} == {"Bearer tok-123"}


async def test_see_other_is_looked_at_and_a_moved_post_is_not_made_a_get() -> None:
    async with Partner([to("/done", 303), "seen", to("/moved", 301)]) as partner:
        async with outbound(partner.url).running(transport="memory") as node:
            assert await ask(node, {"n": 1}) == "seen"
            assert [one.method for one in partner.asked] == ["POST", "GET"]
            with pytest.raises(RequestFailed, match="it answered 301"):
                await ask(node, {"n": 1})


@pytest.mark.parametrize(
    "answer",
    [
        lambda asked: web.Response(status=404, text=f"Cannot POST {asked.path}"),
        lambda asked: web.Response(status=307, headers={"Location": f"{asked.rel_url}/"}),
        lambda asked: web.Response(status=303, headers={"Location": f"{asked.rel_url}/?again"}),
    ],
)
async def test_the_secret_end_of_a_url_is_not_repeated(answer: Any, caplog: pytest.LogCaptureFixture) -> None:
    async with Partner([answer]) as partner:
        async with outbound(partner.url, path="/T0/hush-hush/{body.n}").running(transport="memory") as node:
            with pytest.raises(RequestFailed) as caught:
                await ask(node, {"n": 1})
        assert "/hush-hush/" in partner.asked[-1].path
    assert "hush" not in f"{caught.value}{caplog.text}"


async def test_a_loop_of_redirects_ends() -> None:
    async with Partner([to("/", 307)]) as partner, outbound(partner.url).running(transport="memory") as node:
        with pytest.raises(RequestFailed, match="more than 5 redirects"):
            await ask(node, {})
        assert len(partner.asked) == 6 and parked(node) == 1


@pytest.mark.parametrize(
    "location", ["http://127.0.0.1:1/", "//evil.example/x", "https://localhost:1/", "ftp://x/", "http://[", ""]
)
async def test_another_host_is_not_called(location: str) -> None:
    async with Partner([to(location, 307)]) as partner:
        for redirects in ("same-host", "none"):
            async with outbound(partner.url, redirects=redirects).running(transport="memory") as node:
                with pytest.raises(RequestFailed, match="it answered 307"):
                    await ask(node, {})


# OAuth 2.0 --------------------------------------------------------------------------------------------------


class Tokens:
    """A token endpoint and what it guards."""

    def __init__(self, life: Any = 3600) -> None:
        self.life, self.given, self.forms, self.basic = life, 0, [], []  # type: ignore[var-annotated]
        self.good = ""

    async def __call__(self, request: web.Request) -> web.Response:
        if request.path == "/token":
            self.given += 1
            self.forms.append((await request.read()).decode())
            self.basic.append(request.headers.get("Authorization", ""))
            self.good = f"tok-{self.given}"
            return web.json_response({"access_token": self.good, "token_type": "Bearer", "expires_in": self.life})
        known = request.headers.get("Authorization") == f"Bearer {self.good}"
        return web.Response(status=200 if known else 401)


def with_tokens(partner: Partner, **more: Any) -> Any:
    token = {"token_url": f"{partner.url}/token", "client_id": "me", "client_secret": "s e:cret", "scope": "orders"}
    return outbound(f"{partner.url}/orders", **token, **more)


async def test_a_token_is_asked_for_once_and_renewed_when_it_is_refused() -> None:
    tokens = Tokens()
    async with Partner([tokens]) as partner, with_tokens(partner, pool=4).running(transport="memory") as node:
        for _ in range(3):
            await ask(node, {})
        assert tokens.given == 1
        assert tokens.forms[0] == "grant_type=client_credentials&scope=orders"
        assert base64.b64decode(tokens.basic[0].removeprefix("Basic ")) == b"me:s%20e%3Acret"
        tokens.good = "revoked"
        await ask(node, {})
        assert tokens.given == 2


async def test_a_token_is_renewed_before_it_ends() -> None:
    tokens = Tokens(life="0.0")
    async with Partner([tokens]) as partner:
        async with with_tokens(partner, client_in="body").running(transport="memory") as node:
            await ask(node, {})
            await ask(node, {})
            assert tokens.given == 2 and tokens.basic == ["", ""]
            assert "client_id=me&client_secret=s+e%3Acret" in tokens.forms[0]


@pytest.mark.parametrize(
    "answer",
    [
        web.json_response({"error": "invalid_client", "error_description": "s e:cret is wrong"}, status=401),
        web.Response(status=500),
        web.Response(text="<html>"),
        web.json_response({"access_token": "x", "token_type": "mac"}),
    ],
)
async def test_no_token_is_an_outage(answer: web.Response, caplog: pytest.LogCaptureFixture) -> None:
    async with Partner([answer]) as partner, with_tokens(partner).running(transport="memory") as node:
        await node.target("crm", Any).send({})
        await comes(lambda: len(partner.asked) > 2)
        assert "gives " in note_of(node, "crm") and "token" in note_of(node, "crm")
        assert {one.path for one in partner.asked} == {"/token"} and not parked(node)
    assert "s e:cret" not in caplog.text
