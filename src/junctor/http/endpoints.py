"""What answers at a path: a route or an action of a service, or a part of the node itself."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from copy import copy
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol
from weakref import WeakKeyDictionary

from junctor.core.recording import records_hop
from junctor.core.spec import ActionSpec, Call, RouteSpec
from junctor.errors import EncodeError, JunctorError, QueueFull, named, text_of
from junctor.http import problem
from junctor.http.answers.declared import classes_of
from junctor.http.answers.responses import Response, of_value
from junctor.http.asgi import PROMPT, Headers, Receive, Scope, Send, header_value
from junctor.http.hosting import Entered, Host
from junctor.http.problem import HttpError
from junctor.http.promptness import Prompts
from junctor.http.requests.annotations import returned, streamed
from junctor.http.requests.binding import Plan
from junctor.http.requests.bodies import read_body
from junctor.http.requests.forms import FormBody
from junctor.http.requests.request import request_of
from junctor.http.settings import HttpSettings
from junctor.http.trace import new_session, session_of, traceparent
from junctor.messages import Kind, session_text, type_name
from junctor.observe.hidden import unquoted
from junctor.runtime.supervisor import in_task, is_cancelled

if TYPE_CHECKING:
    from junctor.http.answers.streams import Framing, Stream

log = logging.getLogger("junctor.http")

Answer = tuple[int, Headers, bytes]
"""Status, headers and body, complete."""

Application = Callable[..., Awaitable[None]]
"""A response that sends itself, as an ASGI application: ours, Starlette's."""


MAX_UPLOADS = 64
"""Forms that one route reads at once: what they hold on disk is bounded by it and by the limit of each."""
# What answers come through is not to keep them back.
_SAFE = ("GET", "HEAD")
"""Methods that may be called twice (RFC 9110, 9.2.1), as an adaptive route is when it turns out to wait."""
_LIVE = ((b"cache-control", b"no-cache"), (b"x-accel-buffering", b"no"))


# By service and not by endpoint: a listener may go over to other endpoints while a service goes on.
_streams: WeakKeyDictionary[Host, set[Stream]] = WeakKeyDictionary()


class Endpoint(Protocol):
    """Answers requests. ``source`` names what it belongs to, for errors of composition."""

    source: str

    def answer(self, scope: Scope, receive: Receive, values: list[str], /) -> Awaitable[Answer | Application | None]:
        """The answer, an ASGI response, or None when the client is gone. May raise any :class:`JunctorError`."""
        ...


