"""What the dialects brought into the contract, in the hands of a native user, on each transport."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from junctor import Flow, Service, Target, action, handler
from junctor.core.records import Query
from junctor.core.routing import Routing
from junctor.core.spec import service_name
from junctor.errors import EncodeError, WiringError
from junctor.messages import HANDLER, Kind, Message, TypeRegistry
from junctor.node.node import Node


@dataclass
class Reading:
    sensor: str
    value: float


@dataclass
class Seen:
    what: str


class Alarm(Service):
    @handler
    async def on_reading(self, reading: Reading) -> Seen:
        return Seen(f"reading {reading.sensor}")

    @handler
    async def on_anything(self, body: Any) -> Any:
        return Seen(f"anything {type(body).__name__}")


class Sink(Service):
    @handler
    async def take(self, body: Any) -> Any:
        return Seen(type(body).__name__)


class Front(Service):
    @action
    async def ask(self, service: str, name: str, data: dict) -> str:
        reply = await self.target(service, reply=Any, handler=name).request(data)
        return reply.what

    @action
    async def ask_for_ever(self) -> str:
        return (await self.target("sink", Reading, Seen).request(Reading("a", 1.0), timeout=math.inf)).what


class Blocking(Service):
    sink: Target[Any, Any]

    @handler
    def both(self, reading: Reading) -> Seen:
        first = self.sink.request(Seen("first"))
        self.sink.send(Seen("second"))
        return first.result()


@asynccontextmanager
async def running(transport: str, folder: Path) -> AsyncIterator[Node]:
    flow = Flow("contract").add(Alarm()).add(Sink()).add(Front()).add(Blocking(), connect={"sink": "sink"})
    async with flow.running(transport=transport, store=folder) as node:
        yield node


both = pytest.mark.parametrize("transport", ["memory", "sqlite"])


@both
async def test_a_handler_is_found_by_its_name(transport: str, short_dir: Path) -> None:
    async with running(transport, short_dir) as node:
        data = {"sensor": "cpu", "value": 93}
        assert await node.call("front", "ask", service="alarm", name="on_reading", data=data) == "reading cpu"
        assert await node.call("front", "ask", service="alarm", name="on_anything", data=data) == "anything dict"
        named = node.archive.search(Query(type="Reading"))
        assert [record.message.headers[HANDLER] for record in named] == ["on_reading"]


@both
async def test_what_a_named_handler_cannot_take_is_refused_to_the_sender(transport: str, short_dir: Path) -> None:
    async with running(transport, short_dir) as node:
        port = node.engine.client("contract")
        link = port.link_to("alarm", Any, handler="on_reading")
        with pytest.raises(EncodeError, match=r"on_reading Reading\.value.*"):
            await port.send(link, {"sensor": "cpu", "value": "high"})
        with pytest.raises(WiringError, match='no handler .on_readings.* Did you mean "on_reading"'):
            port.link_to("alarm", Any, handler="on_readings")


@both
async def test_broadcast_by_name_reaches_those_who_have_it(transport: str, short_dir: Path) -> None:
    async with running(transport, short_dir) as node:
        port = node.engine.client("contract")
        assert await port.broadcast({"a": 1}, handler="take") == 1
        assert await port.broadcast({"a": 1}, handler="nobody_has_it") == 0


@both
async def test_any_means_the_same_object_on_every_transport(transport: str, short_dir: Path) -> None:
    """A handler of Any, and a reply that nobody declared, get objects of the types that the flow knows."""
    async with running(transport, short_dir) as node:
        port = node.engine.client("contract")
        reply = await port.request(port.link_to("sink", Any), Reading("a", 1.0))
        assert reply == Seen("Reading")
        assert await port.request(port.link_to("sink", Any), {"a": 1}) == Seen("dict")


@both
async def test_a_request_that_never_expires(transport: str, short_dir: Path) -> None:
    async with running(transport, short_dir) as node:
        assert await node.call("front", "ask_for_ever") == "Reading"
        (asked,) = node.archive.search(Query(service="contract/sink"))
        assert asked.message.deadline == 0


@both
async def test_a_send_right_after_a_request_is_kept(transport: str, short_dir: Path) -> None:
    async with running(transport, short_dir) as node:
        for number in range(20):
            await node.target("blocking", Reading, Seen).request(Reading(str(number), 1.0))
        assert len(node.archive.search(Query(service="contract/sink"))) == 40


def message(type_name: str, name: str | None = None) -> Message:
    headers = {HANDLER: name} if name is not None else {}
    return Message(1, "n", 1, Kind.SEND, "f/a", "f/b", type_name, b"null", 0, headers=headers)


def test_routing_by_type_by_name_and_by_both() -> None:
    types = TypeRegistry()
    routing: Routing[str] = Routing()
    routing.add("a", types.register(Reading), "first")
    routing.add("b", types.register(Reading), "second")
    routing.add("b", types.register(Any), "anything")
    assert routing.find(message("Reading")) == "first"
    assert routing.find(message("Other")) == "anything"
    assert routing.find(message("Reading", "b")) == "second"
    assert routing.find(message("Other", "b")) == "anything"
    assert routing.find(message("any", "a")) == "first"
    assert routing.find(message("Reading", "c")) is None


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("Python.MyBO", "python-mybo"),
        ("someService_py", "someservice_py"),
        ("alarm", "alarm"),
        ("2nd stage", "service-2nd-stage"),
        ("Test", "test"),
    ],
)
def test_names_of_other_systems(theirs: str, ours: str) -> None:
    assert service_name(theirs) == ours
    assert service_name(ours) == ours
