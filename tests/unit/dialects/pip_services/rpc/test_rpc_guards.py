"""What must not get past an authorizer, an interceptor or the reading of a body."""

from __future__ import annotations

from typing import Any

import pytest

from junctor.dialects.pip_services.commons.errors import (
    BadRequestException,
    ConfigException,
    InvocationException,
    UnauthorizedException,
)
from junctor.dialects.pip_services.commons.refer import Descriptor, References
from junctor.dialects.pip_services.rpc.auth import BasicAuthorizer, OwnerAuthorizer, RoleAuthorizer
from junctor.dialects.pip_services.rpc.clients.http_connections import Answer
from junctor.dialects.pip_services.rpc.clients.rest_client import _value_of
from junctor.dialects.pip_services.rpc.services import HttpEndpoint, RestOperations, RestService
from junctor.dialects.pip_services.rpc.services.bottle_requests import environ_of
from junctor.dialects.pip_services.rpc.services.call import Call, current
from junctor.http import Request, Response


class Desk(RestService):
    def __init__(self, base: str = "", stopped: str | None = None) -> None:
        super().__init__()
        self._base_route = base
        self._stopped = stopped
        endpoint = HttpEndpoint()
        locator = Descriptor("pip-services", "endpoint", "http", "default", "1.0")
        self.set_references(References.from_tuples(locator, endpoint))
        self.table = endpoint.table
        self.ran = 0
        self.register()

    def register(self) -> None:
        if self._stopped is not None:
            self.register_interceptor(self._stopped, lambda: False)
            for path in ("/a", "/a/b", "/c"):
                self.register_route("get", path, None, lambda: "open")
        self.register_interceptor("", self._who)
        self.register_route_with_auth("get", "/whose/<user_id>", None, OwnerAuthorizer().owner(), self._whose)
        self.register_route_with_auth("get", "/later", None, self._later, self._secret)
        self.register_route_with_auth("get", "/not_called", None, BasicAuthorizer().signed, self._secret)

    def _who(self) -> None:
        current().user = {"id": "eva"}

    def _whose(self) -> Any:
        assert self._endpoint is not None
        name = "user_id"
        return [self._get_param(name), self._endpoint.get_param(name), RestOperations().get_param(name)]

    async def _later(self) -> None:
        raise UnauthorizedException(None, "NO", "no")

    def _secret(self) -> str:
        self.ran += 1
        return "secret"

    def ask(self, path: str) -> Response:
        path, _, query = path.partition("?")
        return self.table.answer(Request(method="GET", path=path, query=query))


def test_a_handler_gets_the_value_that_the_authorizer_has_compared() -> None:
    assert Desk().ask("/whose/eva?user_id=root").body == b'["eva","eva","eva"]'
    assert Desk().ask("/whose/root?user_id=eva").status_code == 403


@pytest.mark.parametrize("path", ["/later", "/not_called"])
def test_an_authorizer_that_has_not_decided_lets_nobody_pass(path: str) -> None:
    desk = Desk()
    made = desk.ask(path)
    assert (made.status_code, desk.ran) == (500, 0)
    assert b"NOT_DECIDED" in made.body


@pytest.mark.parametrize("told", ["denied", b"denied", "", {"error": "denied"}, 0, [], "ok", 1])
@pytest.mark.parametrize("kind", ["authorizer", "interceptor"])
def test_a_check_that_returns_anything_but_none_and_true_stops_the_request(told: Any, kind: str) -> None:
    endpoint = HttpEndpoint()
    if kind == "interceptor":
        endpoint.register_interceptor("/secret", lambda: told)
    endpoint.register_route_with_auth("get", "/secret", None, (lambda: told) if kind == "authorizer" else None, secret)
    made = endpoint.table.answer(Request(method="GET", path="/secret", query=""))
    if isinstance(told, str | bytes):
        assert (made.status_code, made.body) == (403, told.encode() if isinstance(told, str) else told)
    else:
        assert made.status_code == 500
        assert b"return None to let the request pass" in made.body


def secret() -> str:
    return "secret"


