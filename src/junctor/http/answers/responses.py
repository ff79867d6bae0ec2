"""Responses: what a route returns becomes one, and a route may make its own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from junctor.http.asgi import Headers, Receive, Scope, Send
from junctor.messages.codec import encode

JSON = (b"content-type", b"application/json")
_BINARY = (b"content-type", b"application/octet-stream")
_NO_BODY = frozenset({204, 304})
_LENGTH = b"content-length"
_OURS = frozenset({_LENGTH, b"transfer-encoding"})
"""Said once, by who sends the answer: two lengths are how answers are taken for one another."""


_COOKIE = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_NO_ATTRIBUTE = re.compile(r"[^\x20-\x3a\x3c-\x7e]")
_NO_COOKIE = re.compile(r"[^\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]")


class Response:
    """A response of a route's own making. It is also an ASGI application, as Starlette's responses are.

    :param content: text is sent as UTF-8.
    :param media_type: the content type; text types get ``; charset=utf-8``.
    :raises ValueError: a header holds a line feed or characters that a header cannot carry, or there is no such status.
    """

    __slots__ = ("body", "raw_headers", "status_code")

    def __init__(
        self,
        content: str | bytes = b"",
        status: int = 200,
        headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
        media_type: str = "application/octet-stream",
    ) -> None:
        self.body = content.encode() if isinstance(content, str) else bytes(content)
        self.status_code = checked(status, 200)
        pairs = headers.items() if isinstance(headers, Mapping) else headers
        self.raw_headers: Headers = [header(name, value) for name, value in pairs]
        if self.body and not any(name == b"content-type" for name, _ in self.raw_headers):
            charset = "; charset=utf-8" if media_type.startswith("text/") and "charset" not in media_type else ""
            self.raw_headers.append(header("content-type", media_type + charset))

    def whole(self) -> tuple[int, Headers, bytes]:
        """Status, headers and body to send; it may be kept and returned again, so the headers are a list of their own.

        :raises ValueError: the status has been changed to one that there is not.
        """
        headers = [pair for pair in self.raw_headers if pair[0] not in _OURS]
        return checked(self.status_code, 200), headers, self.body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send_whole(send, *self.whole())


def html(content: str, status: int = 200) -> Response:
    """A page. Values put into it are the caller's to escape: ``html.escape`` of the standard library."""
    return Response(content, status, media_type="text/html")


def text(content: str, status: int = 200) -> Response:
    """Plain text as it is; a ``str`` returned from a route is sent as a JSON string."""
    return Response(content, status, media_type="text/plain")


def redirect(url: str, status: int = 307) -> Response:
    """Send the client elsewhere; 307 keeps the method, 303 turns it into GET."""
    return Response(b"", status, {"location": quote(url, safe=":/%#?=@[]!$&'()*+,;")})


def set_cookie(
    name: str,
    value: str,
    *,
    max_age: float | None = None,
    path: str = "/",
    secure: bool = False,
    http_only: bool = True,
    same_site: str = "Lax",
) -> tuple[str, str]:
    """A header for a :class:`Response` that sets a cookie: ``Response(..., headers=[set_cookie("sid", "42")])``.

    :param max_age: seconds that it lives, 0 removes it; None: until the browser is closed.
    :param http_only: scripts of a page do not see it.
    :raises ValueError: the name, value or path holds what a cookie cannot carry.
    """
    if not _COOKIE.fullmatch(name) or _NO_COOKIE.search(value):
        raise ValueError(f"cookie {name!r}: a name is a word, a value has no spaces, quotes, commas, semicolons")
    if _NO_ATTRIBUTE.search(path + same_site):
        raise ValueError(f"cookie {name!r}: a path has no semicolons and is ASCII")
    parts = [f"{name}={value}", f"Path={path}", f"SameSite={same_site}"]
    parts += [f"Max-Age={int(max_age)}"] if max_age is not None else []
    parts += ["Secure"] if secure else []
    parts += ["HttpOnly"] if http_only else []
    return "set-cookie", "; ".join(parts)


def header(name: str, value: str) -> tuple[bytes, bytes]:
    """A header as ASGI carries it.

    :raises ValueError: it holds a character that would end it or that it cannot carry.
    """
    pair = name.lower().encode("latin-1"), value.encode("latin-1")
    if not name or any(byte < 33 or byte == 58 or byte > 126 for byte in pair[0]):
        raise ValueError(f"{name!r} is not a header name")
    if any(byte < 32 and byte != 9 or byte == 127 for byte in pair[1]):
        raise ValueError(f"header {name}: its value holds control characters")
    return pair


def checked(status: int, least: int) -> int:
    """The status of an answer.

    :raises ValueError: there is no such status; below 200 are no answers.
    """
    if not least <= status <= 599:
        raise ValueError(f"{status!r} is no status from {least} to 599")
    return status


def of_value(value: Any, status: int) -> tuple[int, Headers, bytes]:
    """Status, headers and body for what a route returned.

    None is 204, or the route's own status with an empty body; ``bytes`` are sent as they are; everything else is JSON.

    :raises EncodeError: the value has no JSON form, or holds NaN or infinity.
    """
    if value is None:
        return 204 if status == 200 else status, [], b""
    if type(value) is bytes:
        return status, [_BINARY], value
    return status, [JSON], encode(value)


async def send_whole(send: Send, status: int, headers: Headers, body: bytes) -> None:
    """A complete response in one go; the length is added."""
    if status not in _NO_BODY:
        headers.append((_LENGTH, b"%d" % len(body)))
    else:
        body = b""
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
