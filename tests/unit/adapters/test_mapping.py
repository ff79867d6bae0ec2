"""mapping: fields, conditions, lists, requests, and messages that cannot be mapped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from junctor import Flow, Service, handler
from junctor.adapters import Mapping
from junctor.errors import ExpressionFailed, SettingError
from junctor.testing import running

BODY = {"id": 7, "price": 2.5, "count": 4, "who": {"name": "Ann"}, "rows": [{"n": 1}, {"n": 2}]}


@dataclass
class Order:
    number: int
    total: float


class Shop(Service):
    @handler
    async def take(self, order: Order) -> str:
        return f"{order.number}: {order.total:g}"


class Sink(Service):
    @handler
    async def take(self, body: Any) -> None: ...


def flow_of(mapping: Mapping) -> Flow:
    return Flow("f").add(mapping, connect={"out": "sink"}).add(Sink)


def mapped(body: Any, **settings: Any) -> list[Any]:
    with running(flow_of(Mapping(**settings))) as plant:
        plant.send("mapping", body)
        return plant.sent("mapping.out")


def test_fields_are_computed() -> None:
    fields = {"total": "body.price * body.count", "to.name": "body.who.name", "seen": "type"}
    assert mapped(BODY, fields=fields) == [{"total": 10.0, "to": {"name": "Ann"}, "seen": "any"}]


def test_the_rest_is_kept() -> None:
    made = mapped(BODY, fields={"id": "string(body.id)"}, rest="keep", remove=["rows", "who"])
    assert made == [{"id": "7", "price": 2.5, "count": 4}]


@pytest.mark.parametrize(("when", "left"), [("body.id > 3", 1), ("body.id > 7", 0)])
def test_messages_are_dropped(when: str, left: int) -> None:
    assert len(mapped(BODY, when=when, rest="keep")) == left


def test_a_message_for_each_element() -> None:
    assert mapped(BODY, each="body.rows", fields={"x": "body.n + 1"}) == [{"x": 2}, {"x": 3}]


def test_a_request_is_answered_by_the_receiver() -> None:
    fields = {"number": "body.id", "total": "body.price"}
    flow = Flow("f").add(Mapping(fields=fields), connect={"out": "shop"}).add(Shop)
    with running(flow) as plant:
        assert plant.request("mapping", BODY) == "7: 2.5"
        assert plant.received("shop") == [Order(7, 2.5)]


def test_a_request_is_answered_with_the_body_where_nothing_follows() -> None:
    with running(Flow("f").add(Mapping(fields={"x": "body.id"}))) as plant:
        assert plant.request("mapping", BODY) == {"x": 7}


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"fields": {"x": "body.missing"}}, "there is no 'missing' in this message"),
        ({"fields": {"x": "body.price * body.who"}}, "Unsupported operation: float [*] map"),
        ({"each": "body.id"}, "`body.id` is int, not a list"),
        ({"when": "body.id"}, "neither true nor false"),
    ],
)
def test_what_cannot_be_mapped_is_parked(settings: dict[str, Any], told: str) -> None:
    with running(flow_of(Mapping(**settings))) as plant, plant.expect_parked(ExpressionFailed, match=told):
        plant.send("mapping", BODY)
        assert plant.sent("mapping.out") == []


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"fields": {"x": "bdy.a"}}, 'no variable "bdy"'),
        ({"fields": {"x": "topic"}}, 'x: there is no "topic" here'),
        ({"remove": ["a"]}, "nothing to remove from"),
        ({"fields": {"a..b": "1"}}, "no name of a field"),
    ],
)
def test_what_does_not_fit(settings: dict[str, Any], told: str) -> None:
    with pytest.raises(SettingError, match=told):
        Mapping(**settings)


def test_a_field_of_an_object_that_is_kept() -> None:
    made = mapped(BODY, fields={"who.age": "42", "id": "8"}, rest="keep", remove=["rows"])
    assert made == [{"id": 8, "price": 2.5, "count": 4, "who": {"name": "Ann", "age": 42}}]
    assert BODY["who"] == {"name": "Ann"}


def test_a_field_of_what_is_no_object() -> None:
    with running(flow_of(Mapping(fields={"id.part": "1"}, rest="keep"))) as plant:
        with plant.expect_parked(ExpressionFailed, match="id.part is one of an object"):
            plant.send("mapping", BODY)
