"""A call as it goes out, made of a message."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlencode

import msgspec

from junctor.adapters.http.outbound_settings import Content
from junctor.adapters.http.url import Url, with_query
from junctor.adapters.records import Fields, filled
from junctor.core.expressions import Template, Variables
from junctor.core.expressions.template import as_text
from junctor.core.outcome import Park
from junctor.messages import codec

_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_WITH_BODY = ("POST", "PUT", "PATCH")
TYPES = {
    "json": "application/json",
    "form": "application/x-www-form-urlencoded",
    "text": "text/plain; charset=utf-8",
}


class Call(msgspec.Struct, frozen=True):
    """Method, URL, headers and body. ``shown`` is the URL as errors and logs may have it."""

    method: str
    url: str
    shown: str
    headers: dict[str, str] = {}
    body: bytes | None = None

    @property
    def named(self) -> str:
        """For errors: ``GET https://crm.example/customers/7``."""
        return f"{self.method} {self.shown}"


class Caller(msgspec.Struct, frozen=True):
    """Makes calls of messages: the settings that say how one looks."""

    method: str
    url: Url
    shown: Url
    query: Mapping[str, Template]
    headers: Mapping[str, Template]
    content: Content
    fields: Fields
    text: Template | None

    def call(self, variables: Variables) -> Call:
        """The call for a message.

        :raises ExpressionFailed: something cannot be computed of it.
        :raises Park: a value cannot stand where it was to stand.
        """
        query = {name: one.fill(variables) for name, one in self.query.items()}
        headers = {name: header_value(name, one.fill(variables)) for name, one in self.headers.items()}
        kind = self._kind()
        if kind != "none" and "content-type" not in {name.lower() for name in headers}:
            headers["Content-Type"] = TYPES[kind]
        return Call(
            method=self.method,
            url=with_query(self.url.fill(variables), query),
            shown=self.shown.fill(variables).partition("?")[0],
            headers=headers,
            body=self._body(kind, variables),
        )

    def _kind(self) -> Content:
        if self.content != "auto":
            return self.content
        if self.text is not None:
            return "text"
        return "json" if self.fields or self.method in _WITH_BODY else "none"

    def _body(self, kind: Content, variables: Variables) -> bytes | None:
        if kind == "none":
            return None
        if kind == "text" and self.text is not None:
            return self.text.fill(variables).encode()
        body = filled(self.fields, variables) if self.fields else variables.of(["body"])["body"]
        if kind == "json":
            return codec.encode(body)
        return as_text(body).encode() if kind == "text" else _form(body)


def _form(body: object) -> bytes:
    if not isinstance(body, dict):
        raise Park(f"the body is {type(body).__name__}, and only an object has the fields of a form")
    pairs: list[tuple[str, str]] = []
    for name, value in body.items():
        several = value if isinstance(value, list) else [value]
        pairs += [(name, as_text(one)) for one in several if one is not None]
    return urlencode(pairs).encode()


def header_value(name: str, text: str) -> str:
    """The text as the value of a header.

    :raises Park: it would end the header and begin another one.
    """
    if _CONTROL.search(text):
        raise Park(f"the header {name} would be {text[:100]!r}, and headers have no line feeds or other controls")
    return text.strip()