class ServiceEndpoint:
    """A route or an action of a running service.

    ``plan`` makes its arguments, ``settings`` are those of its flow. ``answer`` is settled at the start: what a route
    does not use costs its requests nothing.
    """

    __slots__ = (
        "_blocking",
        "_declared",
        "_enter",
        "_exact",
        "_facade",
        "_host",
        "_item",
        "_kind",
        "_name",
        "_prompt",
        "_spec",
        "_status",
        "_uploading",
        "answer",
        "plan",
        "settings",
        "source",
    )

    def __init__(self, host: Host, spec: RouteSpec | ActionSpec, plan: Plan, settings: HttpSettings) -> None:
        self._host = host
        self._spec = spec
        self.plan = plan
        self.settings = settings
        self._name = spec.name
        self._blocking = spec.blocking
        adaptive = isinstance(spec, RouteSpec) and spec.adaptive and host.spec.isolation == "node"
        self._prompt = Prompts() if adaptive and spec.blocking else None
        self._kind = Kind.ROUTE if isinstance(spec, RouteSpec) else Kind.ACTION
        self._status = spec.status if isinstance(spec, RouteSpec) else 200
        self._facade = spec.facade if isinstance(spec, RouteSpec) else None
        self._item = streamed(spec.signature)
        self._enter = self._generate if isinstance(spec, RouteSpec) and spec.streams else self._call
        self._declared = self._checked_result()
        # One class is compared first: the way of nearly every request.
        self._exact = self._declared[0] if self._declared else None
        self._uploading = 0
        self.source = f"{host.address}.{spec.name}"
        self.answer: Callable[[Scope, Receive, list[str]], Awaitable[Answer | Application | None]] = self._plain
        if plan.request:
            self.answer = self._with_request
        elif isinstance(plan.body, FormBody):
            self.answer = self._with_form
        elif plan.body is not None:
            self.answer = self._with_body

    def _checked_result(self) -> tuple[type, ...] | None:
        """The classes of which a route's result must be; None where anything may come."""
        if not isinstance(self._spec, RouteSpec) or self._spec.streams or self._item is not None:
            return None
        return classes_of(returned(self._spec.signature))

    async def _plain(self, scope: Scope, receive: Receive, values: list[str]) -> Answer | Application | None:
        headers: Headers = scope["headers"]
        arguments = self.plan.bind(values, scope["query_string"], headers)
        return await self._respond(scope, headers, arguments)

    async def _with_body(self, scope: Scope, receive: Receive, values: list[str]) -> Answer | Application | None:
        headers: Headers = scope["headers"]
        body: Any = self.plan.body
        given = await body.read(receive, headers, self.settings)
        if given is None:
            return None
        arguments = self.plan.bind(values, scope["query_string"], headers)
        body.put(arguments, given, self.settings)
        return await self._respond(scope, headers, arguments)

    async def _with_request(self, scope: Scope, receive: Receive, values: list[str]) -> Answer | Application | None:
        headers: Headers = scope["headers"]
        given = await read_body(receive, headers, self.settings.body)
        if given is None:
            return None
        arguments = self.plan.bind(values, scope["query_string"], headers)
        arguments[self.plan.request] = request_of(scope, given)
        return await self._respond(scope, headers, arguments)

    async def _with_form(self, scope: Scope, receive: Receive, values: list[str]) -> Answer | Application | None:
        headers: Headers = scope["headers"]
        body: Any = self.plan.body
        # Before the files come: nobody should wait for an upload to hear of a wrong parameter.
        arguments = self.plan.bind(values, scope["query_string"], headers)
        if self._uploading >= MAX_UPLOADS:
            raise QueueFull(f"{MAX_UPLOADS} forms are read already", where=self.source, fix="Send it again.")
        self._uploading += 1
        try:
            parts = await body.read(receive, headers, self.settings)
        finally:
            self._uploading -= 1
        if parts is None:
            return None
        try:
            body.put(arguments, parts, self.settings)
            made = await self._respond(scope, headers, arguments)
        except BaseException:
            parts.close()
            raise
        if isinstance(made, tuple):
            parts.close()
            return made
        return _Closing(made, parts.close)

    async def _respond(self, scope: Scope, headers: Headers, arguments: dict[str, Any]) -> Answer | Application:
        given = header_value(headers, b"traceparent")
        caller = session_of(given) if given is not None else 0
        named = self._facade.session(scope["query_string"], headers) if self._facade is not None else 0
        session = caller or named or new_session()
        made: Any = await self._enter(scope, arguments, session)
        extra = [(b"junctor-session", b"%032x" % session)]
        if caller:
            extra.append((b"traceparent", traceparent(session).encode()))
        return _with_headers(made, extra)

    async def _call(self, scope: Scope, arguments: dict[str, Any], session: int) -> Answer | Any:
        host = self._host
        entered: Entered | None = None
        try:
            call = host.bound(self._spec)
            if self._prompt is not None and scope["method"] in _SAFE:
                prompt = self._prompt.of(call, arguments)
                if prompt.on_loop:
                    entered = host.enter_now(self._kind, self._name, prompt.now(call), arguments, session)
                    if entered is not None:
                        scope[PROMPT] = True
                call = prompt.timed(call)
            if entered is None:
                entered = await host.enter(self._kind, self._name, call, self._blocking, (), arguments, session=session)
        except BaseException as error:
            if isinstance(error, asyncio.CancelledError) and is_cancelled():
                raise
            return self._explain(error, session)
        value = entered.value
        if type(value) is Response:
            return value.whole()
        if hasattr(value, "raw_headers") and callable(value):
            return copy(value)  # it may be kept and returned again: each request has headers of its own
        if type(value) is not self._exact and self._declared is not None and not isinstance(value, self._declared):
            return self._mismatch(value, session)
        try:
            return of_value(value, self._status)
        except EncodeError as error:
            if hasattr(value, "__anext__") or hasattr(value, "__next__") or hasattr(value, "framing"):
                return await self._stream_of(value, scope, session)
            return self._unsendable(error, session)

    def _mismatch(self, value: Any, session: int) -> Answer:
        declared = type_name(returned(self._spec.signature))
        fix = "Return what the annotation says, or correct the annotation."
        what = f"the route declares {declared} and returned {type(value).__qualname__}"
        return self._unsendable(EncodeError(what, fix=fix), session)

    def _unsendable(self, error: EncodeError, session: int) -> Answer:
        log.error("%s returned what cannot be sent: %s (session %s)", self.source, error, session_text(session))
        refused = HttpError(error.what, status=500, code=error.code, where=self.source, fix=error.fix)
        return problem.of_error(refused, session)

    async def _generate(self, scope: Scope, arguments: dict[str, Any], session: int) -> Any:
        """A generator function: all of it is one call."""

        def make(**arguments: Any) -> Any:
            return self._host.bound(self._spec)(**arguments)

        return await self._stream(scope, make, arguments, session, self._blocking, None)

    async def _stream_of(self, value: Any, scope: Scope, session: int) -> Any:
        """An iterator that a function returned: it runs as a call of its own."""
        content = getattr(value, "content", value)
        blocking = not hasattr(content, "__anext__")
        made = await self._stream(scope, lambda: content, {}, session, blocking, getattr(value, "framing", None))
        if scope["method"] == "HEAD" and hasattr(content, "close"):
            content.close()
        if content is not value and type(made) is not tuple:
            made.status_code, made.raw_headers = value.status_code, [*made.raw_headers, *value.raw_headers]
        return made

    async def _stream(
        self, scope: Scope, make: Call, arguments: dict[str, Any], session: int, blocking: bool, framing: Framing | None
    ) -> Any:
        from junctor.http.answers.streams import HeadersOnly, Stream, framing_of

        await in_task()
        headers: Headers = scope["headers"]
        framing = framing or framing_of(Any if self._item is None else self._item, headers)
        if scope["method"] == "HEAD":
            return HeadersOnly(self._status, framing)
        running = _streams.setdefault(self._host, set())
        stream = Stream(self.source, framing, headers, partial(self._explain, session=session), running.discard)

        def enter(feed: Call) -> Awaitable[Any]:
            return self._host.enter(
                self._kind, self._name, feed, blocking, (), arguments, session=session, lasting=True
            )

        running.add(stream)
        if not await stream.begin(enter, make, blocking):
            assert stream.error is not None
            return self._explain(stream.error, session)
        stream.status_code = self._status
        stream.raw_headers = [(b"content-type", stream.media_type), *(_LIVE if stream.events else ())]
        return stream

    def _explain(self, error: BaseException, session: int) -> Answer:
        """The answer to an exception out of the service. Its text stays inside, unless it was meant for the caller.

        One with a :class:`Response` in its attribute ``response`` has been told of and brings its answer: it only says
        that the call failed.
        """
        brought = getattr(error, "response", None)
        if type(brought) is Response:
            return brought.whole()
        refused = error if isinstance(error, HttpError) else _refusal_of(error)
        if refused is not None:
            return self._refusal(refused, session)
        if isinstance(error, JunctorError):
            # What overload and stopping refuse is counted; a line for each would be a second overload.
            level = logging.DEBUG if error.status == 503 else logging.WARNING
            log.log(level, "%s: %s (session %s)", self.source, text_of(error), session_text(session))
            # What is no refusal tells of the inside: files, settings, other services.
            if error.status != 500:
                return self._refusal(error, session)
            return problem.of_failure(session, error.code, recorded=self._recorded)
        log.error("%s: %s (session %s)", self.source, named(error), session_text(session), exc_info=error)
        return problem.of_failure(session, recorded=self._recorded)

    def _refusal(self, error: JunctorError, session: int) -> Answer:
        return problem.of_error(error, session) if self._facade is None else self._facade.refusal(error)

    @property
    def _recorded(self) -> bool:
        """Whether a call that failed can be found by its session."""
        return records_hop(self._host.spec.policies.trace, failed=True)


