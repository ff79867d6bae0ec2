"""One request of a connection and its answer: uvicorn's cycle, with a short way for answers that are complete.

uvicorn takes an answer as two events, looks at each header of it anew, and makes an event of asyncio for each request.
Most answers are complete when they are sent, and most of their headers have been sent before.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from uvicorn._types import ASGIReceiveEvent
from uvicorn.protocols.http.httptools_impl import HEADER_RE, HEADER_VALUE_RE, STATUS_LINE, RequestResponseCycle

from junctor.http.asgi import Headers

Whole = Callable[[int, Headers, bytes], Awaitable[None]]
"""Sends status, headers and body of a complete answer; the length is added."""

_NO_BODY = frozenset({204, 304})
_OF_CONNECTION = frozenset({b"connection", b"content-length", b"transfer-encoding", b"upgrade"})
"""Headers that change how an answer is sent: uvicorn's own way knows what they mean."""
_ALWAYS_NEW = frozenset({b"junctor-session", b"traceparent", b"etag", b"location", b"set-cookie"})
_TOGETHER = 64 * 1024
"""Bytes of a body up to which it is copied behind its head; a larger one is handed over as it is."""
_MOST_KNOWN = 500
_LONGEST_KNOWN = 200

_LINE = b"%b: %b\r\n".__mod__
_lines: dict[tuple[bytes, bytes], bytes] = {}
"""Headers that were found to be well-formed, as they are sent. The same few come again and again."""


class Exchange(RequestResponseCycle):
    """One request and its answer.

    ``news`` is whether something has come of the request that its application has not seen.
    """

    # As every request begins; uvicorn's constructor, which is not called, sets each anew.
    access_log = False
    disconnected = False
    waiting_for_100_continue = False
    more_body = True
    response_started = False
    response_complete = False
    chunked_encoding = None
    expected_content_length = 0
    body: Any = b""
    news = False
    _event: asyncio.Event | None = None

    def __init__(self, connection: Any, keep_alive: bool) -> None:
        self.scope = connection.scope
        self.transport = connection.transport
        self.flow = connection.flow
        self.logger = connection.logger
        self.default_headers = connection.server_state.default_headers
        self.on_response = connection.on_response_complete
        self.keep_alive = keep_alive
        if connection.expect_100_continue:
            self.waiting_for_100_continue = True

    @property
    def message_event(self) -> asyncio.Event:  # type: ignore[override]
        """What uvicorn waits for; made when somebody has to wait."""
        if self._event is None:
            self._event = asyncio.Event()
            if self.news:
                self._event.set()
        return self._event

    def take(self, body: bytes) -> None:
        """A part of the body has come."""
        if self.body:
            self.body += body
        else:
            self.body = bytearray(body)
        self.tell()

    def tell(self) -> None:
        """Something has come of the request."""
        self.news = True
        if self._event is not None:
            self._event.set()

    async def receive(self) -> ASGIReceiveEvent:
        if self.news and self._event is None and not (self.waiting_for_100_continue or self.disconnected):
            self.news = False
            if self.response_complete:
                return {"type": "http.disconnect"}
            self.flow.resume_reading()
            body, self.body = bytes(self.body), b""
            return {"type": "http.request", "body": body, "more_body": self.more_body}
        found = await super().receive()
        self.news = False
        return found

    async def send_whole(self, status: int, headers: Headers, body: bytes) -> None:
        """Send a complete answer in one piece; the length is added.

        :raises RuntimeError: a header is not well-formed. Nothing has been sent then.
        """
        if self.disconnected:
            return
        parts = None if self.response_started or self.flow.write_paused else self._head(status, headers)
        if parts is None:
            await self._send_in_events(status, headers, body)
            return
        self.response_started = self.response_complete = True
        self.waiting_for_100_continue = False
        if not self.keep_alive:
            parts.append(b"connection: close\r\n")
        if status in _NO_BODY:
            parts.append(b"\r\n")
            body = b""
        else:
            parts.append(b"content-length: %d\r\n\r\n" % len(body))
        self._write(parts, b"" if self.scope["method"] == "HEAD" else body)
        if self._event is not None:
            self._event.set()
        if not self.keep_alive:
            self.transport.close()
        self.on_response()

    def _head(self, status: int, headers: Headers) -> list[bytes] | None:
        """The lines of the head; None where uvicorn has to look at them."""
        lines = [STATUS_LINE[status], *map(_LINE, self.default_headers)]
        for pair in headers:
            line = _lines.get(pair)
            if line is None:
                if pair[0].lower() in _OF_CONNECTION:
                    return None
                line = _line(pair)
            lines.append(line)
        return lines

    def _write(self, head: list[bytes], body: bytes) -> None:
        if len(body) <= _TOGETHER:
            head.append(body)
            self.transport.write(b"".join(head))
        else:
            self.transport.write(b"".join(head))
            self.transport.write(body)

    async def _send_in_events(self, status: int, headers: Headers, body: bytes) -> None:
        if status in _NO_BODY:
            body = b""
        else:
            headers = [*headers, (b"content-length", b"%d" % len(body))]
        await self.send({"type": "http.response.start", "status": status, "headers": headers})
        await self.send({"type": "http.response.body", "body": body, "more_body": False})


def _line(pair: tuple[bytes, bytes]) -> bytes:
    """A header as it is sent, after uvicorn's own checks.

    :raises RuntimeError: it is not well-formed.
    """
    name, value = pair
    if HEADER_RE.search(name):
        raise RuntimeError("Invalid HTTP header name.")
    if HEADER_VALUE_RE.search(value):
        raise RuntimeError("Invalid HTTP header value.")
    name = name.lower()
    line = b"%b: %b\r\n" % (name, value)
    if name not in _ALWAYS_NEW and len(line) <= _LONGEST_KNOWN:
        if len(_lines) >= _MOST_KNOWN:
            _lines.clear()
        _lines[pair] = line
    return line
