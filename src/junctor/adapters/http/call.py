"""A call as it goes out, made of a message."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

import msgspec

from junctor.adapters.http.outbound_settings import Content
from junctor.adapters.http.url import Url, with_query, without_query
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
    """Method, URL, headers and body. ``hidden`` is how much of the end of the path is not to be shown."""

    method: str
    url: str
    headers: dict[str, str] = {}
    body: bytes | None = None
    hidden: int = 0

    @property
    def shown(self) -> str:
        """The URL as errors and logs may have it."""
        url = without_query(self.url)
        return f"{url[: -self.hidden]}/***" if self.hidden else url

    @property
    def host(self) -> str:
        """The host, with its port where it has one."""
        return urlsplit(self.url).netloc

    @property
    def named(self) -> str:
        """For errors: ``GET https://crm.example/customers/7``."""
        return f"{self.method} {self.shown}"


class Caller:
    """Makes calls of messages.

    :param url: with what is secret in its path; ``open_url`` without it.
    """

    def __init__(
        self,
        method: str,
        url: Url,
        open_url: Url | None,
        query: Mapping[str, Template],
        headers: Mapping[str, Template],
        content: Content,
        fields: Fields,
        text: Template | None,
    ) -> None:
        self._method = method
        self._url = url
        self._open_url = open_url
        self._query = query
        self._fields = fields
        self._text = text
        self._kind = _kind(content, method, fields, text)
        self._headers = dict(headers)
        self._fixed = {} if headers and "content-type" in {name.lower() for name in headers} else self._type()

    def _type(self) -> dict[str, str]:
        return {"Content-Type": TYPES[self._kind]} if self._kind in TYPES else {}

    def call(self, variables: Variables, body: Any) -> Call:
        """The call for a message.

        :param body: as the handler got it.
        :raises ExpressionFailed: something cannot be computed of it.
        :raises Park: a value cannot stand where it was to stand.
        """
        url, hidden = self._url.fill(variables), 0
        if self._open_url is not None:
            hidden = len(without_query(url)) - len(without_query(self._open_url.fill(variables)))
        if self._query:
            url = with_query(url, {name: one.fill(variables) for name, one in self._query.items()})
        headers = self._fixed | {name: header_value(name, one.fill(variables)) for name, one in self._headers.items()}
        return Call(self._method, url, headers, self._body(variables, body), hidden)

    def _body(self, variables: Variables, body: Any) -> bytes | None:
        if self._kind == "none":
            return None
        if self._kind == "json":
            return codec.encode(filled(self._fields, variables) if self._fields else body)
        if self._kind == "text" and self._text is not None:
            return self._text.fill(variables).encode()
        plain = filled(self._fields, variables) if self._fields else variables.of(["body"])["body"]
        return as_text(plain).encode() if self._kind == "text" else _form(plain)


def _kind(content: Content, method: str, fields: Fields, text: Template | None) -> Content:
    if content != "auto":
        return content
    if text is not None:
        return "text"
    return "json" if fields or method in _WITH_BODY else "none"


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
