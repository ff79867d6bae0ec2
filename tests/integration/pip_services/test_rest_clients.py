"""Clients of Pip.Services against services on real sockets: values, errors, time-outs, retries, kept connections."""

from __future__ import annotations

import select
import socket
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
import yaml

from junctor.dialects.pip_services.commons.commands import (
    Command,
    CommandSet,
    ICommand,
    ICommandable,
    ICommandInterceptor,
)
from junctor.dialects.pip_services.commons.config import ConfigParams
from junctor.dialects.pip_services.commons.convert import TypeCode
from junctor.dialects.pip_services.commons.data import PagingParams
from junctor.dialects.pip_services.commons.errors import (
    ApplicationException,
    BadRequestException,
    ConfigException,
    ConnectionException,
    InvalidStateException,
    InvocationException,
    NotFoundException,
)
from junctor.dialects.pip_services.commons.refer import Descriptor, References
from junctor.dialects.pip_services.commons.run import Parameters
from junctor.dialects.pip_services.commons.validate import ArraySchema, ObjectSchema
from junctor.dialects.pip_services.rpc.clients import DirectClient
from junctor.dialects.pip_services.rpc.services import CommandableHttpService, HttpEndpoint
from junctor.dialects.pip_services.rpc.services.call import current
from junctor.dialects.pip_services.rpc.test import TestCommandableHttpClient, TestRestClient
from junctor.dialects.pip_services.swagger.build import DefaultSwaggerFactory

BEACON = (
    ObjectSchema()
    .with_required_property("id", TypeCode.String)
    .with_optional_property("tags", ArraySchema(TypeCode.String))
)
CONTROLLER = Descriptor("test", "controller", "default", "default", "1.0")


class Watch(ICommandInterceptor):
    """Stands before all commands, and remembers what it has seen."""

    def __init__(self) -> None:
        self.seen: list[tuple[str | None, str]] = []

    def get_name(self, command: ICommand) -> str:
        return command.get_name()

    def execute(self, correlation_id: str | None, command: ICommand, args: Parameters) -> Any:
        self.seen.append((correlation_id, command.get_name()))
        if args.get("forbidden"):
            raise BadRequestException(correlation_id, "FORBIDDEN", "not this one")
        return command.execute(correlation_id, args)

    def validate(self, command: ICommand, args: Parameters | None) -> Any:
        return command.validate(args)


class Beacons(ICommandable):
    def __init__(self) -> None:
        self.known: dict[str, Any] = {}
        self.watch = Watch()

    def get_command_set(self) -> CommandSet:
        made = CommandSet()
        made.add_interceptor(self.watch)
        made.add_command(Command("put_beacon", ObjectSchema(True).with_required_property("beacon", BEACON), self._put))
        made.add_command(
            Command("get_beacon", ObjectSchema(True).with_required_property("id", TypeCode.String), self._get)
        )
        return made

    def _put(self, correlation_id: str | None, args: Parameters) -> Any:
        beacon = args.get_as_object("beacon")
        self.known[beacon["id"]] = beacon
        return beacon

    def _get(self, correlation_id: str | None, args: Parameters) -> Any:
        if args.get_as_string("id") == "lost":
            raise NotFoundException(correlation_id, "LOST", "the beacon is lost").with_details("id", "lost")
        return self.known.get(args.get_as_string("id"))


BEACONS = Beacons()


@pytest.fixture(scope="module")
def endpoint() -> Iterator[HttpEndpoint]:
    made = HttpEndpoint()
    made.configure(ConfigParams.from_tuples("connection.port", 0))
    service = CommandableHttpService("v1/beacons")
    service.configure(
        ConfigParams.from_tuples(
            "dependencies.controller",
            "test:controller:*:*:1.0",
            "swagger.enable",
            True,
            "swagger.name",
            "Beacons",
        )
    )
    page = DefaultSwaggerFactory().create(Descriptor("pip-services", "swagger-service", "default", "default", "1.0"))
    references = References.from_tuples(
        CONTROLLER,
        BEACONS,
        Descriptor("pip-services", "endpoint", "http", "default", "1.0"),
        made,
        Descriptor("pip-services", "swagger-service", "default", "default", "1.0"),
        page,
    )
    page.set_references(references)
    service.set_references(references)
    made.register_route("get", "/echo", None, lambda: current().params)
    made.register_route("get", "/headers", None, lambda: [current().request.header("correlation_id")])
    made.register_route("get", "/named", None, lambda: [made.get_correlation_id()])
    made.register_route("get", "/text", None, lambda: "text")
    made.register_route("get", "/peer", None, lambda: list(current().request.client or ()))
    made.open("test")
    yield made
    made.close("test")


