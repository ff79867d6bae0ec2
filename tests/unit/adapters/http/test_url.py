"""URLs with values of messages: whatever the value, the host and the steps of the path stay."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from junctor.adapters.http.url import Url, with_query, without_query
from junctor.core.expressions import Template, Variables
from junctor.core.outcome import Park
from junctor.errors import ExpressionFailed, SettingError


def filled(template: str, body: Any) -> str:
    return Url(Template(template)).fill(Variables({}, body=body))


@pytest.mark.parametrize(
    ("template", "body", "url"),
    [
        ("https://crm.example/customers/{body.id}", {"id": 7}, "https://crm.example/customers/7"),
        (
            "https://crm.example/customers/{body.id}",
            {"id": "a/b?c#d&e f"},
            "https://crm.example/customers/a%2Fb%3Fc%23d%26e%20f",
        ),
        ("https://crm.example/customers/{body.id}", {"id": "%2e%2e"}, "https://crm.example/customers/%252e%252e"),
        ("https://crm.example?since={body.day}", {"day": "1+1"}, "https://crm.example/?since=1%2B1"),
        ("https://crm.example/find?q={body.q}&n=2", {"q": ""}, "https://crm.example/find?q=&n=2"),
        ("http://localhost:8080", {}, "http://localhost:8080/"),
        ("http://[::1]:80/a b/{body.e}", {"e": "é"}, "http://[::1]:80/a%20b/%C3%A9"),
        ("http://h/a%20b/{body.x ? 'yes' : 'no'}", {"x": True}, "http://h/a%20b/yes"),
        ("http://h/{{x}}/{body.n}", {"n": 2.0}, "http://h/%7Bx%7D/2"),
    ],
)
def test_a_value_is_quoted_where_it_stands(template: str, body: Any, url: str) -> None:
    assert filled(template, body) == url


@pytest.mark.parametrize("value", ["a\nb", "a\rb", "\0", "a\x7f", "\x85", "", ".", ".."])
def test_a_value_that_would_lead_elsewhere_is_parked(value: str) -> None:
    with pytest.raises(Park):
        filled("https://crm.example/customers/{body.id}/orders", {"id": value})


def test_two_values_that_make_a_step_up_are_parked() -> None:
    with pytest.raises(Park, match="would lead elsewhere"):
        filled("https://crm.example/{body.a}{body.a}/x", {"a": "."})


def test_null_is_no_text() -> None:
    with pytest.raises(ExpressionFailed, match=r"`\{body.id\}` is null"):
        filled("https://crm.example/{body.id}", {"id": None})


@given(
    value=st.text(), template=st.sampled_from(["https://h.example/a/{body}/b", "https://h.example/a/{body}.x?y={body}"])
)
def test_no_value_changes_host_or_steps(value: str, template: str) -> None:
    try:
        url = filled(template, value)
    except Park:
        return
    parts = urlsplit(url)
    assert (parts.scheme, parts.netloc, parts.fragment) == ("https", "h.example", "")
    steps = parts.path.split("/")
    assert len(steps) == len(urlsplit(template).path.split("/"))
    assert unquote(steps[2]).removesuffix(".x") == value.removesuffix(".x")


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("crm.example/x", "is no URL"),
        ("ftp://crm.example/x", "is no URL"),
        ("https://", "is no URL"),
        ("https:///x", "is no URL"),
        ("https://crm.example:99999/x", "is no URL"),
        ("https://müller.example/x", "is not ASCII"),
        ("https://ann:pw@crm.example/x", "there is a user in the URL"),
        ("{body.url}", "a message would choose the host"),
        ("https://{body.host}/x", "a message would choose the host"),
        ("https://crm.example{body.port}", "a message would choose the host"),
        ("https://crm.example/x#part", "what follows # is not sent"),
        ("https://crm.example\\@evil.example/x", "URL"),
    ],
)
def test_what_is_no_url_is_refused(url: str, told: str) -> None:
    with pytest.raises(SettingError) as caught:
        Url(Template(url))
    assert told in str(caught.value)


def test_more_in_the_query() -> None:
    assert with_query("http://h/x", {"a b": "c\n&d"}) == "http://h/x?a%20b=c%0A%26d"
    assert with_query("http://h/x?y=1", {"a": "b"}) == "http://h/x?y=1&a=b"
    assert without_query("http://h/x?token=1") == "http://h/x"
