"""The same bounds where there is no httptools: uvicorn's protocol in plain Python, with h11.

h11 bounds what is incomplete by itself. What it leaves open is a head that arrives whole and is too large, and clients
that are slow.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import STATUS_PHRASES, H11Protocol

from junctor.http.answers.refusal import Refusal
from junctor.http.listening.limits import Limits
from junctor.http.listening.pace import Paced
from junctor.http.problem import HttpError, of_error


class PlainProtocol(Paced, H11Protocol):
    """One connection. The class attribute is set by :func:`plain` for the listener that it belongs to."""

    limits = Limits()

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.conn = _Watched(self.limits.head, self._happened)
        self._site = self.app
        self._since = self.loop.time()
        self._stalled = self._paused = 0.0
        self._received = 0
        self._hint = 400

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)  # type: ignore[arg-type]
        if len(self.connections) > self.limits.connections:
            self._refuse("the listener has as many clients as it takes", 503, "too-many-clients")

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        if not self._in_message:
            self._since, self._received = self.loop.time(), 0  # a message begins, as far as can be seen
        self._received += len(data)
        super().data_received(data)

    def _happened(self, event: Any) -> None:
        """Before uvicorn takes what was read: a head that is too large gets an application that refuses it."""
        if isinstance(event, h11.RemoteProtocolError):
            self._hint = event.error_status_hint
        elif isinstance(event, h11.Request):
            refused = self._refusal(event)
            self.app = self._site if refused is None else Refusal(refused)

    def _refusal(self, head: h11.Request) -> HttpError | None:
        size = len(head.target) + sum(len(name) + len(value) + 4 for name, value in head.headers)
        if size > self.limits.head or len(head.headers) > self.limits.headers:
            return HttpError(self._too_large, status=431, code="head-too-large")
        if {b"content-length", b"transfer-encoding"} <= {name for name, _ in head.headers}:
            # h11 goes by the chunks; what stands in front of us may go by the length, and see another next request.
            return HttpError("a request has either a length or chunks", code="malformed")
        return None

    def _should_upgrade_to_ws(self) -> bool:
        # A service with WebSockets may have come since this connection was made.
        self.ws_protocol_class = self.config.ws_protocol_class
        return self.ws_protocol_class is not None and self.app is self._site

    def send_400_response(self, msg: str) -> None:
        if self._hint == 431:
            self._refuse(self._too_large, 431, "head-too-large")
        else:
            self._refuse("this is not a valid HTTP request", 400, "malformed")

    def _waits_for_client(self) -> bool:
        return self._in_message or self.cycle is None

    @property
    def _in_message(self) -> bool:
        """Whether a request has begun and is not complete."""
        return self._in_body or bool(self.conn.trailing_data[0])

    @property
    def _in_body(self) -> bool:
        return self.conn.their_state is h11.SEND_BODY

    def _allowance(self) -> float:
        """Seconds that the message under way may take. The rest of a body that was answered early is thrown away, so it
        earns no time."""
        answered = self._in_body and self.cycle.response_complete
        return self.limits.receive + (0.0 if answered else self._received / self.limits.pace)

    def _drop_slow(self) -> None:
        if self._in_body:
            self.transport.abort()
        else:
            self._refuse("the request did not arrive in time", 408, "too-slow")

    @property
    def _too_large(self) -> str:
        return f"the head of the request has more than {self.limits.head} bytes or {self.limits.headers} headers"

    def _refuse(self, what: str, status: int, code: str) -> None:
        """Answer outside of any request, and close."""
        if self.transport.is_closing():
            return
        cycle: Any = self.cycle
        if cycle is not None and not cycle.response_complete and (cycle.response_started or not self._reads_body):
            self.transport.abort()  # the client would take this for the answer to its earlier request
            return
        made, headers, body = of_error(HttpError(what, status=status, code=code))
        lines = [b"%s: %s\r\n" % pair for pair in [*headers, (b"connection", b"close")]]
        lines.append(b"content-length: %d\r\n\r\n" % len(body))
        self.transport.write(b"".join([b"HTTP/1.1 %d %s\r\n" % (made, STATUS_PHRASES[made]), *lines, body]))
        self.transport.close()

    @property
    def _reads_body(self) -> bool:
        """Whether the request in progress is one whose body is under way, or turned out to be no HTTP."""
        return self.conn.their_state in (h11.SEND_BODY, h11.ERROR)


class _Watched(h11.Connection):
    """A connection whose events are seen before they are acted on."""

    def __init__(self, head: int, happened: Callable[[Any], None]) -> None:
        super().__init__(h11.SERVER, head)
        self._happened = happened

    def next_event(self) -> Any:
        try:
            event = super().next_event()
        except h11.RemoteProtocolError as error:
            self._happened(error)
            raise
        self._happened(event)
        return event


def plain(limits: Limits) -> type[asyncio.Protocol]:
    """The protocol class for a listener with these limits."""
    attributes: dict[str, Any] = {"limits": limits}
    return type("Connection", (PlainProtocol,), attributes)
