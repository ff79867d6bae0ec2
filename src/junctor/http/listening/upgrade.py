"""uvicorn's WebSocket protocol with what it leaves open: slow clients, and clients that nobody reads from."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

from junctor.http.listening.limits import Limits

NOT_TAKEN = 1003


class BoundedSocket(WebSocketsSansIOProtocol):
    """One WebSocket. The class attribute is set by :func:`bounded_socket` for the listener that it belongs to.

    ``deaf``: what the client sends is refused. ``on_lost`` is called when the connection has ended.
    """

    limits = Limits()

    deaf = False
    on_lost: Callable[[], object] | None = None
    _stalled = 0.0
    _taken = False

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if self.response.status_code == 101:
            self.scope["junctor.protocol"] = self  # type: ignore[typeddict-unknown-key]

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self.on_lost is not None:
            self.on_lost()

    def send_receive_event_to_app(self) -> None:
        if self.deaf and not self.close_sent:
            self.frames = []
            self.end(NOT_TAKEN, "this socket takes no messages")
            return
        super().send_receive_event_to_app()

    def keepalive_timeout(self) -> None:
        if self.read_paused:
            # The answer may lie behind a message that the service has not taken yet.
            self.pong_timer = None
            self.pending_ping_payload = None
            self.schedule_ping()
            return
        super().keepalive_timeout()

    def end(self, code: int, reason: str = "") -> None:
        """Close from our side, at once."""
        if self.disconnected or self.transport.is_closing():
            return
        if self.handshake_complete and not self.close_sent:
            self.stop_keepalive()
            self.queue.put_nowait({"type": "websocket.disconnect", "code": code})
            self.conn.send_close(code, reason)
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.close_sent = True
        # What was written is still sent: a client that takes nothing is dropped by the sweep.
        self.transport.close()

    def shutdown(self) -> None:
        if self.handshake_complete and not self.close_sent:
            self.end(1012, "the service restarts or the node stops")
        elif self.close_sent:
            super().shutdown()
        else:
            self.transport.abort()  # before the handshake there is nothing that could be said

    def sweep(self, now: float) -> None:
        """Drop the client when it takes nothing. Called about once a second."""
        if not self.writable.is_set():
            self._stalled = self._stalled or now
            if now - self._stalled > self.limits.send:
                self.transport.abort()
        else:
            self._stalled = 0.0


def bounded_socket(limits: Limits) -> type[asyncio.Protocol]:
    """The protocol class for a listener with these limits."""
    attributes: dict[str, Any] = {"limits": limits}
    return type("Socket", (BoundedSocket,), attributes)
