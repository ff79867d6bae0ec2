"""Kept connections to one HTTP server."""

from __future__ import annotations

import http.client
import io
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit


class NotSent(Exception):
    """The request did not reach the server: it may be sent again, whatever it does."""


class NoAnswer(Exception):
    """The request was sent, and the connection broke: nobody knows what the server has done."""


class TimedOut(Exception):
    """The answer did not come in time."""


@dataclass(frozen=True)
class Answer:
    status: int
    content_type: str
    body: bytes
    location: str = ""


class HttpConnections:
    """Connections that are used again, by as many threads as there are.

    :param uri: of the server, with ``http`` or ``https``.
    :param connect_timeout: seconds.
    :param timeout: seconds from the request to the end of its answer, however it comes.
    :param authorities: a file with certificates that are trusted beside those of the system.
    """

    def __init__(self, uri: str, connect_timeout: float, timeout: float, authorities: str | None = None) -> None:
        parts = urlsplit(uri)
        self._host = parts.hostname or "localhost"
        self._port = parts.port
        self._below = parts.path.rstrip("/")
        self._connect_timeout = connect_timeout
        self._timeout = timeout
        self._tls = ssl.create_default_context(cafile=authorities) if parts.scheme == "https" else None
        self._idle: list[http.client.HTTPConnection] = []
        self._lock = threading.Lock()
        self._closed = False

    def ask(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str | bytes]) -> Answer:
        """
        :raises NotSent: the server cannot be reached.
        :raises NoAnswer: the connection broke before the answer was whole.
        :raises TimedOut: see ``timeout``.
        """
        connection = self._take()
        try:
            answer = self._exchange(connection, method, self._below + path, body, headers)
        except BaseException:
            connection.close()
            raise
        self._give_back(connection)
        return answer

    def close(self) -> None:
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _exchange(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        path: str,
        body: bytes | None,
        headers: Mapping[str, str | bytes],
    ) -> Answer:
        timed: Any = connection.sock
        timed.begin(self._timeout)
        try:
            connection.request(method, path, body, dict(headers))
            response = connection.getresponse()
            content = response.read()
        except TimeoutError as error:
            raise TimedOut(f"no answer within {self._timeout:g} s") from error
        except (OSError, http.client.HTTPException) as error:
            raise NoAnswer(str(error) or type(error).__name__) from error
        if response.will_close:
            connection.close()
        return Answer(response.status, response.headers.get_content_type(), content, response.getheader("Location", ""))

    def _take(self) -> http.client.HTTPConnection:
        while True:
            with self._lock:
                connection = self._idle.pop() if self._idle else None
            if connection is None:
                return self._connected()
            if not _has_ended(connection.sock):
                return connection
            connection.close()

    def _connected(self) -> http.client.HTTPConnection:
        if self._tls is not None:
            made: http.client.HTTPConnection = http.client.HTTPSConnection(
                self._host, self._port, timeout=self._connect_timeout, context=self._tls
            )
        else:
            made = http.client.HTTPConnection(self._host, self._port, timeout=self._connect_timeout)
        try:
            made.connect()
        except OSError as error:
            made.close()
            raise NotSent(str(error) or type(error).__name__) from error
        made.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        made.sock = _Timed(made.sock)
        return made

    def _give_back(self, connection: http.client.HTTPConnection) -> None:
        with self._lock:
            keep = connection.sock is not None and not self._closed
            if keep:
                self._idle.append(connection)
        if not keep:
            connection.close()


class _Timed:
    """A socket with one end of time for all that is sent and received, as ``http.client`` uses one: a time-out of the
    socket itself begins anew with each byte."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._end = 0.0

    def begin(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def sendall(self, data: bytes) -> None:
        left = memoryview(data)
        while left:
            self._allow()
            left = left[self._sock.send(left) :]

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_TimedReader(self._sock.makefile("rb", buffering=0), self._allow))

    def fileno(self) -> int:
        return self._sock.fileno()

    def close(self) -> None:
        self._sock.close()

    def _allow(self) -> None:
        """
        :raises TimeoutError: the time is over.
        """
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        self._sock.settimeout(left)


class _TimedReader(io.RawIOBase):
    """
    :param allow: called before each reading.
    """

    def __init__(self, raw: io.RawIOBase, allow: Callable[[], None]) -> None:
        self._raw = raw
        self._allow = allow

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._allow()
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


def _has_ended(sock: socket.socket | None) -> bool:
    """Whether the server has closed a kept connection: then there is something to read, though nothing was asked."""
    if sock is None:
        return True
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(0))