def end_streams(host: Host) -> None:
    """End what a service streams: it stops, or the node does."""
    for stream in tuple(_streams.get(host, ())):
        stream.end()


class _Closing:
    """A response that sends itself, and what is to be closed behind it."""

    def __init__(self, inner: Any, close: Callable[[], None]) -> None:
        self._inner = inner
        self._close = close
        self.status_code: int = inner.status_code

    @property
    def raw_headers(self) -> Headers:
        found: Headers = self._inner.raw_headers
        return found

    @raw_headers.setter
    def raw_headers(self, headers: Headers) -> None:
        self._inner.raw_headers = headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._inner(scope, receive, send)
        finally:
            self._close()


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
        # Its list may be that of an object which is returned again: replaced, not extended.
        made.raw_headers = [pair for pair in made.raw_headers if pair[0] != extra[0][0]] + extra
    return made  # type: ignore[no-any-return]


def _refusal_of(error: BaseException) -> HttpError | None:
    """An HTTP exception of Starlette or FastAPI, known by its attributes, raised in a route."""
    status, detail = getattr(error, "status_code", None), getattr(error, "detail", None)
    if isinstance(status, int) and 400 <= status < 600 and isinstance(detail, str):
        return HttpError(unquoted(detail, error), status=status, code="handler")
    return None
