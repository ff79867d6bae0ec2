"""uvicorn's HTTP protocol with the limits that it leaves open: size of the head, slow clients, number of connections.

uvicorn closes idle connections after an answer, and nothing else: a connection that never sends its request, or sends
it byte by byte, would stay for ever, and a header could grow without bound. No timer is set for this: each connection
notes when it began to wait, and one sweep a second looks at all of them.
"""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import unquote

from httptools import parse_url
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from junctor.http.answers.refusal import Refusal
from junctor.http.asgi import PROMPT, WHOLE
from junctor.http.listening.exchange import Exchange
from junctor.http.listening.limits import Limits
from junctor.http.listening.pace import Paced
from junctor.http.problem import HttpError, of_error
from junctor.runtime.supervisor import begun

WAITING = 100
"""Requests of one connection that may wait for the answer to an earlier one. They cost far more than their bytes."""

_ASGI = {"version": "3.0", "spec_version": "2.3"}
_BODIES = frozenset({b"content-length", b"transfer-encoding"})


class BoundedProtocol(Paced, HttpToolsProtocol):
    """One connection. The class attributes are set by :func:`bounded` for the listener that it belongs to."""

    limits = Limits()
    cycle: Any
    scope: Any

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
        self._idle = 0.0
        self._due: tuple[Exchange, Any] | None = None
        self._prompt = False
        self._answering: Any = None
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
        self._idle = 0.0
        self._chunk = len(data)
        self._received += self._chunk
        self._beside += self._chunk
        super().data_received(data)
        if self._in_message and not self._in_head and self._beside > self.limits.head:
            self.transport.abort()  # chunk extensions or trailers without end
        if self._in_head and self._received > self.limits.head and self.parser is not None:
            self._refuse(self._head_too_large(), 431, "head-too-large")
        if self._due is not None:
            due, self._due = self._due, None
            self._answer(*due)

    def on_message_begin(self) -> None:
        self.url = b""
        self.expect_100_continue = False
        self.headers = []
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
        app: Any = self.app
        fits = len(self.headers) <= self.limits.headers
        if not fits or (self._received > self.limits.head and self._head_size() > self.limits.head):
            app = Refusal(HttpError(self._head_too_large(), status=431, code="head-too-large"))
            self.url = b"/"  # one above 64 KiB cannot be parsed
        self._take(app)

    def on_header(self, name: bytes, value: bytes) -> None:
        # What comes behind the body is no part of the head: it was not there when the head was checked.
        if self._in_head:
            name = name.lower()
            if name == b"expect" and value.lower() == b"100-continue":
                self.expect_100_continue = True
            self.headers.append((name, value))

    def on_body(self, body: bytes) -> None:
        self._beside = 0
        if self._deaf or self.cycle.response_complete or self._upgrades():
            return
        self.cycle.take(body)
        if len(self.cycle.body) > HIGH_WATER_LIMIT:
            self.flow.pause_reading()

    def on_message_complete(self) -> None:
        self._in_message = False
        if self._deaf or self._upgrades() or self.cycle.response_complete:
            return
        self.cycle.more_body = False
        self.cycle.tell()

    def on_response_complete(self) -> None:
        self.server_state.total_requests += 1
        self._prompt = PROMPT in self._answering.scope
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            cycle, app = self.pipeline.pop()
            self._start_asgi_task(cycle, app)
        else:
            self._idle = self.loop.time()  # uvicorn sets a timer here, and takes it back with the next request

    def sweep(self, now: float) -> None:
        super().sweep(now)
        if self._idle and now - self._idle > self.limits.keep_alive and not self.transport.is_closing():
            self.transport.close()

    def _take(self, app: Any) -> None:
        """A head is complete: answer its request, now or behind those that came before."""
        parser = self.parser
        method, version = parser.get_method().decode("ascii"), parser.get_http_version()
        path, query = _split(self.url)
        scope: dict[str, Any] = {
            "type": "http",
            "asgi": _ASGI,
            "http_version": version,
            "server": self.server,
            "client": self.client,
            "scheme": self.scheme,
            "root_path": "",
            "headers": self.headers,
            "state": {},
            "method": method,
            "path": unquote(path.decode("ascii")) if b"%" in path else path.decode("ascii"),
            "raw_path": path,
            "query_string": query,
        }
        self.scope = scope
        if self._upgrades():
            return
        earlier = self.cycle
        self.cycle = cycle = Exchange(self, version != "1.0" and parser.should_keep_alive())
        scope[WHOLE] = cycle.send_whole
        if earlier is None or earlier.response_complete:
            self._due = cycle, app
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((cycle, app))

    def _upgrades(self) -> bool:
        return self.parser.should_upgrade() and self._should_upgrade()

    def _answer(self, cycle: Exchange, app: Any) -> None:
        """Answer a request: in a task, or at once where the last one of this client needed none."""
        if not self._prompt:
            self._start_asgi_task(cycle, app)
            return
        self._answering = cycle
        task = begun(cycle.run_asgi(app))
        if task is not None:
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)

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
        return self.cycle is not None

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


def _split(url: bytes) -> tuple[bytes, bytes]:
    """Path and query of what a request names."""
    if url[:1] == b"/" and b"#" not in url:
        path, _, query = url.partition(b"?")
        return path, query
    parsed = parse_url(url)
    return parsed.path, parsed.query or b""


def bounded(limits: Limits) -> type[asyncio.Protocol]:
    """The protocol class for a listener with these limits."""
    attributes: dict[str, Any] = {"limits": limits}
    return type("Connection", (BoundedProtocol,), attributes)
