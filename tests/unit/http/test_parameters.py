"""From the text of a request to typed arguments: every type that a signature may name, and what is said when it does
not fit."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal, Optional
from urllib.parse import quote
from uuid import UUID

import fastapi
import msgspec
import pytest
import starlette.datastructures
import starlette.requests

from junctor.errors import ConfigurationError
from junctor.http import Cookie, Header, HttpError, Query, Upload
from junctor.http.requests.binding import plan_route
from junctor.http.requests.query import parse_cookies
from junctor.http.settings import HttpSettings


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


Percent = Annotated[int, msgspec.Meta(ge=0, le=100)]
Short = Annotated[str, msgspec.Meta(min_length=2, max_length=3)]
Word = Annotated[str, msgspec.Meta(pattern="^[a-z]+$")]


def taking(kind: Any, default: Any = ...) -> Callable[..., Any]:
    def function(value: Any = default) -> None: ...

    function.__annotations__ = {"value": kind}
    if default is ...:
        function.__defaults__ = None
    return function


def bound(kind: Any, *texts: str, default: Any = ...) -> Any:
    """What comes out of ``?value=...`` for a parameter of this type."""
    plan = plan_route(taking(kind, default), "/x", "GET", "here")
    query = "&".join(f"value={quote(text)}" for text in texts).encode()
    return plan.bind([], query, [])


def refused(kind: Any, *texts: str) -> str:
    with pytest.raises(HttpError) as caught:
        bound(kind, *texts)
    assert caught.value.http_status == 422
    (error,) = caught.value.errors
    assert (error["parameter"], error["in"]) == ("value", "query")
    return error["reason"]


@pytest.mark.parametrize(
    ("kind", "texts", "value"),
    [
        (str, ["5"], "5"),
        (int, ["-5"], -5),
        (int, ["9" * 30], int("9" * 30)),
        (float, ["1e3"], 1000.0),
        (bool, ["true"], True),
        (bool, ["0"], False),
        (Color, ["blue"], Color.BLUE),
        (Level, ["2"], Level.HIGH),
        (Literal["a", "b"], ["b"], "b"),
        (Literal[1, 2], ["2"], 2),
        (int | None, ["3"], 3),
        (Optional[Color], ["red"], Color.RED),  # noqa: UP045
        (list[int], ["1", "2"], [1, 2]),
        (list[Color], ["red"], [Color.RED]),
        (set[str], ["a", "a"], {"a"}),
        (tuple[int, ...], ["1"], (1,)),
        (list[int] | None, ["1"], [1]),
        (datetime, ["2026-01-31T12:00:00Z"], datetime(2026, 1, 31, 12, tzinfo=UTC)),
        (date, ["2026-01-31"], date(2026, 1, 31)),
        (time, ["12:30:00"], time(12, 30)),
        (timedelta, ["PT90S"], timedelta(seconds=90)),
        (UUID, ["123e4567-e89b-12d3-a456-426614174000"], UUID("123e4567-e89b-12d3-a456-426614174000")),
        (Decimal, ["1.10"], Decimal("1.10")),
        (Percent, ["100"], 100),
        (Word, ["abc"], "abc"),
        (Any, ["1"], "1"),
    ],
)
def test_values(kind: Any, texts: list[str], value: Any) -> None:
    assert bound(kind, *texts) == {"value": value}


@pytest.mark.parametrize(
    ("kind", "texts", "reason"),
    [
        (int, ["x"], "expected int, got 'x'"),
        (int, ["1.5"], "expected int, got '1.5'"),
        (int, [""], "expected int, got ''"),
        (int, ["1", "2"], "is given 2 times, once is expected"),
        (int, ["1" + "0" * 5000], f"integer value out of range, got '1{'0' * 58}..."),
        (float, ["1e400"], "number out of range, got '1e400'"),
        (float, ["nan"], "expected a finite number, got 'nan'"),
        (bool, ["maybe"], "expected bool, got 'maybe'"),
        (Color, ["green"], "expected one of 'red', 'blue', got 'green'"),
        (Literal["a", "b"], ["c"], "expected one of 'a', 'b', got 'c'"),
        (Percent, ["101"], "expected int <= 100, got '101'"),
        (Percent, ["-1"], "expected int >= 0, got '-1'"),
        (Short, ["a"], "expected str of length >= 2, got 'a'"),
        (Word, ["A"], "expected str matching regex '^[a-z]+$', got 'A'"),
        (list[int], ["1", "x"], "expected list[int] at [1], got ['1', 'x']"),
        (datetime, ["now"], "expected datetime, got 'now'"),
        (UUID, ["1"], "expected UUID, got '1'"),
        (Decimal, ["one"], "expected Decimal, got 'one'"),
        (int, [], "is missing"),
        (list[int], [], "is missing"),
    ],
)
def test_reasons(kind: Any, texts: list[str], reason: str) -> None:
    assert refused(kind, *texts) == reason


def test_what_is_left_out_keeps_the_default_of_the_function() -> None:
    assert bound(int, default=3) == {}
    assert bound(list[int], default=()) == {}


def test_the_places_of_parameters() -> None:
    def function(
        name: str,
        since: Annotated[int, Query("from")],
        key: Annotated[str, Header("X-Key")],
        user_agent: Annotated[str, Header()],
        sid: Annotated[int, Cookie],
        plain: int = 1,
    ) -> None: ...

    plan = plan_route(function, "/a/{name}", "GET", "here")
    headers = [(b"x-key", b"k"), (b"user-agent", b"u"), (b"cookie", b'a=1; sid="42"; sid=43')]
    made = plan.bind(["n"], b"from=7", headers)
    assert made == {"name": "n", "since": 7, "key": "k", "user_agent": "u", "sid": 42}
    with pytest.raises(HttpError) as caught:
        plan.bind(["n"], b"from=x", [])
    told = [(one["in"], one["parameter"]) for one in caught.value.errors]
    assert told == [("query", "from"), ("header", "x-key"), ("header", "user-agent"), ("cookie", "sid")]


@pytest.mark.parametrize("cookie", [b"", b";;;", b"=", b"a", b"a=1;" * 5000, b"\xff=\xfe", b"a=\x00", b'a="'])
def test_cookies_of_any_kind_are_read(cookie: bytes) -> None:
    assert isinstance(parse_cookies([(b"cookie", cookie)]), dict)


@dataclass
class Point:
    x: int
    y: int = 0


def test_several_body_parameters_are_fields_of_one_object() -> None:
    def function(a: Point, b: list[Point], c: Point | None = None) -> None: ...

    plan = plan_route(function, "/x", "POST", "here")
    assert plan.body is not None
    made: dict[str, Any] = {}
    plan.body.put(made, b'{"a":{"x":1},"b":[{"x":2,"y":3}]}', HttpSettings())  # type: ignore[arg-type]
    assert made == {"a": Point(1), "b": [Point(2, 3)]}
    for body, where in [(b'{"a":{"x":1},"b":[{"x":"2"}]}', ".b[0].x"), (b'{"a":{"x":1},"b":[],"d":1}', ".")]:
        with pytest.raises(HttpError) as caught:
            plan.body.put({}, body, HttpSettings())  # type: ignore[arg-type]
        assert caught.value.errors[0]["parameter"] == where


def test_depth_is_a_setting() -> None:
    def function(data: dict[str, Any]) -> None: ...

    plan = plan_route(function, "/x", "POST", "here")
    assert plan.body is not None
    body = b'{"a":[[[1]]]}'
    plan.body.put({}, body, HttpSettings(depth=4))  # type: ignore[arg-type]
    with pytest.raises(HttpError, match="deeper than 3 levels"):
        plan.body.put({}, body, HttpSettings(depth=3))  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", [Upload, list[Upload], Annotated[str, Cookie()] | bytes])
def test_what_a_get_cannot_carry_is_refused_at_the_start(kind: Any) -> None:
    with pytest.raises(ConfigurationError):
        plan_route(taking(kind), "/x", "GET", "here")


def test_habits_of_other_frameworks_are_answered_with_ours() -> None:
    def marked(value: str = Query("x")) -> None: ...  # type: ignore[assignment]

    def theirs(value: str = fastapi.Query("x")) -> None: ...

    def upload(value: starlette.datastructures.UploadFile) -> None: ...

    def request(value: starlette.requests.Request) -> None: ...

    expected = {
        marked: "Annotated[str, Query()]",
        theirs: "Annotated[str, Query()]",
        upload: "Use Upload",
        request: "Use Request of junctor.http",
    }
    for function, fix in expected.items():
        with pytest.raises(ConfigurationError, match="here") as caught:
            plan_route(function, "/x", "POST", "here")
        assert fix in caught.value.fix
