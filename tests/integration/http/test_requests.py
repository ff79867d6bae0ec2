"""Routes and actions over real sockets: parameters in, answers out."""

from __future__ import annotations

import asyncio
import enum
import logging
import re
import threading
from dataclasses import dataclass, field
from typing import Annotated, Any

import msgspec
import pydantic
import pytest

from junctor.errors import RequestTimeout
from junctor.http import Body, Header, HttpError, Query, Response, html, redirect, text
from tests.integration.http.client import call, raw, read_answer
from tests.integration.http.small_host import SmallHost, action, route


@dataclass
class Reading:
    sensor: str
    value: float
    tags: list[str] = field(default_factory=list)


class Level(enum.Enum):
    LOW = "low"
    HIGH = "high"


class Order(pydantic.BaseModel):
    item: str
    count: int = pydantic.Field(gt=0)


class Lab:
    """Everything a test asks for."""

    @route("GET", "/alarms/{sensor}")
    async def latest(self, sensor: str, limit: int = 10) -> list[Reading]:
        return [Reading(sensor, float(limit))]

    @route("GET", "/alarms/summary")
    async def summary(self) -> str:
        return "fixed"

    @route("GET", "/files/{rest:path}")
    async def file(self, rest: str) -> str:
        return rest

    @route("GET", "/typed")
    async def typed(
        self,
        number: float,
        flag: bool = False,
        level: Level = Level.LOW,
        ids: list[int] = [],  # noqa: B006
        size: Annotated[int, Query("page-size"), msgspec.Meta(ge=1, le=100)] = 20,
        agent: Annotated[str | None, Header("user-agent")] = None,
        x_key: Annotated[str, Header()] = "",
    ) -> Any:
        return [number, flag, level, ids, size, agent, x_key]

    @route("POST", "/readings", status=201)
    async def put(self, reading: Reading) -> Reading:
        return reading

    @route("POST", "/two")
    async def two(self, reading: Reading, note: Annotated[str, Body()] = "none", dry: bool = False) -> Any:
        return {"sensor": reading.sensor, "note": note, "dry": dry}

    @route("POST", "/orders")
    async def order(self, order: Order) -> Order:
        return order

    @route("POST", "/raw")
    async def raw(self, data: bytes) -> bytes:
        return data

    @route("POST", "/maybe")
    async def maybe(self, reading: Reading | None = None) -> bool:
        return reading is None

    @route("POST", "/many")
    def blocking(self, readings: list[Reading]) -> Any:
        return [len(readings), threading.current_thread() is threading.main_thread()]

    @route("PUT", "/free")
    async def free(self, anything: dict[str, Any]) -> Any:
        return anything

    @route("GET", "/nothing")
    async def nothing(self) -> None: ...

    @route("POST", "/accepted", status=202)
    async def accepted(self) -> None: ...

    @route("GET", "/page")
    async def page(self) -> Response:
        return html("<h1>ü</h1>")

    @route("GET", "/plain")
    async def plain(self) -> Response:
        return text("line", status=418)

    @route("GET", "/away")
    async def away(self) -> Response:
        return redirect("/plain", 303)

    @route("GET", "/starlette")
    async def foreign(self) -> Any:
        from starlette.responses import PlainTextResponse

        return PlainTextResponse("theirs", 203)

    @route("GET", "/broken")
    async def broken(self) -> None:
        raise ValueError("secret detail")

    @route("GET", "/refused")
    async def refused(self) -> None:
        raise HttpError("no such sensor", status=404, fix="Ask /alarms.")

    @route("GET", "/http-exception")
    async def http_exception(self) -> None:
        from starlette.exceptions import HTTPException

        raise HTTPException(409, "already there")

    @route("GET", "/late")
    async def late(self) -> None:
        raise RequestTimeout("crm did not answer in 30 s")

    @route("GET", "/nan")
    async def nan(self) -> Any:
        return {"value": float("nan")}

    @route("GET", "/unencodable")
    async def unencodable(self) -> Any:
        return object()

    @route("GET", "/exit")
    async def exit(self) -> None:
        raise SystemExit(3)

    @action
    async def reset(self, level: int, note: str = "x") -> Any:
        return [level, note]

    @action
    async def store(self, reading: Reading) -> str:
        return reading.sensor

    @action
    async def ping(self) -> str:
        return "pong"

    @action
    async def open(self, level: int = 1, **more: Any) -> Any:
        return {"level": level, **more}