@pytest.mark.parametrize("query", ["role=guest", "role=", "role=guest&role=guest"])
def test_what_an_authorizer_asks_for_is_not_said_by_who_calls(query: str) -> None:
    asked: list[str] = []
    endpoint = HttpEndpoint()

    def check(role: str = "admin", **more: Any) -> None:
        asked.append(role)
        assert not more

    endpoint.register_interceptor("/secret", check)
    endpoint.register_route_with_auth("get", "/secret", None, check, secret)
    body = b'{"role": "guest", "more": 1}'
    assert endpoint.table.answer(Request(method="GET", path="/secret", query=query, body=body)).status_code == 200
    assert asked == ["admin", "admin"]


def test_an_authorizer_gets_values_of_the_path() -> None:
    asked: list[Any] = []
    endpoint = HttpEndpoint()
    endpoint.register_route_with_auth("get", "/of/<who>/<n:int>", None, lambda who, n=0: asked.append((who, n)), secret)
    endpoint.table.answer(Request(method="GET", path="/of/eva/3", query="who=root&n=9"))
    assert asked == [("eva", 3)]


def test_an_authorizer_that_needs_what_the_path_has_not_is_refused() -> None:
    endpoint = HttpEndpoint()
    roles = RoleAuthorizer()
    with pytest.raises(ConfigException, match=r"user_in_role decides who may call, and needs role, which is not in"):
        endpoint.register_route_with_auth("get", "/secret", None, roles.user_in_role, secret)
    with pytest.raises(ConfigException, match="needs user"):
        endpoint.register_interceptor("", lambda user: None)


@pytest.mark.parametrize("base", ["", "/v1"])
@pytest.mark.parametrize(
    ("expression", "stopped"),
    [
        ("/a", {"/a", "/a/b"}),
        ("a", {"/a", "/a/b"}),
        ("^/a", {"/a", "/a/b"}),
        ("/a$|/c$", {"/a", "/c"}),
        ("c|a/b", {"/c", "/a/b"}),
        (r"/.*/b", {"/a/b"}),
        ("", {"/a", "/a/b", "/c"}),
    ],
)
def test_an_interceptor_stands_before_all_that_its_expression_means(
    base: str, expression: str, stopped: set[str]
) -> None:
    desk = Desk(base, expression)
    found = {path for path in ("/a", "/a/b", "/c") if desk.ask(base + path).status_code == 403}
    assert found == stopped


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"a":' * 100_000, b'"\\ud800"', b"NaN", b"\xff", b"{} {}"])
def test_a_body_that_nobody_can_read_is_a_bad_request(body: bytes) -> None:
    with pytest.raises(BadRequestException):
        _ = Call(Request(method="POST", path="/", body=body), {}).data


def test_a_client_is_not_led_elsewhere() -> None:
    with pytest.raises(InvocationException, match=r"302.*http://elsewhere/"):
        _value_of(Answer(302, "text/html", b"", "http://elsewhere/"), None)


@pytest.mark.parametrize(
    ("roles", "status"),
    [("admin", 200), ("user, admin", 200), (["admin"], 200), ({"admin": True}, 200)]
    + [("administrator", 403), ("", 403), ({"admin": False}, 403), ([], 403), (None, 403), (7, 403), (["Admin"], 403)],
)
def test_roles_in_the_forms_that_programs_have(roles: Any, status: int) -> None:
    endpoint = HttpEndpoint()

    def who() -> None:
        current().user = {"id": "eva", "roles": roles}

    endpoint.register_interceptor("", who)
    endpoint.register_route_with_auth("get", "/secret", None, RoleAuthorizer().admin(), secret)
    assert endpoint.table.answer(Request(method="GET", path="/secret")).status_code == status


@pytest.mark.parametrize("order", [1, -1])
def test_a_header_with_an_underscore_does_not_replace_one_that_a_proxy_sets(order: int) -> None:
    headers = (("x-user", "eva"), ("x_user", "root"))[::order]
    environ = environ_of(Request(method="GET", path="/", headers=(*headers, ("correlation_id", "c"))))
    assert (environ["HTTP_X_USER"], environ["HTTP_CORRELATION_ID"]) == ("eva", "c")
