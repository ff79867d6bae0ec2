"""The ASGI application of a listener: which endpoint answers, and what becomes of everything that goes wrong."""

from __future__ import annotations

import asyncio
import logging

from junctor.errors import JunctorError, NotRunning, named
from junctor.http import problem
from junctor.http.access.cors import sharing_of, with_headers
from junctor.http.access.guard import Guard, Page
from junctor.http.answers.responses import checked, send_whole
from junctor.http.asgi import WHOLE, Headers, Receive, Scope, Send, header_value
from junctor.http.endpoints import Answer, Application, Endpoint
from junctor.http.hosting import Host
from junctor.http.paths import ANY, entry_for
from junctor.http.problem import HttpError
from junctor.http.routes import METHODS, Routes
from junctor.http.settings import HttpSettings
from junctor.http.sockets import WEBSOCKET, SocketEndpoint, Sockets, upgrade_needed
from junctor.runtime.supervisor import in_task

log = logging.getLogger("junctor.http")

HTTP = HttpSettings()

COUNTED = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", WEBSOCKET})


class Site:
    """Everything that one listener answers.

    :param guard: who may talk to it.

    ``requests`` counts answers by method and hundreds of the status. ``live`` are its WebSockets.
    """

    def __init__(self, *, guard: Guard | None = None, routes: Routes | None = None) -> None:
        self.live = Sockets()
        self.guard = guard or Guard(loopback=True)
        self.routes = routes or Routes(live=self.live)
        self.requests: dict[tuple[str, int], int] = {}

    def attach(self, host: Host, settings: HttpSettings = HTTP) -> None:
        """Open the routes, actions and WebSockets of a service as the ``http`` section of its flow says.

        :raises ConfigurationError: a path is reserved, unreadable or taken; nothing of the service is open then.
        """
        self.routes.attach(host, settings)
        self.guard.shares = self.routes.shares

    def detach(self, host: Host) -> None:
        """Close them. Requests that run go on; WebSockets are closed, and their clients told to come again."""
        self.routes.detach(host)
        self.live.close(host)

    def change(self, guard: Guard, routes: Routes) -> None:
        """Answer by another table from now on. Requests that run end where they began."""
        self.guard, self.routes = guard, routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "websocket":
                await self._open_socket(scope, receive, send)
            return
        method: str = scope["method"]
        try:
            page = self.guard.check(method, scope["headers"])
            if page is None:
                answer = await self._answer(method, scope, receive)
            else:
                answer = await self._answer_page(page, method, scope, receive)
        except JunctorError as error:
            answer = self.routes.refusal(error, method, scope["path"], scope["raw_path"])
        except BaseException as error:  # noqa: BLE001 - a cancelled one too ends here
            answer = _failed(error, method, scope)
        if answer is not None:
            await self._send(method, answer, scope, receive, send)

    async def _answer(self, method: str, scope: Scope, receive: Receive) -> Answer | Application | None:
        entries, values = self.routes.find(scope["path"], scope["raw_path"])
        endpoint = entries.get(method)
        if endpoint is None:
            endpoint = entry_for(entries, method)
            if endpoint is None:
                return _not_allowed(method, scope["path"], entries)
        return await endpoint.answer(scope, receive, values)

    async def _answer_page(
        self, page: Page, method: str, scope: Scope, receive: Receive
    ) -> Answer | Application | None:
        """The same for a request that a page sent, so that what its browser must know comes with every answer."""
        headers: Headers = scope["headers"]
        entries, _ = self.routes.find(scope["path"], scope["raw_path"])
        wanted = header_value(headers, b"access-control-request-method") if method == "OPTIONS" else None
        sent = wanted.decode("latin-1") if wanted is not None else method
        sharing = sharing_of(entry_for(entries, sent))
        if wanted is not None and sharing is not None:
            known = {*entries, *(METHODS if ANY in entries else ())} - {ANY, WEBSOCKET}
            return sharing.preflight(page.origin, sent, sorted(known), headers)
        page.check(method, sharing)
        try:
            answer = await self._answer(method, scope, receive)
        except JunctorError as error:
            answer = self.routes.refusal(error, method, scope["path"], scope["raw_path"])
        if answer is None or sharing is None or not page.origin:
            return answer
        return with_headers(answer, sharing.headers(page.origin, method))

    async def _open_socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            page = self.guard.check(WEBSOCKET, scope["headers"])
            entries, values = self.routes.find(scope["path"], scope["raw_path"])
            endpoint = entries.get(WEBSOCKET)
            if not isinstance(endpoint, SocketEndpoint):
                raise HttpError(f"there is no WebSocket at {ascii(scope['path'][:200])}", status=404, code="not-found")
            await endpoint.serve(page, scope, receive, send, values, lambda: self._count(WEBSOCKET, 101))
        except JunctorError as error:
            status, headers, body = problem.of_error(error)
            self._count(WEBSOCKET, status)
            await send({"type": "websocket.http.response.start", "status": status, "headers": headers})
            await send({"type": "websocket.http.response.body", "body": body})

    async def _send(
        self, method: str, answer: Answer | Application, scope: Scope, receive: Receive, send: Send
    ) -> None:
        if type(answer) is tuple:
            status, headers, body = answer
            self._count(method, status)
            whole = scope.get(WHOLE)
            if whole is not None:
                await whole(status, headers, body)
            else:
                await send_whole(send, status, headers, body)
        else:
            try:
                self._count(method, checked(answer.status_code, 200))  # type: ignore[union-attr]
                await in_task()
                await answer(scope, receive, send)  # type: ignore[operator]
            except Exception as error:
                # The server ends the connection, and is silent about the reason.
                log.error("%s %s: the answer broke off", method, ascii(scope["path"]), exc_info=error)
                raise

    def _count(self, method: str, status: int) -> None:
        key = (method if method in COUNTED else "OTHER", status // 100)
        self.requests[key] = self.requests.get(key, 0) + 1


def _failed(error: BaseException, method: str, scope: Scope) -> Answer:
    if isinstance(error, asyncio.CancelledError):
        # The listener stops and its grace is over. The client learns it; the task ends here anyway.
        return problem.of_error(NotRunning("the node is stopping"))
    if not isinstance(error, Exception):
        raise error
    log.error("%s %s: %s", method, ascii(scope["path"]), named(error), exc_info=error)
    return problem.of_failure(0)


def _not_allowed(method: str, path: str, entries: dict[str, Endpoint]) -> Answer:
    methods = entries.keys() - {WEBSOCKET}
    if not methods:
        raise upgrade_needed(path)
    allowed = {*methods, "OPTIONS", *(("HEAD",) if "GET" in entries else ())}
    allow = (b"allow", ", ".join(sorted(allowed)).encode())
    if method == "OPTIONS":
        headers: Headers = [allow]
        return 204, headers, b""
    raise HttpError(
        f"{ascii(path)} does not take {method}",
        status=405,
        code="method",
        fix=f"Use {' or '.join(sorted(methods))}.",
        headers=(allow,),
    )
