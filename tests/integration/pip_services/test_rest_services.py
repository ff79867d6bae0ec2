"""Services of Pip.Services on a listener of their own: what a client sees of handlers, checks and errors."""

from __future__ import annotations

import asyncio
import json
import re
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from junctor import Flow
from junctor.core.spec import ServiceSpec
from junctor.dialects.pip_services.commons.config import ConfigParams
from junctor.dialects.pip_services.commons.convert import TypeCode
from junctor.dialects.pip_services.commons.errors import ConnectionException, NotFoundException, UnauthorizedException
from junctor.dialects.pip_services.commons.refer import Descriptor, References
from junctor.dialects.pip_services.commons.run import Parameters
from junctor.dialects.pip_services.commons.validate import ObjectSchema
from junctor.dialects.pip_services.components.info import ContextInfo
from junctor.dialects.pip_services.components.log import ConsoleLogger
from junctor.dialects.pip_services.rpc.auth import BasicAuthorizer, OwnerAuthorizer, RoleAuthorizer
from junctor.dialects.pip_services.rpc.services import (
    AboutOperations,
    HeartbeatRestService,
    HttpEndpoint,
    HttpResponseSender,
    RestOperations,
    RestService,
    StatusRestService,
)
from junctor.dialects.pip_services.rpc.services.call import current
from junctor.dialects.pip_services.rpc.services.own_listener import routes_of
from junctor.http import Response

CORS = {"cache-control": "no-cache, no-store, must-revalidate", "pragma": "no-cache", "expires": "0"}
ITEM = ObjectSchema(True).with_required_property("body", ObjectSchema().with_required_property("n", TypeCode.Integer))
PAGE = ObjectSchema(True).with_optional_property("q", TypeCode.Integer)


class Answer:
    def __init__(self, status: int, headers: Any, body: bytes) -> None:
        self.status = status
        self.headers = {name.lower(): value for name, value in headers.items()}
        self.body = body

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def ask(port: int, path: str, method: str = "GET", data: Any = None, headers: dict[str, str] | None = None) -> Answer:
    body = data if data is None or isinstance(data, bytes) else json.dumps(data).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", body, headers or {}, method=method)
    try:
        with urllib.request.build_opener(_Stay()).open(request, timeout=10) as response:
            return Answer(response.status, response.headers, response.read())
    except urllib.error.HTTPError as error:
        return Answer(error.code, error.headers, error.read())


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any) -> None:
        return None


class Operations(RestOperations):
    def list(self) -> Response:
        paging = self._get_paging_params()
        return self._send_result({"filter": self._get_filter_params(), "skip": paging.skip, "take": paging.take})

    def expired(self) -> Response:
        return self._send_session_expired("sign in again")