# Parameters in --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "expected"),
    [
        ("GET", "/alarms/cpu?limit=3", None, 200, [{"sensor": "cpu", "value": 3.0, "tags": []}]),
        ("GET", "/alarms/cpu", None, 200, [{"sensor": "cpu", "value": 10.0, "tags": []}]),
        ("GET", "/alarms/summary", None, 200, "fixed"),  # a fixed segment wins over a parameter
        ("GET", "/alarms/a%2Fb", None, 200, [{"sensor": "a/b", "value": 10.0, "tags": []}]),
        ("GET", "/alarms/gr%C3%BCn+x", None, 200, [{"sensor": "grün+x", "value": 10.0, "tags": []}]),
        ("GET", "/files/a/b%20c/", None, 200, "a/b c/"),
        ("GET", "/typed?number=1e3", None, 200, [1000.0, False, "low", [], 20, None, ""]),
        (
            "GET",
            "/typed?number=-1&flag=true&level=high&ids=3&ids=4&page-size=5&unknown=1",
            None,
            200,
            [-1.0, True, "high", [3, 4], 5, None, ""],
        ),
        ("POST", "/readings", b'{"sensor":"a","value":1}', 201, {"sensor": "a", "value": 1.0, "tags": []}),
        (
            "POST",
            "/two?dry=1",
            b'{"reading":{"sensor":"a","value":1},"note":"n"}',
            200,
            {"sensor": "a", "note": "n", "dry": True},
        ),
        ("POST", "/two", b'{"reading":{"sensor":"a","value":1}}', 200, {"sensor": "a", "note": "none", "dry": False}),
        ("POST", "/orders", b'{"item":"nut","count":3}', 200, {"item": "nut", "count": 3}),
        ("POST", "/maybe", None, 200, True),
        ("POST", "/maybe", b'{"sensor":"a","value":1}', 200, False),
        ("POST", "/many", b'[{"sensor":"a","value":1},{"sensor":"b","value":2}]', 200, [2, False]),
        ("PUT", "/free", '{"ключ":["ü",null,1.5]}'.encode(), 200, {"ключ": ["ü", None, 1.5]}),
        ("POST", "/lab/reset", b'{"level":3}', 200, [3, "x"]),
        ("POST", "/lab/reset", b'{"level":3,"note":"y"}', 200, [3, "y"]),
        ("POST", "/lab/store", b'{"sensor":"s","value":1}', 200, "s"),
        ("POST", "/lab/ping", None, 200, "pong"),
        ("POST", "/lab/ping", b"ignored, for it takes nothing", 200, "pong"),
        ("POST", "/lab/open", b'{"level":2,"other":[1]}', 200, {"level": 2, "other": [1]}),
        ("POST", "/lab/open", None, 200, {"level": 1}),
    ],
)
async def test_parameters(serve: Any, method: str, path: str, body: bytes | None, status: int, expected: Any) -> None:
    async with serve(SmallHost(Lab())) as listener:
        answer = await call(listener.port, method, path, body)
        assert (answer.status, answer.json) == (status, expected)
        assert answer.headers["content-type"] == "application/json"
        assert re.fullmatch("[0-9a-f]{32}", answer.headers["junctor-session"])
        assert "server" not in answer.headers and "date" in answer.headers


async def test_headers_are_parameters(serve: Any) -> None:
    async with serve(SmallHost(Lab())) as listener:
        answer = await call(listener.port, "GET", "/typed?number=0", headers={"User-Agent": "me", "X-Key": "k"})
        assert answer.json[-2:] == ["me", "k"]


