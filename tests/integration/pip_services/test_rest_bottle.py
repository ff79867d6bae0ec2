"""Handlers that use the bottle package, as many services of Pip.Services do."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from junctor.dialects.pip_services.commons.config import ConfigParams
from junctor.dialects.pip_services.rpc.auth import OwnerAuthorizer
from junctor.dialects.pip_services.rpc.services import HttpEndpoint, HttpResponseSender

from .test_rest_services import ask

bottle = pytest.importorskip("bottle")


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    folder = tmp_path_factory.mktemp("static")
    (folder / "a.txt").write_text("a file")
    endpoint = HttpEndpoint()
    endpoint.configure(ConfigParams.from_tuples("connection.port", 0))
    for name, handler in handlers(folder).items():
        endpoint.register_route("get" if name != "post" else "post", name, None, handler)
    endpoint.register_interceptor("/mine", sign)
    endpoint.register_route_with_auth("get", "/mine/<user_id>", None, OwnerAuthorizer().owner(), lambda: "mine")
    endpoint.open(None)
    yield endpoint.port
    endpoint.close(None)


def sign() -> None:
    bottle.request.user = {"roles": []}
    bottle.request.user_id = bottle.request.get_header("x-user")


def handlers(folder: Path) -> dict[str, Any]:
    meeting = threading.Barrier(2)
    redirects: list[int] = []

    def query() -> Any:
        return HttpResponseSender.send_result(
            [bottle.request.query.name, bottle.request.query.get("n"), bottle.request.path]
        )

    def post() -> Any:
        request = bottle.request
        return HttpResponseSender.send_result([request.json, request.method, request.get_header("X-Key"), request.url])

    def status() -> str:
        bottle.response.status = 418
        bottle.response.content_type = "text/plain"
        bottle.response.set_cookie("pot", "1")
        return "short"

    def redirect() -> None:
        redirects.append(1)
        bottle.redirect(f"/after/{len(redirects)}")

    def meet() -> Any:
        meeting.wait(20)
        return HttpResponseSender.send_result(bottle.request.query.who)

    return {
        "query": query,
        "post": post,
        "status": status,
        "redirect": redirect,
        "abort": lambda: bottle.abort(409, "taken"),
        "file": lambda: bottle.static_file("a.txt", root=str(folder)),
        "meet": meet,
    }


def test_the_request(port: int) -> None:
    assert ask(port, "/query?name=J%C3%B6rg&n=1").json == ["Jörg", "1", "/query"]
    sent = ask(port, "/post?a=1", "POST", {"n": 1}, {"x-key": "k", "content-type": "application/json"}).json
    assert sent == [{"n": 1}, "POST", "k", f"http://127.0.0.1:{port}/post?a=1"]


def test_the_response(port: int) -> None:
    answer = ask(port, "/status")
    assert (answer.status, answer.body) == (418, b"short")
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.headers["set-cookie"].startswith("pot=1")
    assert ask(port, "/query").status == 200  # nothing of it is left


def test_responses_that_are_raised_and_returned(port: int) -> None:
    redirect = ask(port, "/redirect")
    assert redirect.status == 303
    assert redirect.headers["location"].endswith("/after/1")  # the handler was called once
    abort = ask(port, "/abort")
    assert (abort.status, abort.json["message"]) == (409, "taken")
    file = ask(port, "/file")
    assert (file.status, file.body) == (200, b"a file")
    part = ask(port, "/file", headers={"range": "bytes=2-3"})
    assert (part.status, part.body) == (206, b"fi")


def test_users_of_requests(port: int) -> None:
    assert ask(port, "/mine/eva", headers={"x-user": "eva"}).body == b"mine"
    assert ask(port, "/mine/eva", headers={"x-user": "bob"}).status == 403


def test_requests_at_the_same_time_are_not_mixed_up(port: int) -> None:
    found: dict[str, Any] = {}
    threads = [
        threading.Thread(target=lambda who=who: found.update({who: ask(port, f"/meet?who={who}").json}))
        for who in ("a", "b")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {"a": "a", "b": "b"}
