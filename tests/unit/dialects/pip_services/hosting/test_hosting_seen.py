"""What operators and callers see of the endpoint of a container: its routes, its requests in the trace, refusals."""

from __future__ import annotations

import asyncio
import http.client
import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

import pytest

from junctor import Flow
from junctor.core.records import Query
from junctor.dialects.pip_services.commons.config import ConfigParams
from junctor.dialects.pip_services.commons.refer import Descriptor, IReferences
from junctor.dialects.pip_services.components.build import Factory
from junctor.dialects.pip_services.container import Container
from junctor.dialects.pip_services.hosting.flow import flow_of
from junctor.dialects.pip_services.hosting.hosted import Hosted
from junctor.dialects.pip_services.hosting.spec import whole_spec
from junctor.dialects.pip_services.rpc.build import DefaultRpcFactory
from junctor.dialects.pip_services.rpc.services import RestService
from junctor.flows import FlowModel
from junctor.messages import session_called
from junctor.node.node import Node
from junctor.node.views.answers import trace
from junctor.node.views.describe import describe
from junctor.node.views.search import NothingFound


class Desk:
    """A controller that says under which correlation id it was called."""

    def named(self, correlation_id: str, body: Any = None) -> str:
        return correlation_id


class Rest(RestService):
    def __init__(self) -> None:
        super().__init__()
        self._base_route = "/desk"

    def set_references(self, references: IReferences) -> None:
        super().set_references(references)
        self._client = references.get_one_required(Descriptor("junctor", "client", "*", "*", "*"))

    def register(self) -> None:
        self.register_interceptor("/items", lambda: None)
        self.register_route("get", "/items/<id:int>", None, self.item)
        self.register_route("post", "/items", None, self.add)
        self.register_route("get", "/broken/<id>", None, self.broken)
        self.register_route("get", "/named", None, self.named)

    def item(self, id: int, part: str | None = None) -> Any:
        """One item.

        With all its parts.
        """
        return self.send_result([id, part])

    def add(self) -> Any:
        return self.send_created_result(self._get_data())

    def broken(self, id: str) -> None:
        raise ValueError(f"no sensor {id}")

    def named(self) -> Any:
        called = self._client.call_command("named", self._get_correlation_id())
        return self.send_result(called)


COMPONENTS: tuple[Mapping[str, Any], ...] = (
    {"descriptor": "test:controller:default:default:1.0"},
    {
        "descriptor": "pip-services:endpoint:http:default:1.0",
        "connection": {"host": "127.0.0.1", "port": 0},
        "options": {"request_max_size": 100},
    },
    {"descriptor": "test:service:http:default:1.0"},
    {"descriptor": "pip-services:heartbeat-service:http:default:1.0"},
    {"descriptor": "junctor:client:default:desk:1.0", "service": "test-controller"},
)


def container() -> Hosted:
    made = Container("test")
    factory = Factory()
    factory.register_as_type(Descriptor("test", "controller", "*", "*", "1.0"), Desk)
    factory.register_as_type(Descriptor("test", "service", "http", "*", "1.0"), Rest)
    made.add_factory(factory)
    made.add_factory(DefaultRpcFactory())
    made.configure(ConfigParams.from_value([dict(one) for one in COMPONENTS]))
    return Hosted(made)


def of_its_own() -> FlowModel:
    """A container that is its flow."""
    return flow_of(container())


def among_others(path: str = "") -> FlowModel:
    """A container as a service of a flow."""
    hosted = container()
    hosted.compose()
    return FlowModel("mall", http={"path": path, "body": 200}).add(whole_spec(hosted, "test-controller"))


def running(model: FlowModel) -> Any:
    return Flow.of(model).running(transport="memory", http=True)


async def ask(
    node: Node, path: str, method: str = "GET", body: bytes | None = None, **headers: str | bytes
) -> tuple[int, Any]:
    """Status and JSON of an answer."""

    def asked() -> tuple[int, Any]:
        connection = http.client.HTTPConnection(node.urls[0].removeprefix("http://"), timeout=10)
        try:
            connection.request(method, path, body, {name.replace("_", "-"): text for name, text in headers.items()})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    return await asyncio.to_thread(asked)


ROUTES = {
    *("GET /desk/items/{id}", "POST /desk/items", "GET /desk/broken/{id}", "GET /desk/named"),
    "GET /heartbeat",
}


