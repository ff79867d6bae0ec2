"""Connections of a TLS listener until their handshake is over.

They are accepted here and not by ``create_server``: so a client that speaks plain HTTP gets an answer that says so,
those that never finish a handshake are bounded and dropped, and a new certificate holds for the next connection without
closing anything.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from junctor.http.listening.limits import Limits
from junctor.http.problem import HttpError, of_error

if TYPE_CHECKING:
    from junctor.http.listening.listener import Spawn

log = logging.getLogger("junctor.http")

_HANDSHAKE = 0x16
"""The first byte of every TLS connection."""

_GOODBYE = 2.0
"""Seconds that a client has to close its side of TLS."""


class Handshakes:
    """Accepts on a listening socket, from :meth:`start` to :meth:`stop`.

    ``context`` and ``limits`` may be replaced at any time; they hold for connections from then on.

    :param make: makes the protocol of a connection whose handshake is over.
    """

    def __init__(
        self,
        bound: socket.socket,
        make: Callable[[], asyncio.Protocol],
        context: ssl.SSLContext,
        limits: Limits,
        spawn: Spawn,
    ) -> None:
        self.context = context
        self.limits = limits
        self._bound = bound
        self._make = make
        self._spawn = spawn
        self._accepting: asyncio.Task[Any] | None = None
        self._under_way: set[asyncio.Task[Any]] = set()

    def start(self) -> None:
        self._accepting = self._spawn("http accept", self._accept())

    def stop(self) -> None:
        """Accept no more, and drop those whose handshake is not over."""
        for task in (self._accepting, *self._under_way):
            if task is not None:
                task.cancel()
        self._bound.close()

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                client, _ = await loop.sock_accept(self._bound)
            except OSError as error:
                # Mostly: this process has no file descriptor left. Clients wait in the backlog meanwhile.
                log.error("cannot accept: %s", error.strerror)
                await asyncio.sleep(1.0)
                continue
            if len(self._under_way) >= self.limits.connections:
                client.close()
                continue
            task = self._spawn("tls handshake", self._greet(client))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)

    async def _greet(self, client: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        client.setblocking(False)
        with contextlib.suppress(OSError):  # TimeoutError and SSLError are among them: strangers, and not our errors
            try:
                async with asyncio.timeout(self.limits.receive):
                    first = await _first_byte(client)
                    if first != _HANDSHAKE:
                        if first >= 0:
                            _explain(client)
                        return
                handed, client = client, None  # type: ignore[assignment]
                handed.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                await loop.connect_accepted_socket(
                    self._make,
                    handed,
                    ssl=self.context,
                    ssl_handshake_timeout=self.limits.receive,
                    ssl_shutdown_timeout=_GOODBYE,
                )
            finally:
                if client is not None:
                    client.close()


async def _first_byte(client: socket.socket) -> int:
    """The first byte, left where it is; -1 when the client has gone."""
    loop = asyncio.get_running_loop()
    readable = loop.create_future()
    loop.add_reader(client, lambda: None if readable.done() else readable.set_result(None))
    try:
        await readable
    finally:
        loop.remove_reader(client)
    first = client.recv(1, socket.MSG_PEEK)
    return first[0] if first else -1


def _explain(client: socket.socket) -> None:
    """Tell a client that speaks HTTP without TLS. What it sent is read, or the close would take our answer with it."""
    if not client.recv(64 * 1024)[:1].isalpha():
        return
    refused = HttpError(
        "this port speaks HTTPS", status=400, code="tls", fix="Use an address that begins with https:// here."
    )
    status, headers, body = of_error(refused)
    lines = [b"%s: %s\r\n" % pair for pair in [*headers, (b"connection", b"close")]]
    head = b"HTTP/1.1 %d Bad Request\r\n%scontent-length: %d\r\n\r\n" % (status, b"".join(lines), len(body))
    client.send(head + body)
    client.shutdown(socket.SHUT_WR)