class Desk(RestService):
    """Has a route for each thing that a handler can do."""

    def __init__(self) -> None:
        super().__init__()
        self._base_route = "/desk"
        self.seen: list[str] = []
        self.operations = Operations()
        self.about = AboutOperations()

    def register(self) -> None:
        self.register_interceptor("", self.who)
        self.register_interceptor("closed", lambda: self.send_error(NotFoundException(None, "CLOSED", "closed")))
        self.register_route(handler=self.greeting, schema=None, route=self._route, method="GET")
        self.register_route("get", "items/<id:int>", None, self.item)
        self.register_route("post", "/items", ITEM, self.created)
        self.register_route("get", "/page", PAGE, lambda q: self.send_result(q))
        self.register_route("get", "typed", None, self.typed)
        self.register_route("del", "items/<id>", None, lambda id: self.send_deleted_result(id))
        self.register_route("get", "nothing", None, lambda: self.send_result(None))
        self.register_route("get", "forgets", None, self.forgets)
        self.register_route("get", "plain", None, lambda: {"plain": True})
        self.register_route("get", "broken", None, self.broken)
        self.register_route("get", "missing", None, self.missing)
        self.register_route("post", "echo", None, self.echo)
        self.register_route("get", "closed", None, lambda: self.send_result("open"))
        self.register_route("get", "list", None, self.operations.invoke("list"))
        self.register_route("get", "expired", None, self.operations.expired)
        self.register_route("get", "about", None, self.about.get_about_operation())
        basic, role, owner = BasicAuthorizer(), RoleAuthorizer(), OwnerAuthorizer()
        for name, check in {
            "anybody": basic.anybody(),
            "signed": basic.signed(),
            "admin": role.admin(),
            "mine/<user_id>": owner.owner(),
            "sends": lambda: self._forget(UnauthorizedException(None, "NO", "no")),
            "refuses": lambda: False,
        }.items():
            self.register_route_with_auth("get", name, None, check, self.secret)

    def who(self) -> None:
        """Tells who calls, as a program would by a token."""
        name = current().request.header("x-user")
        current().user = {"id": name, "roles": ["admin"] if name == "root" else []} if name else None

    def _forget(self, error: Exception) -> None:
        self.send_error(error)

    def greeting(self, name: str, polite: str = "dear ") -> Response:
        return self.send_result(Parameters.from_tuples("name", f"Hello, {polite}{name} !"))

    def item(self, id: int) -> Response:
        return self.send_result([id, self._endpoint.get_param("id") if self._endpoint else None])

    def created(self) -> Response:
        return self.send_created_result(self._get_data())

    def typed(self, count: int, share: float = 0.5) -> list[Any]:
        return [count, share]

    def forgets(self) -> None:
        self.send_result("sent")

    def broken(self) -> None:
        raise ValueError("no sensor")

    def missing(self) -> None:
        raise NotFoundException(self._get_correlation_id(), "ITEM_NF", "no item").with_details("id", "7")

    def echo(self) -> Response:
        return HttpResponseSender.send_result([self._get_correlation_id(), self._get_data()])

    def secret(self) -> Response:
        self.seen.append(current().request.path)
        return self.send_result("TOP SECRET")


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    endpoint, made = HttpEndpoint(), Desk()
    endpoint.configure(
        ConfigParams.from_tuples(
            "connection.port",
            0,
            "options.request_max_size",
            1000,
            "cors_origins",
            "https://a.example,https://b.example",
        )
    )
    services = [made, HeartbeatRestService(), StatusRestService()]
    references = References.from_tuples(
        Descriptor("pip-services", "context-info", "default", "default", "1.0"),
        ContextInfo("desk", "a desk"),
        Descriptor("pip-services", "endpoint", "http", "default", "1.0"),
        endpoint,
    )
    for service in services:
        service.set_references(references)
    made.about.set_references(references)
    endpoint.open("test")
    for service in services:
        service.open("test")
    yield made
    for service in services:
        service.close("test")
    endpoint.close("test")
    assert not endpoint.is_open()
    assert not len(endpoint.table)


@pytest.fixture
def port(desk: Desk) -> int:
    assert desk._endpoint is not None
    return desk._endpoint.port


def test_values_come_by_the_names_of_parameters(port: int) -> None:
    answer = ask(port, "/desk/greeting?name=J%C3%BCrgen+K")
    assert (answer.status, answer.json) == (200, {"name": "Hello, dear Jürgen K !"})
    assert answer.headers["content-type"] == "application/json"
    assert CORS.items() <= answer.headers.items()
    assert answer.headers["access-control-allow-headers"] == "correlation_id"
    assert ask(port, "/desk/greeting?polite=&name=a&name=b").json == {"name": "Hello, b !"}
    assert ask(port, "/desk/greeting").json == {"name": "Hello, dear None !"}


def test_values_of_the_path(port: int) -> None:
    assert ask(port, "/desk/items/12").json == [12, 12]
    assert ask(port, "/desk/items/x").status == 405  # only DELETE takes texts
    assert ask(port, "/desk/items/x", "DELETE").json == "x"


def test_declared_types_are_read(port: int) -> None:
    assert ask(port, "/desk/typed?count=3").json == [3, 0.5]
    answer = ask(port, "/desk/typed?count=many")
    assert (answer.status, answer.json["code"], answer.json["details"]) == (400, "BAD_PARAMETER", {"name": "count"})


def test_what_is_sent_without_being_returned_is_the_answer(port: int) -> None:
    assert ask(port, "/desk/forgets").json == "sent"
    assert ask(port, "/desk/plain").json == {"plain": True}
    nothing = ask(port, "/desk/nothing")
    assert (nothing.status, nothing.body) == (204, b"")


def test_the_body_is_validated(port: int) -> None:
    assert ask(port, "/desk/items", "POST", {"n": 1}).status == 201
    assert ask(port, "/desk/items", "POST", json.dumps({"n": 1})).json == {"n": 1}  # JSON in a JSON text
    wrong = ask(port, "/desk/items", "POST", {"n": "x"})
    assert (wrong.status, wrong.json["code"], wrong.json["category"]) == (400, "INVALID_DATA", "BadRequest")
    assert "body.n type must be integer" in wrong.json["message"]
    none = ask(port, "/desk/items", "POST")
    assert none.status == 400


def test_numbers_of_a_query_count_as_numbers(port: int) -> None:
    assert ask(port, "/desk/page?q=1").status == 200
    assert ask(port, "/desk/page?q=one").status == 400


