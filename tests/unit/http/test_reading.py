"""The readers of untrusted text: whatever comes in, the answer is a value or one typed refusal."""

from __future__ import annotations

import json
import pickle
from typing import Any
from urllib.parse import parse_qs, quote, urlencode

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from junctor.http.access.guard import Guard, is_loopback
from junctor.http.answers.responses import Response, header, redirect
from junctor.http.paths import PathTable, split_raw
from junctor.http.problem import HttpError, of_error
from junctor.http.requests.bodies import too_deep
from junctor.http.requests.query import parse_query
from junctor.http.trace import new_session, session_of, traceparent

TEXT = st.text(st.characters(exclude_categories=["Cs"]))


# Query ----------------------------------------------------------------------------------------------------------


@given(st.dictionaries(TEXT, st.lists(TEXT, min_size=1, max_size=3), max_size=5))
def test_a_query_reads_as_the_standard_library_writes_it(fields: dict[str, list[str]]) -> None:
    query = urlencode(fields, doseq=True)
    assert parse_query(query.encode()) == parse_qs(query, keep_blank_values=True) == fields


@given(st.binary(max_size=60))
@example(b"%")
@example(b"%c3%28")
@example(b"=&&=x&a")
def test_any_query_is_read_or_refused(query: bytes) -> None:
    try:
        assert isinstance(parse_query(query), dict)
    except HttpError as error:
        assert error.http_status == 400


def test_a_semicolon_separates_nothing() -> None:
    assert parse_query(b"a=1;b=2") == {"a": ["1;b=2"]}


# Paths ----------------------------------------------------------------------------------------------------------


def table(*paths: str) -> PathTable[str]:
    made: PathTable[str] = PathTable()
    for path in paths:
        assert made.add("GET", path, path) is None
    return made


def found(made: PathTable[str], path: str) -> tuple[str, list[str]] | None:
    got = made.find(path, quote(path).encode())
    return None if got is None else (got[0]["GET"], got[1])


@pytest.mark.parametrize("turned", [False, True])
def test_fixed_segments_win_whatever_the_order(turned: bool) -> None:
    paths = ["/a/{x}", "/a/b", "/a/{x}/c", "/a/b/d", "/{rest:path}", "/"]
    made = table(*(reversed(paths) if turned else paths))
    assert found(made, "/a/b") == ("/a/b", [])
    assert found(made, "/a/z") == ("/a/{x}", ["z"])
    assert found(made, "/a/b/c") == ("/a/{x}/c", ["b"])  # /a/b leads nowhere from here: back to {x}
    assert found(made, "/a/b/d") == ("/a/b/d", [])
    assert found(made, "/a/b/e") == ("/{rest:path}", ["a/b/e"])
    assert found(made, "/a/") == ("/{rest:path}", ["a/"])
    assert found(made, "/") == ("/", [])


def test_a_place_is_held_by_the_first() -> None:
    made = table("/a/{x}")
    assert made.add("GET", "/a/{y}", "other") == "/a/{x}"
    assert made.add("POST", "/a/{y}", "other") is None
    assert sorted(made) == [("GET", "/a/{x}"), ("POST", "other")]


@given(st.lists(TEXT.filter(bool), min_size=1, max_size=4))
@example(["a/b", "%", "ü"])
def test_a_segment_arrives_as_it_was_sent(segments: list[str]) -> None:
    raw = "".join("/" + quote(segment, safe="") for segment in segments).encode()
    assert split_raw(raw) == segments


@given(st.binary(max_size=40))
def test_any_path_is_split_or_refused(raw: bytes) -> None:
    try:
        assert all(isinstance(part, str) for part in split_raw(b"/" + raw))
    except HttpError as error:
        assert error.http_status == 400


# Trace context --------------------------------------------------------------------------------------------------


@given(st.integers(1, 2**128 - 1), st.integers(0, 2**64 - 1))
def test_what_we_write_we_read(session: int, span: int) -> None:
    assert session_of(traceparent(session, span).encode()) == session


@given(st.binary(max_size=80))
@example(b"00-" + b"0" * 32 + b"-" + b"1" * 16 + b"-00")
def test_any_traceparent_is_read_or_ignored(given_header: bytes) -> None:
    assert 0 <= session_of(given_header) < 2**128


def test_sessions_differ() -> None:
    assert len({new_session() for _ in range(1000)}) == 1000


# Depth ----------------------------------------------------------------------------------------------------------


MAX_DEPTH = 100


def nested(depth: int) -> Any:
    value: Any = 1
    for level in range(depth):
        value = [value] if level % 2 else {"a": value}
    return value


@pytest.mark.parametrize(("depth", "deep"), [(1, False), (MAX_DEPTH, False), (MAX_DEPTH + 1, True), (900, True)])
def test_depth_is_counted_in_levels(depth: int, deep: bool) -> None:
    assert too_deep(json.dumps(nested(depth)).encode(), MAX_DEPTH) is deep
    assert too_deep(json.dumps([nested(depth - 1)] * 200).encode(), MAX_DEPTH) is deep


@given(st.text('[]{}"\\ab', max_size=400))
@settings(max_examples=50)
def test_brackets_within_text_do_not_count(text: str) -> None:
    assert not too_deep(json.dumps([text] * 3).encode(), MAX_DEPTH)


def test_a_long_hostile_body_is_judged_quickly() -> None:
    for body in (b'"' + b"\\" * 1_000_000, b'"\\' * 500_000, b"[" * 1_000_000, b"[]" * 500_000, b"[{}," * 250_000):
        too_deep(body, MAX_DEPTH)  # the time limit of the test is the assertion


# Guard ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "yes"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("::1", True),
        ("[::1]", True),
        ("a.localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("", False),
        ("localhost.example", False),
        ("127.0.0.1.nip.io", False),
        ("2130706433", False),
    ],
)
def test_what_is_loopback(host: str, yes: bool) -> None:
    assert is_loopback(host) is yes


@given(st.binary(max_size=40), st.binary(max_size=40))
def test_any_host_and_origin_are_judged(host: bytes, origin: bytes) -> None:
    guard = Guard(loopback=True)
    try:
        guard.check("POST", [(b"host", host), (b"origin", origin)])
    except HttpError as error:
        assert error.http_status in (403, 421)


def test_accepted_hosts_are_remembered_within_bounds() -> None:
    guard = Guard(loopback=True)
    for number in range(1000):
        guard.check("GET", [(b"host", b"localhost:%d" % number)])
    assert len(guard._accepted) <= 100


# Responses and problems -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "value"), [("x\r\ny", "1"), ("", "1"), ("x y", "1"), ("x", "a\r\nb: c"), ("x", "\0")])
def test_a_header_cannot_end_itself(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=r"header|control"):
        header(name, value)


def test_a_redirect_cannot_carry_a_header() -> None:
    assert redirect("/a\r\nset-cookie: x").raw_headers[0] == (b"location", b"/a%0D%0Aset-cookie:%20x")


def test_a_response_may_name_its_own_type() -> None:
    made = Response("a,b", headers={"Content-Type": "text/csv"})
    assert made.raw_headers == [(b"content-type", b"text/csv")]


def test_a_refusal_survives_pickling() -> None:
    """Exceptions cross processes; tests of users may do it to ours."""
    error = HttpError("no such sensor", status=404, code="sensor", errors=({"in": "path"},))
    again = pickle.loads(pickle.dumps(error))
    assert of_error(again) == of_error(error) and again.http_status == 404
