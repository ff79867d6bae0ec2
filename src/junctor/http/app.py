"""The ASGI application of a listener: which endpoint answers, and what becomes of everything that goes wrong."""

from __future__ import annotations

import asyncio
import logging

from junctor.errors import JunctorError, NotRunning
from junctor.http import problem
from junctor.http.asgi import Headers, Receive, Scope, Send
from junctor.http.endpoints import Answer, Application, Endpoint
from junctor.http.guard import Guard
from junctor.http.hosting import Host
from junctor.http.problem import HttpError
from junctor.http.responses import send_whole
from junctor.http.routes import Routes
from junctor.http.settings import HttpSettings

log = logging.getLogger("junctor.http")

HTTP = HttpSettings()

COUNTED = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Site:
    """Everything that one listener answers.

    :param guard: who may talk to it.

    ``requests`` counts answers by method and hundreds of the status.
    """

    def __init__(self, *, guard: Guard | None = None) -> None:
        self.guard = guard or Guard(loopback=True)
        self.routes = Routes()
        self.requests: dict[tuple[str, int], int] = {}

    def attach(self, host: Host, settings: HttpSettings = HTTP) -> None:
        """Open the routes and actions of a service as the ``http`` section of its flow says.

        :raises ConfigurationError: a path is reserved, unreadable or taken; nothing of the service is open then.
        """
        self.routes.attach(host, settings)

    def detach(self, host: Host) -> None:
        """Close them. Requests that run go on."""
        self.routes.detach(host)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        method: str = scope["method"]
        try:
            answer = await self._answer(method, scope, receive)
        except JunctorError as error:
            answer = problem.of_error(error)
        except asyncio.CancelledError:
            # The listener stops and its grace is over. The client learns it; the task ends here anyway.
            answer = problem.of_error(NotRunning("the node is stopping"))
        except Exception:
            log.exception("%s %s failed", method, ascii(scope["path"]))
            answer = problem.of_failure(0)
        if answer is not None:
            await self._send(method, answer, scope, receive, send)

    async def _answer(self, method: str, scope: Scope, receive: Receive) -> Answer | Application | None:
        self.guard.check(method, scope["headers"])
        entries, values = self.routes.find(scope["path"], scope["raw_path"])
        endpoint = entries.get(method)
        if endpoint is None:
            endpoint = entries.get("GET") if method == "HEAD" else None
            if endpoint is None:
                return _not_allowed(method, scope["path"], entries)
        return await endpoint.answer(scope, receive, values)

    async def _send(
        self, method: str, answer: Answer | Application, scope: Scope, receive: Receive, send: Send
    ) -> None:
        if type(answer) is tuple:
            status, headers, body = answer
            self._count(method, status)
            await send_whole(send, status, headers, body)
        else:
            self._count(method, answer.status_code)  # type: ignore[union-attr]
            await answer(scope, receive, send)  # type: ignore[operator]

    def _count(self, method: str, status: int) -> None:
        key = (method if method in COUNTED else "OTHER", status // 100)
        self.requests[key] = self.requests.get(key, 0) + 1


def _not_allowed(method: str, path: str, entries: dict[str, Endpoint]) -> Answer:
    allowed = {*entries, "OPTIONS", *(("HEAD",) if "GET" in entries else ())}
    allow = (b"allow", ", ".join(sorted(allowed)).encode())
    if method == "OPTIONS":
        headers: Headers = [allow]
        return 204, headers, b""
    raise HttpError(
        f"{ascii(path)} does not take {method}",
        status=405,
        code="method",
        fix=f"Use {' or '.join(sorted(entries))}.",
        headers=(allow,),
    )