def test_what_is_no_json_is_refused(port: int) -> None:
    answer = ask(port, "/desk/echo", "POST", b'{"n": ')
    assert (answer.status, answer.json["code"]) == (400, "BAD_JSON")


def test_a_large_body_is_refused(port: int) -> None:
    assert ask(port, "/desk/echo", "POST", "x" * 2000).status == 413
    assert ask(port, "/desk/echo", "POST", "x" * 900).status == 200


def test_errors_are_json_without_a_stack_trace(port: int) -> None:
    missing = ask(port, "/desk/missing?correlation_id=c1")
    assert missing.status == 404
    assert missing.json == {
        "type": None,
        "category": "NotFound",
        "status": 404,
        "code": "ITEM_NF",
        "message": "no item",
        "details": {"id": "7"},
        "correlation_id": "c1",
        "cause": None,
        "stack_trace": None,
    }
    broken = ask(port, "/desk/broken")
    assert (broken.status, broken.json["code"], broken.json["message"]) == (500, "UNKNOWN", "no sensor")
    assert b"Traceback" not in broken.body
    assert b".py" not in broken.body


def test_correlation_ids_come_in_the_query_or_a_header(port: int) -> None:
    assert ask(port, "/desk/echo?correlation_id=q", "POST", 1).json == ["q", 1]
    assert ask(port, "/desk/echo", "POST", 1, {"correlation_id": "h"}).json == ["h", 1]
    assert ask(port, "/desk/echo", "POST").json == [None, None]


