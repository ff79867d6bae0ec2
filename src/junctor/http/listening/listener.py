"""A listener: one address on which a node answers HTTP. uvicorn serves, on the node's own loop."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
import time
from collections.abc import Awaitable, Callable, Coroutine
from email.utils import formatdate
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Protocol

from junctor import forks
from junctor.errors import ConfigurationError, PortInUse
from junctor.http.access.guard import is_loopback
from junctor.http.asgi import Receive, Scope, Send
from junctor.http.listening.limits import Limits
from junctor.http.settings import Tls

if TYPE_CHECKING:
    import ssl

    from uvicorn import Config
    from uvicorn.server import ServerState

    from junctor.http.listening.handshakes import Handshakes

log = logging.getLogger("junctor.http")

Application = Callable[[Scope, Receive, Send], Awaitable[None]]
BACKLOG = 2048
_POLL = 0.01


class Spawn(Protocol):
    """Starts work under the runtime's supervision; the handle can be cancelled."""

    def __call__(self, name: str, work: Coroutine[Any, Any, Any], /) -> asyncio.Task[Any]: ...


class Listener:
    """Listens on one address from :meth:`start` to :meth:`stop`.

    :param app: the ASGI application that answers.
    :param spawn: starts the listener's housekeeping under supervision.
    :param host: a name or address of this machine; anything but loopback is announced.
    :param port: 0 takes a free one, see :attr:`port` after the start.
    :param tls: serve HTTPS with these files.
    :param protected: whether callers need a key or a certificate; it is told where others are told too.
    :param sockets: answer WebSockets too.
    """

    def __init__(
        self,
        app: Application,
        *,
        spawn: Spawn,
        host: str = "127.0.0.1",
        port: int = 0,
        limits: Limits | None = None,
        tls: Tls | None = None,
        protected: bool = False,
        sockets: bool = False,
    ) -> None:
        self.host = host
        self.port = port
        self.tls = tls
        self.protected = protected
        self._app = app
        self._spawn = spawn
        self._limits = limits or Limits()
        self.sockets = sockets
        self._config: Config | None = None
        self._server: asyncio.Server | None = None
        self._handshakes: Handshakes | None = None
        self._state: ServerState | None = None
        self._tick: asyncio.Task[Any] | None = None
        self._file = -1

    @property
    def url(self) -> str:
        """The address to open on this machine."""
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self.host, self.host)
        scheme = "https" if self.tls is not None else "http"
        return f"{scheme}://{f'[{host}]' if ':' in host and not host.startswith('[') else host}:{self.port}"

    @property
    def connections(self) -> int:
        """How many clients are connected."""
        return len(self._state.connections) if self._state is not None else 0

    async def start(self) -> None:
        """Listen. When it returns, requests are answered.

        :raises PortInUse: another process listens there.
        :raises ConfigurationError: the address is not one of this machine's, the port is not allowed, or a file of TLS
            cannot be used.
        """
        context = self._context(self.tls)
        bound = bind(self.host, self.port)
        self.port = bound.getsockname()[1]
        self._config = config = _configuration(self._app, self._limits)
        make, self._state = _connections(config)
        self._file = bound.fileno()
        forks.close_in_children(self._file)
        self._refresh()
        self._set(self._limits, self.sockets)
        if context is None:
            self._server = await asyncio.get_running_loop().create_server(make, sock=bound, backlog=BACKLOG)
        else:
            from junctor.http.listening.handshakes import Handshakes

            self._handshakes = Handshakes(bound, make, context, self._limits, self._spawn)
            self._handshakes.start()
        self._tick = self._spawn(f"http listener {self.port}", self._keep_house())
        self._announce()

    def prepare(self, tls: Tls | None) -> ssl.SSLContext | None:
        """The first half of a change: read the files of TLS again.

        :raises ConfigurationError: one cannot be used.
        """
        return self._context(tls) if tls is not None else None

    def change(self, limits: Limits, tls: Tls | None, context: ssl.SSLContext | None, *, sockets: bool) -> None:
        """The second half, which cannot fail. Connections stay; new ones get what is new.

        :param tls: the files that ``context`` was made of by :meth:`prepare`.
        """
        self.sockets = sockets
        self._set(limits, sockets)
        if self._handshakes is not None and context is not None:
            self.tls = tls
            self._handshakes.context, self._handshakes.limits = context, limits

    def _set(self, limits: Limits, sockets: bool) -> None:
        config = self._config
        assert config is not None
        self._limits = limits
        protocol: Any = config.http_protocol_class
        protocol.limits = limits
        config.timeout_keep_alive = limits.keep_alive  # type: ignore[assignment]
        config.h11_max_incomplete_event_size = limits.head
        config.ws_max_size = limits.message
        config.ws_ping_interval = config.ws_ping_timeout = limits.ping
        if sockets:
            from junctor.http.listening.upgrade import bounded_socket

            config.ws_protocol_class = bounded_socket(limits)

    def _context(self, tls: Tls | None) -> ssl.SSLContext | None:
        if tls is None:
            return None
        from junctor.http.listening.tls import context_of

        return context_of(tls)

    async def stop(self, grace: float = 8.0) -> None:
        """Take no new requests, give those that run up to ``grace`` seconds, and close every connection. Idempotent."""
        if self._tick is None or self._state is None:
            return
        self._tick.cancel()
        self._tick = None
        forks.forget(self._file)
        if self._server is not None:
            self._server.close()
        if self._handshakes is not None:
            self._handshakes.stop()
        for connection in list(self._state.connections):
            connection.shutdown()
        await self._drain(grace)
        await self._cut(grace)

    async def _drain(self, grace: float) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + grace
        # uvicorn tells nobody of a closed connection
        while (self.connections or self._busy) and loop.time() < until:  # noqa: ASYNC110
            await asyncio.sleep(_POLL)

    @property
    def _busy(self) -> bool:
        return bool(self._state is not None and self._state.tasks)

    async def _cut(self, grace: float) -> None:
        assert self._state is not None
        if self._state.tasks:
            log.warning("%d requests ran longer than the %g s of grace, they are cut", len(self._state.tasks), grace)
        for task in list(self._state.tasks):
            task.cancel()
        await asyncio.sleep(_POLL)  # one moment for the answers of those that were cancelled
        for connection in list(self._state.connections):
            if connection.transport is not None:
                connection.transport.abort()
        await asyncio.sleep(0)

    async def _keep_house(self) -> None:
        while True:
            await asyncio.sleep(min(1.0, self._limits.receive / 4, self._limits.keep_alive / 4))
            self._refresh()
            now = asyncio.get_running_loop().time()
            for connection in list(self._state.connections if self._state else ()):
                sweep = getattr(connection, "sweep", None)
                if sweep is not None:
                    sweep(now)

    def _refresh(self) -> None:
        if self._state is not None:
            self._state.default_headers = [(b"date", formatdate(time.time(), usegmt=True).encode())]

    def _announce(self) -> None:
        if is_loopback(self.host):
            log.info("listens on %s", self.url)
            return
        means = "callers need a key or a certificate" if self.protected else "without a password"
        plain = "" if self.tls is not None else ", not encrypted"
        log.warning("listens on %s:%d: reachable from other machines, %s%s", self.host, self.port, means, plain)


