"""What answers at a path: a route or an action of a service, or a part of the node itself."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from junctor.core.spec import ActionSpec, RouteSpec
from junctor.errors import EncodeError, JunctorError
from junctor.http import problem
from junctor.http.asgi import Headers, Receive, Scope, header_value
from junctor.http.binding import Plan
from junctor.http.bodies import read_body
from junctor.http.hosting import Host
from junctor.http.problem import HttpError
from junctor.http.responses import of_value
from junctor.http.settings import HttpSettings
from junctor.http.trace import new_session, session_of, traceparent
from junctor.messages import Kind, session_text
from junctor.runtime.supervisor import is_cancelled

log = logging.getLogger("junctor.http")

Answer = tuple[int, Headers, bytes]
"""Status, headers and body, complete."""

Application = Callable[..., Awaitable[None]]
"""A response that sends itself, as an ASGI application: ours, Starlette's."""


class Endpoint(Protocol):
    """Answers requests. ``source`` names what it belongs to, for errors of composition."""

    source: str

    async def answer(self, scope: Scope, receive: Receive, values: list[str]) -> Answer | Application | None:
        """The answer, an ASGI response, or None when the client is gone. May raise any :class:`JunctorError`."""
        ...


class ServiceEndpoint:
    """A route or an action of a running service."""

    __slots__ = ("_blocking", "_host", "_kind", "_limit", "_name", "_plan", "_spec", "_status", "source")

    def __init__(self, host: Host, spec: RouteSpec | ActionSpec, plan: Plan, settings: HttpSettings) -> None:
        route = isinstance(spec, RouteSpec)
        self._host = host
        self._spec = spec
        self._plan = plan
        self._limit = settings.body
        self._name = spec.name
        self._blocking = spec.blocking
        self._kind = Kind.ROUTE if route else Kind.ACTION
        self._status = spec.status if isinstance(spec, RouteSpec) else 200
        self.source = f"{host.address}.{spec.name}"

    async def answer(self, scope: Scope, receive: Receive, values: list[str]) -> Answer | Application | None:
        headers: Headers = scope["headers"]
        body = b""
        if self._plan.body is not None:
            read = await read_body(receive, headers, self._limit)
            if read is None:
                return None
            body = read
        arguments = self._plan.bind(values, scope["query_string"], headers, body)
        given = header_value(headers, b"traceparent")
        caller = session_of(given) if given is not None else 0
        session = caller or new_session()
        made = await self._call(arguments, session)
        extra = [(b"junctor-session", b"%032x" % session)]
        if caller:
            extra.append((b"traceparent", traceparent(session).encode()))
        return _with_headers(made, extra)

    async def _call(self, arguments: dict[str, Any], session: int) -> Answer | Any:
        host = self._host
        try:
            entered = await host.enter(
                self._kind, self._name, host.bound(self._spec), self._blocking, (), arguments, session=session
            )
        except BaseException as error:
            if isinstance(error, asyncio.CancelledError) and is_cancelled():
                raise
            return self._explain(error, session)
        value = entered.value
        if hasattr(value, "raw_headers") and callable(value):
            return value
        try:
            return of_value(value, self._status)
        except EncodeError as error:
            log.error("%s returned what cannot be sent: %s (session %s)", self.source, error, session_text(session))
            refused = HttpError(error.what, status=500, code=error.code, where=self.source, fix=error.fix)
            return problem.of_error(refused, session)

    def _explain(self, error: BaseException, session: int) -> Answer:
        """The answer to an exception out of the service. Its text stays inside, unless it was meant for the caller."""
        refused = error if isinstance(error, HttpError) else _refusal_of(error)
        if refused is not None:
            return problem.of_error(refused, session)
        if isinstance(error, JunctorError):
            # What overload and stopping refuse is counted; a line for each would be a second overload.
            level = logging.DEBUG if error.status == 503 else logging.WARNING
            log.log(level, "%s: %s (session %s)", self.source, error, session_text(session))
            return problem.of_error(error, session)
        log.error("%s failed (session %s)", self.source, session_text(session), exc_info=error)
        return problem.of_failure(session)


class NodeEndpoint:
    """A part of the node itself: health, metrics, the index."""

    __slots__ = ("_make", "source")

    def __init__(self, source: str, make: Callable[[Scope], Answer]) -> None:
        self._make = make
        self.source = source

    async def answer(self, scope: Scope, receive: Receive, values: list[str]) -> Answer:
        return self._make(scope)


def _with_headers(made: Any, extra: Headers) -> Answer | Application:
    if type(made) is tuple:
        made[1].extend(extra)
    else:
        # A response object may be kept and returned again: its own list is replaced, not extended.
        made.raw_headers = [pair for pair in made.raw_headers if pair[0] != extra[0][0]] + extra
    return made  # type: ignore[no-any-return]


def _refusal_of(error: BaseException) -> HttpError | None:
    """An HTTP exception of Starlette or FastAPI, known by its attributes, raised in a route."""
    status, detail = getattr(error, "status_code", None), getattr(error, "detail", None)
    if isinstance(status, int) and 400 <= status < 600 and isinstance(detail, str):
        return HttpError(detail, status=status, code="handler")
    return None