async def test_a_raw_body_of_any_type(serve: Any) -> None:
    async with serve(SmallHost(Lab())) as listener:
        answer = await call(listener.port, "POST", "/raw", b"\x00\xff", {"content-type": "image/png"})
        assert (answer.body, answer.headers["content-type"]) == (b"\x00\xff", "application/octet-stream")


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code", "said"),
    [
        ("GET", "/alarms/cpu?limit=high", None, 422, "parameter", "query parameter limit: expected int, got 'high'"),
        ("GET", "/alarms/cpu?limit=1&limit=2", None, 422, "parameter", "given 2 times"),
        ("GET", "/alarms/cpu?limit=", None, 422, "parameter", "got ''"),
        ("GET", "/alarms/cpu?limit=%zz", None, 400, "query", "two hexadecimal digits"),
        ("GET", "/alarms/cpu?limit=%ff", None, 400, "query", "UTF-8"),
        ("GET", "/alarms/%zz", None, 400, "path", "two hexadecimal digits"),
        ("GET", "/alarms/%ff", None, 400, "path", "UTF-8"),
        ("GET", "/alarms/", None, 404, "not-found", "nothing answers"),
        ("GET", "/typed", None, 422, "parameter", "query parameter number is missing"),
        ("GET", "/typed?number=nan", None, 422, "parameter", "finite"),
        ("GET", "/typed?number=inf", None, 422, "parameter", "finite"),
        ("GET", "/typed?number=x&flag=maybe", None, 422, "parameter", "and 1 more"),
        ("GET", "/typed?number=1&level=mid", None, 422, "parameter", "one of 'low', 'high'"),
        ("GET", "/typed?number=1&page-size=0", None, 422, "parameter", "page-size: expected int >= 1"),
        ("GET", "/typed?number=1&ids=1&ids=x", None, 422, "parameter", "ids"),
        ("GET", "/typed?" + "a&" * 1001, None, 400, "query", "more than 1000"),
        ("POST", "/readings", b'{"sensor":"a"}', 422, "body", "missing required field value"),
        ("POST", "/readings", b'{"sensor":"a","value":"1"}', 422, "body", "body.value: expected float, got str"),
        ("POST", "/readings", b'{"sensor":"a","value":NaN}', 400, "json", "not JSON"),
        ("POST", "/readings", b'{"sensor":"a","value":1e999}', 422, "body", "out of range"),
        ("POST", "/readings", b'{"sensor":"\xff","value":1}', 400, "json", "UTF-8"),
        ("POST", "/readings", b'{"sensor":', 400, "json", "not JSON"),
        ("POST", "/readings", b"", 422, "body", "missing: Reading"),
        ("POST", "/readings", b"null", 422, "body", "body: expected"),
        ("PUT", "/free", b'{"a":' + b"[" * 100_000, 400, "json", "nested too deeply"),
        ("PUT", "/free", b'{"a":' + b"[" * 100 + b"]" * 100 + b"}", 400, "json", "deeper than 100 levels"),
        ("POST", "/orders", b'{"item":"nut","count":0}', 422, "body", "body.count: input should be greater than 0"),
        ("POST", "/orders", b'{"item":"nut","count":NaN}', 400, "json", "not JSON"),
        ("POST", "/orders", b"{", 400, "json", "not JSON"),
        ("POST", "/many", b'[{"sensor":"a","value":1},{}]', 422, "body", "body[1]: object missing"),
        ("POST", "/lab/reset", b"{}", 422, "body", "missing required field level"),
        ("POST", "/lab/reset", b'{"level":1,"lvel":2}', 422, "body", "unknown field lvel"),
        ("POST", "/lab/reset", b"[1]", 422, "body", "expected object"),
        ("POST", "/lab/reset", None, 422, "body", "missing"),
        ("POST", "/lab/open", b'{"level":"x"}', 422, "body", "body.level"),
        ("POST", "/lab/nothing", None, 404, "not-found", "nothing answers at '/lab/nothing'"),
        ("GET", "/alarm/cpu", None, 404, "not-found", "nothing answers"),
        ("GET", "/lab/reset", None, 405, "method", "does not take GET"),
        ("DELETE", "/alarms/cpu", None, 405, "method", "does not take DELETE"),
        ("TRACE", "/alarms/cpu", None, 405, "method", "does not take TRACE"),
    ],
)
async def test_bad_input_is_named(
    serve: Any, method: str, path: str, body: bytes | None, status: int, code: str, said: str
) -> None:
    host = SmallHost(Lab())
    async with serve(host) as listener:
        answer = await call(listener.port, method, path, body)
        assert (answer.status, answer.code) == (status, code), answer
        assert said in answer.json["detail"]
        assert not host.hops, "the service was entered"