@pytest.mark.parametrize("model", [of_its_own, among_others])
async def test_the_routes_of_a_container_are_seen(model: Callable[[], FlowModel]) -> None:
    async with running(model()) as node:
        plans = [(flow, plan) for flow in node.engine.flows.values() for plan in flow.services]
        entries = [entry for flow, plan in plans for entry in describe(flow, plan).entries]
        assert {entry.name for entry in entries if entry.kind == "route"} == ROUTES
        _, document = await ask(node, "/openapi.json")
        told = {f"{method.upper()} {path}" for path, methods in document["paths"].items() for method in methods}
        assert told == ROUTES
        item = document["paths"]["/desk/items/{id}"]["get"]
        assert (item["summary"], item["description"]) == ("One item.", "With all its parts.")
        assert [(one["name"], one["in"], one["required"]) for one in item["parameters"]] == [
            ("id", "path", True),
            ("part", "query", False),
        ]
        assert item["parameters"][0]["schema"] == {"type": "integer"}
        assert "application/json" in document["paths"]["/desk/items"]["post"]["requestBody"]["content"]
        assert [*item["responses"]["default"]["content"]] == ["application/json"]


async def test_a_request_has_method_and_path_and_is_found_by_its_correlation_id() -> None:
    async with running(of_its_own()) as node:
        status, told = await ask(node, "/desk/broken/7?correlation_id=Order-17")
        assert (status, told["correlation_id"]) == (500, "Order-17")
        for which in ("Order-17", f"{session_called('Order-17'):032x}"):
            [hop] = trace(node.archive, which).hops
            assert (hop.message.type, hop.message.status) == ("GET /desk/broken/<id>", "failed")
            assert hop.headers == {"path": "/desk/broken/7", "correlation_id": "Order-17"}


async def test_a_correlation_id_goes_on_with_what_a_request_asks_for() -> None:
    async with running(of_its_own()) as node:
        for name in ("Order-17", "0123456789abcdef0123456789abcdef", "é", "№"):
            for given in ({"correlation_id": name.encode()}, {}):
                query = "" if given else f"?correlation_id={quote(name)}"
                assert await ask(node, f"/desk/named{query}", **given) == (200, name)
            assert len(trace(node.archive, name).hops) == 4
        records = node.archive.search(Query(session=session_called("Order-17")))
        assert {record.message.type for record in records} >= {"GET /desk/named"}
        assert {record.message.headers.get("correlation_id") for record in records} == {"Order-17"}
        assert len(node.archive.search(Query(session=0x0123456789ABCDEF0123456789ABCDEF))) == len(records)
        _, made = await ask(node, "/desk/named")
        assert trace(node.archive, made).session == made  # without one it is the session


async def test_a_traceparent_names_the_session_before_a_correlation_id_does() -> None:
    parent = "0af7651916cd43dd8448eb211c80319c"
    async with running(of_its_own()) as node:
        await ask(node, "/desk/broken/1", correlation_id="order", traceparent=f"00-{parent}-b7ad6b7169203331-01")
        assert trace(node.archive, parent).hops
        with pytest.raises(NothingFound):
            trace(node.archive, "order")


@pytest.mark.parametrize(
    ("given", "status", "code", "told"),
    [
        ({"body": b"x" * 300}, 413, "BODY_TOO_LARGE", ("options.request_max_size", "http: {body")),
        ({"body": b"1", "Origin": "http://evil.example"}, 403, "CROSS_SITE", ("cors_origins", "http: {cors")),
        ({"body": b"1", "Host": "evil.example"}, 421, "HOST", ("connection.host", "http: {hosts")),
    ],
)
async def test_what_the_node_refuses_is_told_in_the_words_of_the_container(
    given: dict[str, Any], status: int, code: str, told: tuple[str, str]
) -> None:
    for model, word in zip((of_its_own, among_others), told, strict=True):
        async with running(model()) as node:
            answered, error = await ask(node, "/desk/items", "POST", **given)
            assert (answered, error["status"], error["code"]) == (status, status, code)
            assert word in error["message"]
            assert [*error][:5] == ["type", "category", "status", "code", "message"]


async def test_a_path_that_cannot_be_read_is_refused_in_the_same_words() -> None:
    async with running(of_its_own()) as node:
        status, error = await ask(node, "/desk/items/%zz")
        assert (status, error["code"], error["category"]) == (400, "PATH", "BadRequest")


async def test_a_container_answers_below_the_path_of_its_flow() -> None:
    async with running(among_others("/mall")) as node:
        assert await ask(node, "/mall/desk/items/7?part=a") == (200, [7, "a"])
        assert await ask(node, "/mall/desk/items", "POST", b"1") == (201, 1)
        assert (await ask(node, "/mall/heartbeat"))[0] == 200
        assert (await ask(node, "/desk/items/7"))[0] == 404
        _, document = await ask(node, "/openapi.json")
        assert "/mall/desk/items/{id}" in document["paths"]
