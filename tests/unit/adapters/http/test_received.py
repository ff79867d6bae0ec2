"""Bodies of requests as plain data."""

from __future__ import annotations

from typing import Any

import pytest

from junctor.adapters.http.received import Format, read
from junctor.http.problem import HttpError
from junctor.http.requests.request import Request


def received(body: bytes, kind: str = "", format: Format = "auto", method: str = "POST", query: str = "") -> Any:
    headers = (("content-type", kind),) if kind else ()
    return read(Request(method=method, path="/", query=query, headers=headers, body=body), format)


@pytest.mark.parametrize(
    ("body", "kind", "made"),
    [
        (b'{"a": 1}', "application/json", {"a": 1}),
        (b"[1]", "", [1]),
        (b"1", "application/vnd.api+json; charset=utf-8", 1),
        (b"a=1&b=x+y&b=&a%62=2", "application/x-www-form-urlencoded", {"a": "1", "b": ["x y", ""], "ab": "2"}),
        ("ä".encode("latin-1"), "text/plain; charset=latin-1", "ä"),
        (b"<a/>", "Text/XML", "<a/>"),
    ],
)
def test_the_content_type_says(body: bytes, kind: str, made: Any) -> None:
    assert received(body, kind) == made


def test_the_setting_says() -> None:
    assert received(b"[1]", "text/plain", "json") == [1]
    assert received(b"\x00\xff", "image/png", "bytes") == "AP8="
    assert received(b"[1]", "application/json", "text") == "[1]"


def test_of_a_get_the_query() -> None:
    assert received(b"", method="GET", query="hub.mode=subscribe&a=1&a=2") == {"hub.mode": "subscribe", "a": ["1", "2"]}


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"", "application/json", 400),
        (b"{", "application/json", 400),
        (b'{"a": "\xff"}', "application/json", 400),
        (b'{"a": NaN}', "application/json", 400),
        (b"[" * 50_000, "application/json", 400),
        (b"&".join([b"a=1"] * 1001), "application/x-www-form-urlencoded", 400),
        (b"\xff", "text/plain", 400),
        (b"x", "text/plain; charset=klingon", 400),
        (b"x", "text/plain; charset=undefined", 400),
        (b"\\x41", "text/plain; charset=unicode_escape", 400),
        (b"-" + b"a" * 2_000_000, "text/plain; charset=Punycode", 400),
        (b"x", "image/png", 415),
        (b"x", "multipart/form-data; boundary=x", 415),
    ],
)
def test_what_cannot_be_read(body: bytes, kind: str, status: int) -> None:
    with pytest.raises(HttpError) as caught:
        received(body, kind)
    assert caught.value.http_status == status
