"""WebSockets: from a handshake to the method of a service, and from its values to messages.

The handshake passes the same checks as a request: host, origin, key, parameters. Then the method runs for as long as
the client stays, as the first hop of a session.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from junctor.core.hop import Asking, asking
from junctor.core.spec import Call, SocketSpec
from junctor.errors import EncodeError, JunctorError, QueueFull, named, text_of
from junctor.http.access.cors import Sharing
from junctor.http.access.keys import SUBPROTOCOL, Keys, key_in, key_offered
from junctor.http.asgi import Receive, Scope, Send, header_value
from junctor.http.endpoints import Answer
from junctor.http.hosting import Host
from junctor.http.problem import HttpError
from junctor.http.requests.binding import Plan, plan_route
from junctor.http.requests.bodies import too_deep
from junctor.http.settings import HttpSettings
from junctor.http.trace import new_session, session_of
from junctor.messages import codec, session_text
from junctor.messages.sensitive import sensitive_paths
from junctor.observe.hidden import Hidden, unquoted
from junctor.observe.secrets import mask
from junctor.runtime.supervisor import is_cancelled
from junctor.services.socket import Socket, SocketClosed

if TYPE_CHECKING:
    from junctor.http.access.guard import Page

log = logging.getLogger("junctor.http")

T = TypeVar("T")

WEBSOCKET = "WEBSOCKET"
"""Stands for the method where routes are looked up and counted."""

LEAVE = 2.0
"""Seconds that a method has to end when its client has gone; then it is cancelled."""

_REASON = 123
"""Bytes of the longest reason that a close frame carries."""

_NOT_TAKEN, _UNFIT, _REFUSED, _FAILED = 1003, 1007, 1008, 1011


class Sockets:
    """The WebSockets of one listener. ``limit`` bounds their number."""

    def __init__(self, limit: int = 500) -> None:
        self.limit = limit
        self._open: dict[Connection, Host] = {}

    def __len__(self) -> int:
        return len(self._open)

    def enter(self, connection: Connection, host: Host) -> None:
        """:raises QueueFull: there are as many as the listener takes."""
        if len(self._open) >= self.limit:
            raise QueueFull(
                f"{self.limit} WebSockets are open already",
                where=host.address,
                fix="Come again later, or raise `http: {limits: {sockets: ...}}` of the flow.",
            )
        self._open[connection] = host

    def leave(self, connection: Connection) -> None:
        self._open.pop(connection, None)

    def close(self, host: Host) -> None:
        """The service stops or starts again: its clients are told to come again (1012)."""
        for connection in [one for one, of in self._open.items() if of is host]:
            connection.shut()


class Connection(Socket[Any, Any]):
    """A client. Its methods may also be called from a service's own loop; they run on the node's."""

    def __init__(self, spec: SocketSpec, depth: int, scope: Scope, receive: Receive, send: Send) -> None:
        self._loop = asyncio.get_running_loop()
        self._accepts = spec.accepts
        self._depth = depth
        self._decode = codec.coders(spec.accepts)[1]
        self._receive, self._send = receive, send
        self._protocol: Any = scope["junctor.protocol"]
        self._protocol.deaf = spec.accepts is None
        self._protocol.on_lost = self._lost
        self._then: list[Callable[[], object]] = []
        self._open = self._receives = False
        self._ended = False
        self._task = asyncio.current_task()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def is_open(self) -> bool:
        return self._open

    async def accept(self, subprotocol: str | None, session: int) -> None:
        """Answer the handshake."""
        await self._receive()
        if self._ended:
            raise SocketClosed("the client has gone")
        headers = [(b"junctor-session", b"%032x" % session)]
        await self._send({"type": "websocket.accept", "subprotocol": subprotocol, "headers": headers})
        self._open = self._receives = True

    async def send(self, value: Any) -> None:
        if type(value) is bytes:
            event = {"type": "websocket.send", "bytes": value}
        else:
            event = {"type": "websocket.send", "text": codec.encode(value).decode()}
        await self._here(self._emit(event))

    async def receive(self) -> Any:
        return await self._here(self._next())

    async def close(self, code: int = 1000, reason: str = "") -> None:
        if not (code in (1000, 1001, 1008, 1011, 1012, 1013) or 3000 <= code <= 4999):
            raise ValueError(f"{code} is no code to close with; use 1000, or one of your own from 4000 to 4999")
        await self._here(self._close(code, reason))

    def when_closed(self, then: Callable[[], object]) -> None:
        if self._ended:
            then()
        else:
            self._then.append(then)

    def shut(self) -> None:
        """Close it because its service ends (1012)."""
        self._protocol.shutdown()

    def end(self) -> None:
        """The method has returned."""
        if self._timer is not None:
            self._timer.cancel()
        self._protocol.on_lost = None

    async def finish(self, code: int, reason: str = "") -> None:
        """Close it, if it is open, whatever state it is in."""
        with contextlib.suppress(SocketClosed, RuntimeError):
            await self._close(code, reason)

    async def _here(self, work: Awaitable[T]) -> T:
        if asyncio.get_running_loop() is self._loop:
            return await work
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))  # type: ignore[arg-type]

    async def _emit(self, event: dict[str, Any]) -> None:
        if not self._open:
            raise SocketClosed("the connection is closed")
        try:
            await self._send(event)
        except (OSError, RuntimeError):
            self._open = False
            raise SocketClosed("the client has gone") from None

    async def _next(self) -> Any:
        # What came before the client left is received, also when it has left meanwhile.
        if not self._receives:
            raise SocketClosed("the connection is closed")
        event = await self._receive()
        if event["type"] != "websocket.receive":
            self._open = self._receives = False
            raise SocketClosed("the client has gone")
        try:
            return self._read(event.get("text"), event.get("bytes"))
        except _Unfit as unfit:
            await self._close(unfit.close_code, unfit.reason)
            raise SocketClosed(unfit.reason) from None

    async def _close(self, code: int, reason: str) -> None:
        self._receives = False
        if not self._open:
            return
        self._open = False
        with contextlib.suppress(OSError):
            await self._send({"type": "websocket.close", "code": code, "reason": _short(mask(reason))})

    def _read(self, text: str | None, data: bytes | None) -> Any:
        kind = self._accepts
        if kind is bytes:
            if data is None:
                raise _Unfit(_NOT_TAKEN, "binary messages are expected here")
            return data
        if text is None:
            if kind is Any:
                return data
            raise _Unfit(_NOT_TAKEN, "JSON in text messages is expected here")
        raw = text.encode()
        if too_deep(raw, self._depth):
            raise _Unfit(_UNFIT, "the JSON is nested too deeply")
        try:
            return self._decode(raw)
        except (JunctorError, msgspec.MsgspecError, ValueError, TypeError, RecursionError) as error:
            raise _Unfit(_UNFIT, Hidden(raw, sensitive_paths(kind)).mask(_reason(error))) from None

    def _lost(self) -> None:
        self._open = False
        self._ended = True
        for then in self._then:
            then()
        if self._task is not None and not self._task.done():
            self._timer = self._loop.call_later(LEAVE, self._task.cancel)


class _Unfit(Exception):
    """A message that is not what the method takes."""

    def __init__(self, close_code: int, reason: str) -> None:
        super().__init__(reason)
        self.close_code = close_code
        self.reason = reason


class SocketEndpoint:
    """A WebSocket of a running service."""

    __slots__ = ("_depth", "_host", "_keys", "_live", "_spec", "plan", "sharing", "source")

    def __init__(
        self,
        host: Host,
        spec: SocketSpec,
        path: str,
        live: Sockets,
        settings: HttpSettings,
        keys: Keys | None,
        sharing: Sharing | None,
    ) -> None:
        self._host = host
        self._spec = spec
        self._depth = settings.depth
        self._live = live
        self._keys = keys
        self.sharing = sharing
        self.source = f"{host.address}.{spec.name}"
        self.plan = plan_socket(spec, path, self.source)

    async def answer(self, scope: Scope, receive: Receive, values: list[str]) -> Answer:
        """A plain request to this path: never found by its method, unless a client makes the method up."""
        raise upgrade_needed(scope["path"])

    async def serve(
        self,
        page: Page | None,
        scope: Scope,
        receive: Receive,
        send: Send,
        values: list[str],
        accepted: Callable[[], object],
    ) -> None:
        """Run the method for one client.

        :param accepted: called when the handshake is answered.
        :raises JunctorError: the client is not admitted; nothing has been answered then.
        """
        headers = scope["headers"]
        if page is not None:
            page.check(WEBSOCKET, self.sharing)
        offered = scope.get("subprotocols") or []
        if self._keys is not None:
            await self._keys.admit(scope, key_in(headers) or key_offered(offered))
        arguments = self.plan.bind(values, scope["query_string"], headers)
        given = header_value(headers, b"traceparent")
        session = (session_of(given) if given is not None else 0) or new_session()
        connection = Connection(self._spec, self._depth, scope, receive, send)
        connection.caller = (asking.get() or Asking()).caller
        self._live.enter(connection, self._host)
        try:
            chosen = SUBPROTOCOL if SUBPROTOCOL in offered else None
            await self._run(connection, arguments, chosen, session, accepted)
        finally:
            self._live.leave(connection)
            connection.end()

    async def _run(
        self,
        connection: Connection,
        arguments: dict[str, Any],
        chosen: str | None,
        session: int,
        accepted: Callable[[], object],
    ) -> None:
        spec = self._spec
        is_accepted = False

        async def accept() -> None:
            nonlocal is_accepted
            await connection.accept(chosen, session)
            is_accepted = True
            accepted()

        try:
            await self._host.stay(
                spec.name,
                self._host.bound(spec),
                {**arguments, spec.socket: connection},
                accept,
                session=session,
            )
        except SocketClosed:
            return
        except BaseException as error:
            if not is_accepted or (isinstance(error, asyncio.CancelledError) and is_cancelled()):
                await connection.finish(1001, "the node stops")
                if isinstance(error, JunctorError):
                    raise
                return
            await self._explain(connection, error, session)
        else:
            await connection.finish(1000)

    async def _explain(self, connection: Connection, error: BaseException, session: int) -> None:
        """Close with what the client may know of an exception; the rest is in the log."""
        if isinstance(error, HttpError) and error.http_status < 500:
            await connection.finish(_REFUSED, unquoted(error.what, error))
            return
        log.error("%s: %s (session %s)", self.source, named(error), session_text(session), exc_info=error)
        reason = text_of(error) if isinstance(error, EncodeError) else "the service failed"
        await connection.finish(_FAILED, f"{reason}; session {session_text(session)}")


def plan_socket(spec: SocketSpec, path: str, where: str) -> Plan:
    """How the other parameters of the method come out of the handshake.

    :raises ConfigurationError: as :func:`~junctor.http.requests.binding.plan_route`.
    """
    return plan_route(_without(spec.signature, spec.socket), path, "GET", where)


def _without(call: Call, name: str) -> Call:
    signature = inspect.signature(call)

    def handshake(**given: Any) -> None: ...

    kept = [parameter for key, parameter in signature.parameters.items() if key != name]
    handshake.__signature__ = signature.replace(parameters=kept, return_annotation=None)  # type: ignore[attr-defined]
    handshake.__annotations__ = {parameter.name: parameter.annotation for parameter in kept}
    handshake.__module__ = call.__module__
    return handshake


def upgrade_needed(path: str) -> HttpError:
    """426, for a plain request to a WebSocket."""
    return HttpError(
        f"{ascii(path)} is a WebSocket",
        status=426,
        code="websocket",
        fix="Open it with a WebSocket client: ws://HOST:PORT/PATH.",
        headers=((b"upgrade", b"websocket"), (b"connection", b"Upgrade")),
    )


def _reason(error: Exception) -> str:
    if type(error) is msgspec.DecodeError:
        return f"the message is not JSON: {error}"
    found = codec.decode_error(error, "", "")
    reason = found.what.partition(": ")[2].replace("`", "")
    return f"message{(found.where or '').strip()}: {reason[:1].lower()}{reason[1:]}"


def _short(reason: str) -> str:
    return reason.encode("utf-8", "replace")[:_REASON].decode("utf-8", "ignore")
