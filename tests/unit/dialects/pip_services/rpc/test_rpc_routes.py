"""Routes: how paths are read, and which route answers."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from junctor.dialects.pip_services.commons.errors import ConfigException, InvalidStateException
from junctor.dialects.pip_services.rpc.services.answers import encoded, json_answer
from junctor.dialects.pip_services.rpc.services.call import Call, current
from junctor.dialects.pip_services.rpc.services.cors import CorsHeaders
from junctor.dialects.pip_services.rpc.services.pattern import Pattern
from junctor.dialects.pip_services.rpc.services.route_table import Entry, RouteTable
from junctor.http import Request


def asked(table: RouteTable, path: str, method: str = "GET") -> Any:
    made = table.answer(Request(method=method, path=path))
    return made.body.decode() if made.status_code == 200 else made.status_code


def says(name: str) -> Entry:
    return lambda request, values: json_answer([name, values])


@pytest.mark.parametrize(
    ("route", "path", "values"),
    [
        ("/a", "/a", {}),
        ("/a", "/a/", None),
        ("/a.b", "/axb", None),
        ("/items/<id>", "/items/x y", {"id": "x y"}),
        ("/items/<id>", "/items/", None),
        ("/items/<id>", "/items/a/b", None),
        ("/items/:id", "/items/7", {"id": "7"}),
        ("/items/<id:int>", "/items/-7", {"id": -7}),
        ("/items/<id:int>", "/items/7.5", None),
        ("/items/<x:float>/end", "/items/7.5/end", {"x": 7.5}),
        ("/items/<x:float>", "/items/7.5.", None),
        ("/files/<name:path>", "/files/a/b.txt", {"name": "a/b.txt"}),
        ("/files/<name:path>/raw", "/files/a/b/raw", {"name": "a/b"}),
        (r"/y/<year:re:\d{4}>", "/y/2026", {"year": "2026"}),
        (r"/y/<year:re:\d{4}>", "/y/26", None),
        ("/a/<:re:x+>", "/a/xx", {}),
    ],
)
def test_a_path_is_read(route: str, path: str, values: dict[str, Any] | None) -> None:
    assert Pattern(route).match(path) == values


@pytest.mark.parametrize("route", ["/a/<id:date>", "/a/<id>/<id>", "/a/<id:re:(>"])
def test_a_path_that_cannot_be_read(route: str) -> None:
    with pytest.raises(ConfigException, match="cannot be read"):
        Pattern(route)


def test_fixed_paths_go_before_values_and_old_routes_before_new_ones() -> None:
    table = RouteTable()
    for route in ("/<any>", "/<other>", "/fixed"):
        table.add("get", route, says(route))
    assert asked(table, "/fixed") == '["/fixed",{}]'
    assert asked(table, "/free") == '["/<any>",{"any":"free"}]'
    assert len(table) == 3


def test_a_method_is_looked_for_in_all_routes_that_fit() -> None:
    table = RouteTable()
    table.add("GET", "/items/new", says("new"))
    table.add("POST", "/items/<id>", says("post"))
    table.add("any", "/all", says("all"))
    assert asked(table, "/items/new", "POST") == '["post",{"id":"new"}]'
    assert asked(table, "/items/new", "PUT") == 405
    assert asked(table, "/items/new", "OPTIONS") == 204
    assert asked(table, "/all", "PATCH") == '["all",{}]'
    assert table.function_of(Request(method="HEAD", path="/items/new")) is not None
    assert table.function_of(Request(method="GET", path="/none")) is None


def test_a_route_is_replaced_and_removed() -> None:
    table = RouteTable()
    table.add("get", "/a", says("first"))
    table.add("GET", "/a", says("second"))
    table.add("GET", "/a/<b>", says("third"))
    assert asked(table, "/a") == '["second",{}]'
    table.remove("GET", "/a")
    table.remove("GET", "/a/<b>")
    table.remove("GET", "/unknown")
    assert (asked(table, "/a"), asked(table, "/a/b"), table.routes) == (404, 404, [])


def test_origins_are_never_a_list() -> None:
    def origin(cors: CorsHeaders, asks: str) -> str | None:
        headers = dict(cors.of(Request(method="GET", path="/", headers=(("origin", asks),))))
        found = headers.get(b"access-control-allow-origin")
        return None if found is None else found.decode()

    two = CorsHeaders(["https://a.example/", "https://b.example"], ["correlation_id", "x-key"])
    assert origin(two, "https://a.example") == "https://a.example"
    assert origin(two, "https://c.example") is None
    assert origin(CorsHeaders(["*"]), "https://c.example") == "*"
    assert origin(CorsHeaders(), "https://c.example") is None
    assert dict(two.fixed)[b"access-control-allow-headers"] == b"correlation_id, x-key"


@pytest.mark.parametrize(
    ("query", "params"),
    [
        ("", {}),
        ("a=1&b=2&a=3", {"a": "3", "b": "2"}),
        ("a=1%202&b=x+y", {"a": "1 2", "b": "x y"}),
        ("a&b=&&=c", {"a": "", "b": "", "": "c"}),
        ("a=b=c", {"a": "b=c"}),
    ],
)
def test_queries(query: str, params: dict[str, str]) -> None:
    assert Call(Request(method="GET", path="/", query=query), {}).params == params


def test_numbers_of_every_size_are_written() -> None:
    assert msgspec.json.decode(encoded({"n": 2**70, "big": [2**64]})) == {"n": float(2**70), "big": [float(2**64)]}
    assert encoded({1: "a", 2.5: "b"}) in (b'{"1":"a","2.5":"b"}', b'{"1": "a", "2.5": "b"}')


def test_outside_of_a_request_there_is_none() -> None:
    with pytest.raises(InvalidStateException):
        current()
