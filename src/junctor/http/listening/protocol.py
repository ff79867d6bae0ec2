"""uvicorn's HTTP protocol with the limits that it leaves open: size of the head, slow clients, number of connections.

uvicorn closes idle connections after an answer, and nothing else: a connection that never sends its request, or sends
it byte by byte, would stay for ever, and a header could grow without bound. No timer is set for this: each connection
notes when it began to wait, and one sweep a second looks at all of them.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from junctor.http.answers.refusal import Refusal
from junctor.http.listening.limits import Limits
from junctor.http.listening.pace import Paced
from junctor.http.problem import HttpError, of_error

WAITING = 100
"""Requests of one connection that may wait for the answer to an earlier one. They cost far more than their bytes."""

_BODIES = frozenset({b"content-length", b"transfer-encoding"})


class BoundedProtocol(Paced, HttpToolsProtocol):
    """One connection. The class attributes are set by :func:`bounded` for the listener that it belongs to."""

    limits = Limits()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)  # type: ignore[arg-type]
        self._in_head = True
        self._in_message = False
        self._chunk = 0
        self._received = 0
        self._beside = 0
        self._since = self.loop.time()
        self._stalled = self._paused = 0.0
        self._deaf = False
        self._answering: RequestResponseCycle | None = None
        if len(self.connections) > self.limits.connections:
            self._refuse("the listener has as many clients as it takes", 503, "too-many-clients")

    def connection_lost(self, exc: Exception | None) -> None:
        # uvicorn tells the request that came last; the one that is being answered may be an earlier one.
        if self._answering is not None and not self._answering.response_complete:
            self._answering.disconnected = True
            self._answering.message_event.set()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._deaf:
            return
        self._chunk = len(data)
        self._received += self._chunk
        self._beside += self._chunk
        super().data_received(data)
        if self._in_message and not self._in_head and self._beside > self.limits.head:
            self.transport.abort()  # chunk extensions or trailers without end
        if self._in_head and self._received > self.limits.head and self.parser is not None:
            self._refuse(self._head_too_large(), 431, "head-too-large")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        # What came in the same chunk before this message counts for it too: an estimate, but never too low.
        self._received = self._chunk
        self._since = self.loop.time()
        self._in_head = self._in_message = not self._deaf

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._beside = 0
        if len(self.pipeline) >= WAITING and not self._deaf:
            # The connection closes behind the answers that are due: its client knows then what was not taken.
            self._deaf = True
            self.pipeline[0][0].keep_alive = False
        if self._deaf:
            self._in_message = False
            return
        if self._received <= self.limits.head and len(self.headers) <= self.limits.headers:
            super().on_headers_complete()
        elif len(self.headers) <= self.limits.headers and self._head_size() <= self.limits.head:
            super().on_headers_complete()
        else:
            error = HttpError(self._head_too_large(), status=431, code="head-too-large")
            app, self.app = self.app, Refusal(error)
            self.url = b"/"  # one above 64 KiB cannot be parsed
            super().on_headers_complete()
            self.app = app

    def on_header(self, name: bytes, value: bytes) -> None:
        # What comes behind the body is no part of the head: it was not there when the head was checked.
        if self._in_head:
            super().on_header(name, value)

    def on_body(self, body: bytes) -> None:
        self._beside = 0
        if not self._deaf:
            super().on_body(body)

    def on_message_complete(self) -> None:
        self._in_message = False
        if not self._deaf:
            super().on_message_complete()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._answering = cycle
        super()._start_asgi_task(cycle, app)

    def _should_upgrade_to_ws(self) -> bool:
        # A service with WebSockets may have come since this connection was made.
        self.ws_protocol_class = self.config.ws_protocol_class
        return self.ws_protocol_class is not None

    def handle_websocket_upgrade(self) -> None:
        if self._begun and not self.cycle.response_complete:
            # Nobody may ask for an upgrade before the answers to what was asked earlier: they are the last ones.
            self.cycle.keep_alive = False
            self.flow.pause_reading()
        elif any(name in _BODIES for name, _ in self.headers):
            self._refuse("a WebSocket handshake has no body", 400, "malformed")
        elif self._head_size() > self.limits.head or len(self.headers) > self.limits.headers:
            self._refuse(self._head_too_large(), 431, "head-too-large")
        else:
            self._unset_keepalive_if_required()
            super().handle_websocket_upgrade()

    def send_400_response(self, msg: str) -> None:
        self._refuse("this is not a valid HTTP request", 400, "malformed")

    def _waits_for_client(self) -> bool:
        # A connection that never sent anything waits like one that is within its first head.
        return self._in_message or not self._begun

    def _allowance(self) -> float:
        """Seconds that the message under way may take. The rest of a body that was answered early is thrown away, so it
        earns no time."""
        answered = self._begun and not self._in_head and self.cycle.response_complete
        return self.limits.receive + (0.0 if answered else self._received / self.limits.pace)

    def _drop_slow(self) -> None:
        if self._in_head:
            self._refuse("the request did not arrive in time", 408, "too-slow")
        else:
            self.transport.abort()

    def _reads_body(self) -> bool:
        """Whether the only request in progress is one whose body is under way and that has no answer yet."""
        reading = self._in_message and not self._in_head
        return reading and not self.pipeline and not self.cycle.response_started

    @property
    def _begun(self) -> bool:
        """Whether the head of a request was ever complete."""
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None

    def _head_size(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)

    def _head_too_large(self) -> str:
        return f"the head of the request has more than {self.limits.head} bytes or {self.limits.headers} headers"

    def _refuse(self, what: str, status: int, code: str) -> None:
        """Answer outside of any request, and close."""
        if self.transport.is_closing():
            return
        if self._begun and not self.cycle.response_complete and not self._reads_body():
            self.transport.abort()  # the client would take this for the answer to its earlier request
            return
        made, headers, body = of_error(HttpError(what, status=status, code=code))
        lines = [b"%s: %s\r\n" % pair for pair in [*headers, (b"connection", b"close")]]
        lines.append(b"content-length: %d\r\n\r\n" % len(body))
        self.transport.write(b"".join([STATUS_LINE[made], *lines, body]))
        self.transport.close()


def bounded(limits: Limits) -> type[asyncio.Protocol]:
    """The protocol class for a listener with these limits."""
    attributes: dict[str, Any] = {"limits": limits}
    return type("Connection", (BoundedProtocol,), attributes)
