"""Routes for several methods, and parameters that take the whole request, over real sockets."""

from __future__ import annotations

import hmac
import json
import threading
from typing import Any

import pytest

from junctor import Flow, Service, get, route
from junctor.errors import ConfigurationError
from junctor.http import HttpError, Request, Response
from junctor.http.requests.binding import plan_action, plan_route
from tests.integration.http.client import call

KEY = b"a shared secret"


class Legacy(Service):
    """The application of another framework, and a webhook."""

    @route("/legacy/{rest:path}")
    def legacy(self, request: Request, rest: str) -> Response:
        told = {
            "method": request.method,
            "rest": rest,
            "queries": request.queries,
            "agent": request.header("User-Agent"),
            "body": request.body.decode(),
            "thread": threading.current_thread() is not threading.main_thread(),
        }
        return Response(json.dumps(told).encode(), status=207)

    @get("/legacy/own")
    async def own(self) -> str:
        return "own"

    @route("/orders", methods=["GET", "post"], status=202)
    async def orders(self, request: Request) -> str:
        return request.method

    @route("/hook", methods="POST")
    async def hook(self, request: Request, source: str = "") -> Any:
        signed = hmac.new(KEY, request.body, "sha256").hexdigest()
        if not hmac.compare_digest(signed, request.header("x-signature")):
            raise HttpError("the signature is not ours", status=401, code="signature")
        return [source, request.json()]


def port_of(node: Any) -> int:
    return int(node.urls[0].rpartition(":")[2])


def old() -> Flow:
    return Flow("old").add(Legacy)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
async def test_a_route_for_all_methods_gets_the_whole_request(method: str) -> None:
    async with old().running(transport="memory", http=True) as node:
        path = "/legacy/a%20b/c?x=1&x=2&y="
        answer = await call(port_of(node), method, path, b"hello", {"user-agent": "test"})
    assert answer.status == 207
    assert answer.json == {
        "method": method,
        "rest": "a b/c",
        "queries": {"x": ["1", "2"], "y": [""]},
        "agent": "test",
        "body": "hello",
        "thread": True,
    }


async def test_a_route_of_its_own_method_comes_first() -> None:
    async with old().running(transport="memory", http=True) as node:
        port = port_of(node)
        assert (await call(port, "GET", "/legacy/own")).json == "own"
        assert (await call(port, "HEAD", "/legacy/own")).status == 200
        refused = await call(port, "POST", "/legacy/own", b"")
        assert (refused.status, refused.headers["allow"]) == (405, "GET, HEAD, OPTIONS")


async def test_a_route_for_some_methods() -> None:
    async with old().running(transport="memory", http=True) as node:
        port = port_of(node)
        for method in ("GET", "POST"):
            answer = await call(port, method, "/orders")
            assert (answer.status, answer.json) == (202, method)
        assert (await call(port, "PUT", "/orders")).status == 405


async def test_a_webhook_checks_the_signature_of_the_bytes() -> None:
    body = b'{"n" : 1}'
    signature = hmac.new(KEY, body, "sha256").hexdigest()
    async with old().running(transport="memory", http=True) as node:
        port = port_of(node)
        answer = await call(port, "POST", "/hook?source=shop", body, {"x-signature": signature})
        assert answer.json == ["shop", {"n": 1}]
        assert (await call(port, "POST", "/hook", b'{"n": 1}', {"x-signature": signature})).status == 401
        signature = hmac.new(KEY, b"{", "sha256").hexdigest()
        assert (await call(port, "POST", "/hook", b"{", {"x-signature": signature})).code == "json"


async def test_a_body_above_the_limit_is_refused_before_the_route() -> None:
    flow = Flow("old", http={"body": "1 KiB"}).add(Legacy)
    async with flow.running(transport="memory", http=True) as node:
        assert (await call(port_of(node), "POST", "/legacy/x", b"x" * 2000)).status == 413


async def test_a_route_for_all_methods_is_told_for_each() -> None:
    async with old().running(transport="memory", http=True) as node:
        document = (await call(port_of(node), "GET", "/openapi.json")).json
    operations = document["paths"]["/legacy/{rest}"]
    assert set(operations) == {"delete", "get", "patch", "post", "put"}
    names = [one["operationId"] for path in document["paths"].values() for one in path.values()]
    assert len(names) == len(set(names))


def test_what_cannot_be_together() -> None:
    def both(request: Request, body: bytes) -> None: ...

    with pytest.raises(ConfigurationError, match="body would come from the body, which the Request has already"):
        plan_route(both, "/x", "POST", "here")

    def acting(request: Request) -> None: ...

    with pytest.raises(ConfigurationError, match="an action may be called without HTTP"):
        plan_action(acting, "here")


def test_a_route_without_methods() -> None:
    with pytest.raises(ConfigurationError, match="@route needs a method"):
        route("/x", methods=[])


async def test_an_unknown_method() -> None:
    class Wrong(Service):
        @route("/x", methods="FETCH")
        async def x(self) -> str: ...

    with pytest.raises(ConfigurationError, match='FETCH is not a method.*or "\\*" for all'):
        async with Flow("wrong").add(Wrong).running(transport="memory", http=True):
            pass
