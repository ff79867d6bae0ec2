"""uvicorn's WebSocket protocol with what it leaves open: slow clients, and clients that nobody reads from."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from uvicorn._types import ASGIReceiveEvent, ASGISendEvent
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame
from websockets.http11 import Request

from junctor.http.listening.limits import Limits

NOT_TAKEN = 1003

_PIECE = 2048
_FRAMES = 250
"""Frames that are read in a row; then others have their turn. One packet holds 40,000 of the smallest."""
_TURN = 16
"""Messages that are sent in a row; then others have their turn."""
_FRAGMENTS = 1000
"""Fragments of a message that are kept apart: an object costs more than the two bytes that may be in it."""


class BoundedSocket(WebSocketsSansIOProtocol):
    """One WebSocket. The class attribute is set by :func:`bounded_socket` for the listener that it belongs to.

    ``deaf``: what the client sends is refused. ``on_lost`` is called when the connection has ended.
    """

    limits = Limits()

    deaf = False
    on_lost: Callable[[], object] | None = None
    _stalled = 0.0
    _behind = b""
    _choked = False
    _frames_read = 0
    _sent = 0
    _due: asyncio.Handle | None = None

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if self.response.status_code == 101:
            self.scope["junctor.protocol"] = self  # type: ignore[typeddict-unknown-key]

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self.on_lost is not None:
            self.on_lost()

    def data_received(self, data: bytes) -> None:
        if not self._behind and len(data) <= _PIECE:
            super().data_received(data)
            return
        self._behind += data
        if self._due is None and not self._is_held:
            self._read_on()

    @property
    def _is_held(self) -> bool:
        """Whether nothing is to be read now: a message waits for the service, or answers for the client."""
        return self.read_paused or self._choked

    def _read_on(self) -> None:
        """Read of what has come, until it is held up or others have their turn."""
        behind, self._behind, self._due = self._behind, b"", None
        self._frames_read = at = 0
        while at < len(behind) and self._frames_read < _FRAMES and not self._is_held:
            if self.transport.is_closing():
                return
            super().data_received(behind[at : at + _PIECE])
            at += _PIECE
        self._behind = behind[at:]
        if self.transport.is_closing():
            return
        if self._behind:
            self.transport.pause_reading()
        self._go_on()

    def _go_on(self) -> None:
        if self._is_held or self.transport.is_closing():
            return
        if not self._behind:
            self.transport.resume_reading()
        elif self._due is None:
            self._due = self.loop.call_soon(self._read_on)

    def handle_events(self) -> None:
        self._frames_read += len(self.conn.events)
        super().handle_events()

    def handle_cont(self, event: Frame) -> None:
        if event.data or event.fin:
            super().handle_cont(event)
        if len(self.frames) > _FRAGMENTS:
            self.frames = [b"".join(self.frames)]

    def handle_ping(self) -> None:
        super().handle_ping()
        if not self.writable.is_set() and not self._choked:
            # Who takes no answers may ask for no more: they would fill the memory.
            self._choked = True
            self.transport.pause_reading()

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._choked:
            self._choked = False
            self._go_on()

    async def receive(self) -> ASGIReceiveEvent:
        message = await self.queue.get()
        if self.read_paused and self.queue.empty():
            self.read_paused = False
            self._go_on()
        return message

    async def send(self, message: ASGISendEvent) -> None:
        self._sent += 1
        if self._sent % _TURN == 0 or self.transport.is_closing():
            # Nothing else makes a method wait whose client takes all at once, or has gone: the loop must hear of that.
            await asyncio.sleep(0)
        await super().send(message)
        if self._behind:
            self._go_on()  # after a close nobody else reads what is left

    def send_receive_event_to_app(self) -> None:
        if self.deaf and not self.close_sent:
            self.frames = []
            self.end(NOT_TAKEN, "this socket takes no messages")
            return
        super().send_receive_event_to_app()

    def keepalive_timeout(self) -> None:
        if self._is_held or self._behind:
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