async def test_every_wrong_parameter_is_listed(serve: Any) -> None:
    async with serve(SmallHost(Lab())) as listener:
        answer = await call(listener.port, "GET", "/typed?flag=maybe&ids=x")
        assert [(one["parameter"], one["in"]) for one in answer.json["errors"]] == [
            ("number", "query"),
            ("flag", "query"),
            ("ids", "query"),
        ]


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("application/json; charset=latin-1", 415),
        ("application/json; charset=UTF-8", 200),
        ("application/vnd.lab+json", 200),
        ("", 200),
    ],
)
async def test_content_types(serve: Any, kind: str, status: int) -> None:
    async with serve(SmallHost(Lab())) as listener:
        answer = await call(listener.port, "POST", "/lab/store", b'{"sensor":"s","value":1}', {"content-type": kind})
        assert answer.status == status
        assert status == 200 or answer.code == "content-type"


async def test_compressed_bodies_are_refused(serve: Any) -> None:
    async with serve(SmallHost(Lab())) as listener:
        answer = await call(listener.port, "POST", "/readings", b"\x1f\x8b", {"content-encoding": "gzip"})
        assert answer.status == 415


# Answers out ----------------------------------------------------------------------------------------------------


async def test_none_is_no_content(serve: Any) -> None:
    async with serve(SmallHost(Lab())) as listener:
        assert (await call(listener.port, "GET", "/nothing")).status == 204
        accepted = await call(listener.port, "POST", "/accepted")
        assert (accepted.status, accepted.body) == (202, b"")


async def test_responses_of_a_routes_own(serve: Any) -> None:
    async with serve(SmallHost(Lab())) as listener:
        page = await call(listener.port, "GET", "/page")
        assert (page.body, page.headers["content-type"]) == ("<h1>ü</h1>".encode(), "text/html; charset=utf-8")
        plain = await call(listener.port, "GET", "/plain")
        assert (plain.status, plain.body) == (418, b"line")
        away = await call(listener.port, "GET", "/away")
        assert (away.status, away.headers["location"]) == (303, "/plain")
        theirs = await call(listener.port, "GET", "/starlette")
        assert (theirs.status, theirs.body) == (203, b"theirs")
        assert all("junctor-session" in one.headers for one in (page, plain, away, theirs))


async def test_head_is_get_without_body(serve: Any) -> None:
    async with serve(SmallHost(Lab())) as listener:
        got, headed = [await call(listener.port, method, "/alarms/cpu") for method in ("GET", "HEAD")]
        assert headed.status == 200 and headed.body == b""
        assert headed.headers["content-length"] == str(len(got.body))


async def test_options_and_not_allowed_say_what_is(serve: Any) -> None:
    async with serve(SmallHost(Lab())) as listener:
        options = await call(listener.port, "OPTIONS", "/alarms/cpu")
        assert (options.status, options.headers["allow"]) == (204, "GET, HEAD, OPTIONS")
        refused = await call(listener.port, "PUT", "/lab/reset")
        assert (refused.status, refused.headers["allow"]) == (405, "OPTIONS, POST")


async def test_an_exception_stays_inside(serve: Any, caplog: pytest.LogCaptureFixture) -> None:
    async with serve(SmallHost(Lab())) as listener:
        answer = await call(listener.port, "GET", "/broken")
        assert (answer.status, answer.code) == (500, "handler-failed")
        assert b"secret detail" not in answer.body
        session = answer.json["session"]
        assert session in answer.json["fix"] and answer.headers["junctor-session"] == session
        record = next(one for one in caplog.records if one.levelno == logging.ERROR)
        assert session in record.getMessage() and record.exc_info is not None