def test_unknown_paths_and_methods(port: int) -> None:
    unknown = ask(port, "/desk/greting")
    assert (unknown.status, unknown.json["code"]) == (404, "ROUTE_NOT_FOUND")
    assert "did you mean /desk/greeting" in unknown.json["message"]
    assert CORS.items() <= unknown.headers.items()
    wrong = ask(port, "/desk/greeting", "POST")
    assert (wrong.status, wrong.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
    assert ask(port, "/desk/greeting?name=x", "HEAD").status == 200


def test_pages_of_known_origins_may_ask(port: int) -> None:
    asked = {"Origin": "https://b.example", "Access-Control-Request-Method": "POST"}
    allowed = ask(port, "/desk/items", "OPTIONS", headers=asked)
    assert (allowed.status, allowed.headers["access-control-allow-origin"]) == (204, "https://b.example")
    assert ask(port, "/desk/items", "POST", {"n": 1}, {"Origin": "https://b.example"}).status == 201
    assert ask(port, "/desk/items", "POST", {"n": 1}, {"Origin": "https://c.example"}).status == 403
    other = ask(port, "/desk/plain", headers={"Origin": "https://c.example"})
    assert "access-control-allow-origin" not in other.headers


@pytest.mark.parametrize(
    ("path", "user", "status"),
    [
        ("anybody", "", 200),
        ("signed", "", 401),
        ("signed", "eva", 200),
        ("admin", "", 401),
        ("admin", "eva", 403),
        ("admin", "root", 200),
        ("mine/eva", "", 401),
        ("mine/eva", "root", 403),
        ("mine/eva?user_id=root", "root", 403),
        ("mine/eva", "eva", 200),
        ("sends", "eva", 401),
        ("refuses", "eva", 403),
    ],
)
def test_authorizers_stop_requests(desk: Desk, port: int, path: str, user: str, status: int) -> None:
    desk.seen.clear()
    answer = ask(port, f"/desk/{path}", headers={"x-user": user} if user else {})
    assert answer.status == status
    assert bool(desk.seen) == (status == 200)
    assert (answer.json == "TOP SECRET") == (status == 200)


def test_interceptors_stop_requests(port: int) -> None:
    assert ask(port, "/desk/closed").json["code"] == "CLOSED"


def test_operations_read_filter_and_page(port: int) -> None:
    answer = ask(port, "/desk/list?type=a&skip=5&take=10&correlation_id=c")
    assert answer.json == {"filter": {"type": "a"}, "skip": 5, "take": 10}
    assert ask(port, "/desk/expired").status == 440


def test_heartbeat_and_status(port: int) -> None:
    assert ask(port, "/heartbeat").json.endswith("Z")
    status = ask(port, "/status").json
    assert [*status] == [
        "id",
        "name",
        "description",
        "start_time",
        "current_time",
        "uptime",
        "properties",
        "components",
    ]
    assert status["name"] == "desk"
    assert status["components"][-1] == "pip-services:endpoint:http:default:1.0"
    about = ask(port, "/desk/about", headers={"user-agent": "Mozilla/5.0 (X11; Linux) Firefox/130"}).json
    assert (about["server"]["name"], about["server"]["protocol"]) == ("desk", "http")
    assert about["client"]["client"] == "firefox"


def test_many_slow_requests_run_at_once() -> None:
    """The thirty meet inside their handlers: were fewer allowed at a time, none would come out."""
    barrier = threading.Barrier(30)
    endpoint = HttpEndpoint()
    endpoint.configure(ConfigParams.from_tuples("connection.port", 0))
    endpoint.register_route("get", "/meet", None, lambda: barrier.wait(20))
    endpoint.open(None)
    try:
        answers: list[Answer] = []
        threads = [
            threading.Thread(target=lambda: answers.append(ask(endpoint.port, "/meet"))) for _ in range(barrier.parties)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(answer.json for answer in answers) == list(range(30))
    finally:
        endpoint.close(None)


def test_a_port_in_use_is_told() -> None:
    first, second = HttpEndpoint(), HttpEndpoint()
    first.configure(ConfigParams.from_tuples("connection.port", 0))
    first.open(None)
    try:
        second.configure(ConfigParams.from_tuples("connection.port", first.port))
        with pytest.raises(ConnectionException, match="Opening REST service at"):
            second.open(None)
        assert not second.is_open()
    finally:
        first.close(None)


def test_maintenance() -> None:
    endpoint = HttpEndpoint()
    endpoint.configure(ConfigParams.from_tuples("connection.port", 0, "options.maintenance_enabled", True))
    endpoint.register_route("get", "/x", None, lambda: "x")
    endpoint.open(None)
    try:
        assert ask(endpoint.port, "/x").status == 503
    finally:
        endpoint.close(None)


def test_a_service_without_an_endpoint_has_its_own() -> None:
    service = Desk()
    service.configure(ConfigParams.from_tuples("connection.port", 0, "base_route", "bench"))
    service.open(None)
    try:
        assert service._endpoint is not None
        assert ask(service._endpoint.port, "/bench/plain").json == {"plain": True}
    finally:
        service.close(None)
        service.unset_references()


def test_a_service_that_goes_takes_its_routes_along(desk: Desk, port: int) -> None:
    class Guest(RestService):
        def register(self) -> None:
            self.register_route("get", "guest", None, lambda: "here")

    assert desk._endpoint is not None
    guest = Guest()
    guest.set_references(References.from_tuples(Descriptor("x", "endpoint", "http", "x", "1.0"), desk._endpoint))
    assert ask(port, "/guest").body == b"here"
    guest.unset_references()
    assert ask(port, "/guest").status == 404


def test_the_log_says_where_in_the_program() -> None:
    class Lines(ConsoleLogger):
        def __init__(self) -> None:
            super().__init__()
            self.lines: list[str] = []

        def _write(self, level: int, correlation_id: str | None, error: BaseException | None, message: str) -> None:
            self.lines.append(f"{level} {message}")

    logger, service = Lines(), Desk()
    service.configure(ConfigParams.from_tuples("connection.port", 0))
    service.set_references(References.from_tuples(Descriptor("x", "logger", "x", "x", "1.0"), logger))
    service.open(None)
    try:
        assert service._endpoint is not None
        for path in ("broken", "forgets", "forgets", "missing"):
            ask(service._endpoint.port, f"/desk/{path}")
    finally:
        service.close(None)
    file = r".*test_rest_services\.py:\d+"
    said = [line for line in logger.lines if re.search(file, line)]
    assert re.fullmatch(rf"3 greeting has no route; it answers at /desk/greeting \({file}\)", said[0])
    assert re.fullmatch(rf"2 GET /desk/broken failed at {file}.*", said[1])
    assert re.match(rf"3 forgets sends an answer .*\({file}\)", said[2])
    assert len(said) == 3


async def test_what_a_handler_raises_is_a_failure_of_the_service() -> None:
    def broken() -> None:
        raise ValueError("no sensor")

    table = HttpEndpoint()
    table.register_route("get", "/broken", None, broken)
    table.register_route("get", "/missing", None, Desk().missing)
    spec = ServiceSpec(name="desk", build=lambda context: table.table, routes=routes_of(lambda made: made))
    async with Flow("desk").add(spec).running(transport="memory", http=True) as node:
        port = int(node.urls[0].rpartition(":")[2])
        answer = await asyncio.to_thread(ask, port, "/broken")
        assert (answer.status, answer.json["message"]) == (500, "no sensor")
        assert CORS.items() <= answer.headers.items()
        assert (await asyncio.to_thread(ask, port, "/missing")).status == 404
        (service,) = node.status().services
        assert service.failed == 1