@pytest.fixture
def client(endpoint: HttpEndpoint) -> Iterator[TestRestClient]:
    made = TestRestClient()
    made.configure(ConfigParams.from_tuples("connection.port", endpoint.port))
    made.open("test")
    yield made
    made.close("test")


@contextmanager
def server(answer: Callable[[socket.socket, int], object]) -> Iterator[int]:
    """A server of one's own: called with each connection and its number."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        number = 0
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with connection:
                answer(connection, number)
            number += 1

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join()


@contextmanager
def client_of(port: int, *options: Any, base_route: str | None = "base") -> Iterator[TestRestClient]:
    made = TestRestClient(base_route)
    made.configure(ConfigParams.from_tuples("connection.port", port, *options))
    made.open(None)
    try:
        yield made
    finally:
        made.close(None)


def good(connection: socket.socket, number: int) -> None:
    connection.recv(65536)
    connection.sendall(
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1\r\n\r\n" + b"%d" % number
    )


def broken_first(connection: socket.socket, number: int) -> None:
    if number == 0:
        connection.recv(65536)
    else:
        good(connection, number)


def test_commands_and_their_errors(endpoint: HttpEndpoint) -> None:
    client = TestCommandableHttpClient("v1/beacons")
    client.configure(ConfigParams.from_tuples("connection.port", endpoint.port))
    client.open("test")
    beacon = {"id": "1", "tags": ["a"]}
    assert client.call_command("put_beacon", "c", {"beacon": beacon}) == beacon
    assert client.call_command("get_beacon", "c", {"id": "1"}) == beacon
    assert client.call_command("get_beacon", "c", {"id": "2"}) is None
    with pytest.raises(NotFoundException) as lost:
        client.call_command("get_beacon", "c1", {"id": "lost"})
    assert (lost.value.code, lost.value.correlation_id) == ("LOST", "c1")
    assert lost.value.details == {"id": "lost"}
    with pytest.raises(BadRequestException, match="beacon.id must not be null"):
        client.call_command("put_beacon", "c", {"beacon": {}})
    with pytest.raises(NotFoundException):
        client.call_command("no_such_command", "c", None)
    client.close("test")
    with pytest.raises(InvalidStateException):
        client.call_command("get_beacon", "c", None)


def test_arguments_of_a_command_are_an_object(client: TestRestClient) -> None:
    with pytest.raises(BadRequestException, match="JSON object"):
        client.call("post", "v1/beacons/get_beacon", None, None, [1])


def test_interceptors_of_a_command_set_stand_before_commands_of_requests(client: TestRestClient) -> None:
    seen = BEACONS.watch.seen
    seen.clear()
    route = "v1/beacons/get_beacon"
    with pytest.raises(BadRequestException, match="not this one"):
        client.call("post", route, "c", None, {"id": "1", "forbidden": True})
    client.call("post", route, None, None, {"id": "1"})
    assert seen == [("c", "get_beacon"), (None, "get_beacon")]


def test_the_correlation_id_of_a_command_may_be_in_its_arguments(client: TestRestClient) -> None:
    seen = BEACONS.watch.seen
    seen.clear()
    route = "v1/beacons/get_beacon"
    with pytest.raises(NotFoundException) as lost:
        client.call("post", route, None, None, {"id": "lost", "correlation_id": "body"})
    assert lost.value.correlation_id == "body"
    client.call("post", route, "query", None, {"id": "1", "correlation_id": "body"})
    client.call("post", route, None, None, {"id": "1", "correlation_id": 7})
    assert [correlation_id for correlation_id, _ in seen] == ["body", "query", None]


def test_the_document_of_a_commandable_service(endpoint: HttpEndpoint) -> None:
    with urllib.request.urlopen(f"http://127.0.0.1:{endpoint.port}/v1/beacons/swagger") as response:
        assert response.headers["content-type"] == "application/x-yaml"
        document = yaml.safe_load(response.read())
    assert (document["openapi"], document["info"]["title"]) == ("3.0.2", "Beacons")
    assert [*document["paths"]] == ["/v1/beacons/put_beacon", "/v1/beacons/get_beacon"]
    operation = document["paths"]["/v1/beacons/put_beacon"]["post"]
    assert operation["operationId"] == "put_beacon"
    beacon = operation["requestBody"]["content"]["application/json"]["schema"]["properties"]["beacon"]
    assert beacon["required"] == ["id"]
    assert beacon["properties"]["tags"] == {"type": "array", "items": {"type": "string"}}


def test_the_page_of_documents(endpoint: HttpEndpoint) -> None:
    with urllib.request.urlopen(f"http://127.0.0.1:{endpoint.port}/swagger") as response:
        assert response.url.endswith("/swagger/index.html")
        assert b'href="/v1/beacons/swagger"' in response.read()


def test_queries_and_correlation_ids(endpoint: HttpEndpoint, client: TestRestClient) -> None:
    assert client.call("get", "/echo", "c 1", {"name": "Jürgen & K", "none": None}) == {
        "name": "Jürgen & K",
        "correlation_id": "c 1",
    }
    assert client.call("get", "/headers", "c") == [""]
    with client_of(endpoint.port, "options.correlation_id", "headers", base_route=None) as other:
        assert other.call("get", "/headers", "c") == ["c"]
        for name in ("c", "Jürgen", "№ 7", "é"):
            assert other.call("get", "/named", name) == [name]
        with pytest.raises(BadRequestException, match=r"'c\\r\\nx: 1' cannot be sent in a header"):
            other.call("get", "/named", "c\r\nx: 1")
    assert client._add_paging_params(client._add_filter_params({}, {"a": 1}), PagingParams(1, 2, True)) == {
        "a": "1",
        "skip": "1",
        "take": "2",
        "total": "true",
    }


def test_texts_come_as_they_are(client: TestRestClient) -> None:
    assert client.call("get", "text") == "text"


def test_a_connection_is_kept(client: TestRestClient) -> None:
    assert client.call("get", "peer") == client.call("get", "peer")


def test_what_did_not_reach_the_server_is_tried_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with client_of(port, "options.retries", 1) as client, pytest.raises(ConnectionException, match="refused"):
        client.call("post", "x", None, None, {})


def test_a_broken_connection_is_tried_again_where_that_does_no_harm() -> None:
    with server(broken_first) as port, client_of(port) as client:
        assert client.call("get", "x") == 1
    with server(broken_first) as port, client_of(port) as client, pytest.raises(ConnectionException):
        client.call("post", "x", None, None, {})


def test_a_connection_that_the_server_has_closed_is_not_used() -> None:
    with server(good) as port, client_of(port, "options.retries", 0) as client:
        for number in range(3):
            assert client.call("post", "x", None, None, {}) == number
            assert client._client is not None
            for kept in client._client._idle:
                select.select([kept.sock], [], [], 10)  # until the end of the connection has come


def test_a_time_out_is_in_milliseconds() -> None:
    silence = threading.Event()
    with server(lambda connection, number: silence.wait(20)) as port, client_of(port, "options.timeout", 50) as client:
        with pytest.raises(InvocationException, match=r"no answer within 0\.05 s") as late:
            client.call("get", "x")
        assert late.value.code == "TIMEOUT"
        silence.set()


def test_a_time_out_is_for_the_whole_answer_however_it_comes() -> None:
    ended = threading.Event()

    def drip(connection: socket.socket, number: int) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n")
        with suppress(OSError):
            while not ended.wait(0.02):
                connection.sendall(b" ")

    with server(drip) as port, client_of(port, "options.timeout", 200) as client:
        try:
            with pytest.raises(InvocationException, match=r"no answer within 0\.2 s"):
                client.call("get", "x")
        finally:
            ended.set()


@pytest.mark.parametrize("option", ["timeout", "connect_timeout"])
@pytest.mark.parametrize("value", [0, -1, "soon"])
def test_a_time_out_that_is_none_is_refused(option: str, value: Any) -> None:
    with pytest.raises(ConfigException, match=rf"options\.{option} is {value}; give milliseconds above 0"):
        TestRestClient().configure(ConfigParams.from_tuples(f"options.{option}", value))


def test_errors_of_other_servers() -> None:
    def answer(connection: socket.socket, number: int) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 409 Conflict\r\ncontent-length: 4\r\n\r\nbusy")

    with server(answer) as port, client_of(port) as client:
        with pytest.raises(ApplicationException, match="busy") as error:
            client.call("get", "x")
    assert (error.value.category, error.value.status, error.value.code) == ("Conflict", 409, "HTTP_409")


def test_direct_clients_call_the_controller() -> None:
    class Client(DirectClient):
        def find(self, id: str) -> Any:
            with self._instrument("c", "beacons.find"):
                return self._controller.get_command_set().execute("c", "get_beacon", Parameters.from_tuples("id", id))

    client = Client()
    client.configure(ConfigParams.from_tuples("dependencies.controller", "test:controller:*:*:1.0"))
    client.set_references(References.from_tuples(CONTROLLER, Beacons()))
    client.open(None)
    assert client.is_open()
    assert client.find("nobody") is None
    client.close(None)
