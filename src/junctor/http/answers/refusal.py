"""An application that refuses one request."""

from __future__ import annotations

from junctor.http.answers.responses import send_whole
from junctor.http.asgi import Receive, Scope, Send
from junctor.http.problem import HttpError, of_error


class Refusal:
    """Answers with the error and closes the connection, for requests that a protocol lets nobody see."""

    def __init__(self, error: HttpError) -> None:
        self._error = error

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        status, headers, body = of_error(self._error)
        await send_whole(send, status, [*headers, (b"connection", b"close")], body)