async def test_an_exit_is_a_failure_of_the_call_only(serve: Any) -> None:
    async with serve(SmallHost(Lab())) as listener:
        assert (await call(listener.port, "GET", "/exit")).code == "handler-failed"
        assert (await call(listener.port, "GET", "/alarms/cpu")).status == 200


async def test_an_error_keeps_its_status(serve: Any) -> None:
    async with serve(SmallHost(Lab())) as listener:
        refused = await call(listener.port, "GET", "/refused")
        assert (refused.status, refused.json["fix"]) == (404, "Ask /alarms.")
        theirs = await call(listener.port, "GET", "/http-exception")
        assert (theirs.status, theirs.json["detail"]) == (409, "already there")
        late = await call(listener.port, "GET", "/late")
        assert (late.status, late.code) == (504, "request-timeout")
        assert late.json["session"]


@pytest.mark.parametrize("path", ["/nan", "/unencodable"])
async def test_what_cannot_be_encoded_is_our_failure(serve: Any, path: str) -> None:
    async with serve(SmallHost(Lab())) as listener:
        answer = await call(listener.port, "GET", path)
        assert (answer.status, answer.code) == (500, "encode")


async def test_a_call_above_the_limit_is_refused(serve: Any) -> None:
    gate = asyncio.Event()

    class Slow:
        @route("GET", "/wait")
        async def wait(self) -> str:
            await gate.wait()
            return "done"

    host = SmallHost(Slow(), calls=1)
    async with serve(host) as listener:
        first = asyncio.ensure_future(call(listener.port, "GET", "/wait"))
        while not host.in_flight:
            await asyncio.sleep(0.01)
        second = await call(listener.port, "GET", "/wait")
        assert (second.status, second.code, second.headers["retry-after"]) == (503, "queue-full", "1")
        gate.set()
        assert (await first).json == "done"


# Sessions -------------------------------------------------------------------------------------------------------

TRACE = "0af7651916cd43dd8448eb211c80319c"


@pytest.mark.parametrize(
    ("header", "taken"),
    [
        (f"00-{TRACE}-b7ad6b7169203331-01", True),
        (f"01-{TRACE}-b7ad6b7169203331-01-more", True),
        (f"00-{TRACE}-b7ad6b7169203331-01-more", False),
        (f"ff-{TRACE}-b7ad6b7169203331-01", False),
        (f"00-{TRACE.upper()}-b7ad6b7169203331-01", False),
        (f"00-{'0' * 32}-b7ad6b7169203331-01", False),
        (f"00-{TRACE}-{'0' * 16}-01", False),
        ("00-abc", False),
        ("\xff\xfe", False),
    ],
)
async def test_traceparent_names_the_session(serve: Any, header: str, taken: bool) -> None:
    host = SmallHost(Lab())
    async with serve(host) as listener:
        answer = await call(listener.port, "GET", "/alarms/cpu", headers={"traceparent": header})
        assert answer.status == 200
        session = answer.headers["junctor-session"]
        assert (session == TRACE) is taken and host.hops[-1].session == int(session, 16)
        assert answer.headers.get("traceparent", "").startswith(f"00-{TRACE}-") is taken


async def test_one_connection_many_requests(serve: Any) -> None:
    async with serve(SmallHost(Lab())) as listener:
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        head = f"HTTP/1.1\r\nhost: localhost:{listener.port}\r\n\r\n".encode()
        writer.write(b"GET /alarms/a " + head + b"GET /alarms/b " + head + b"GET /nowhere " + head)
        answers = [await read_answer(reader) for _ in range(3)]
        assert [answer.status for answer in answers] == [200, 200, 404]
        assert answers[0].json[0]["sensor"] == "a" and answers[1].json[0]["sensor"] == "b"
        writer.close()


async def test_a_chunked_body(serve: Any) -> None:
    async with serve(SmallHost(Lab())) as listener:
        head = b"POST /lab/reset HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n"
        answer = await raw(listener.port, head + b'6\r\n{"leve\r\n5\r\nl":4}\r\n0\r\n\r\n')
        assert answer.json == [4, "x"]