def bind(host: str, port: int) -> socket.socket:
    """A listening socket, so that a port in use is known before anything else starts.

    :raises PortInUse: another process listens there.
    :raises ConfigurationError: the address or port cannot be used on this machine.
    """
    family, address = _resolve(host, port)
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if host == "::" else 1)
        made.bind(address)
        made.listen(BACKLOG)
        made.setblocking(False)
    except OSError as error:
        made.close()
        raise _bind_error(error, host, port) from error
    return made


def _resolve(host: str, port: int) -> tuple[int, tuple[Any, ...]]:
    if not 0 <= port <= 65535:
        raise ConfigurationError(f"{port} is not a port", where="http.port", fix="Give a number from 0 to 65535.")
    try:
        found = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise ConfigurationError(
            f"{host!r} is not an address of this machine: {error}", where="http.host", fix="Use for example 127.0.0.1."
        ) from error
    # `localhost` may name both; most clients try IPv4 first or as well.
    found.sort(key=lambda one: one[0] != socket.AF_INET)
    return found[0][0], found[0][4]


def _bind_error(error: OSError, host: str, port: int) -> Exception:
    if error.errno == errno.EADDRINUSE:
        return PortInUse(f"port {port} is in use", where=f"http {host}:{port}")
    if error.errno in (errno.EACCES, errno.EPERM):
        return ConfigurationError(
            f"this user may not listen on port {port}", where="http.port", fix="Use a port from 1024 on, with --port."
        )
    return ConfigurationError(
        f"cannot listen on {host}:{port}: {error.strerror}", where="http.host", fix="Use for example 127.0.0.1."
    )


def _configuration(app: Application, limits: Limits) -> Config:
    from uvicorn import Config

    # Its words about every malformed request are noise that strangers can make; what matters we log ourselves.
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    config = Config(
        app,
        loop="none",
        http=_protocol(limits),
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        # What one request leaves in the context must not be found by the next one of its connection.
        reset_contextvars=True,
        ws_per_message_deflate=False,
    )
    config.load()
    return config


def _protocol(limits: Limits) -> Any:
    """Where there is no wheel of httptools, h11 serves: slower, and within the same limits."""
    if find_spec("httptools") is None:
        from junctor.http.listening.plain import plain

        return plain(limits)
    from junctor.http.listening.protocol import bounded

    return bounded(limits)


def _connections(config: Config) -> tuple[Callable[[], asyncio.Protocol], ServerState]:
    from uvicorn.server import ServerState

    state = ServerState()

    def make() -> asyncio.Protocol:
        protocol: Any = config.http_protocol_class
        made: asyncio.Protocol = protocol(config=config, server_state=state, app_state={})
        return made

    return make, state
