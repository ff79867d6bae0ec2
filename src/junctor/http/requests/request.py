"""A request as a whole, for routes that stand for many: a proxy, a webhook with a signature, the application of another
framework."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

import msgspec

from junctor.http.asgi import Headers, Scope
from junctor.http.problem import HttpError


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """All of a request. A parameter of this type gets it::

        @route("/legacy/{rest:path}", methods="*")
        async def legacy(self, request: Request, rest: str) -> Response: ...

    ``path`` is decoded, ``query`` is not and has no question mark. ``headers`` are as they came, names in small
    letters; :meth:`header` looks one up. ``client`` is the address and port of whoever asked, as far as it is known.
    ``scheme`` is "http" or "https".
    """

    method: str
    path: str
    query: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    client: tuple[str, int] | None = None
    scheme: str = "http"

    def header(self, name: str, default: str = "") -> str:
        """The first header of this name, in whatever case."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key == wanted), default)

    @property
    def queries(self) -> dict[str, list[str]]:
        """The values of the query by name."""
        found: dict[str, list[str]] = {}
        for name, value in parse_qsl(self.query, keep_blank_values=True):
            found.setdefault(name, []).append(value)
        return found

    def json(self) -> Any:
        """The body, read as JSON.

        :raises HttpError: 400, it is none.
        """
        try:
            return msgspec.json.decode(self.body)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise HttpError(f"the body is not JSON: {error}", code="json") from None


def request_of(scope: Scope, body: bytes) -> Request:
    """The request of an ASGI scope whose body has been read."""
    headers: Headers = scope["headers"]
    client = scope.get("client")
    return Request(
        method=scope["method"],
        path=scope["path"],
        query=scope["query_string"].decode("latin-1"),
        headers=tuple([(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]),
        body=body,
        client=None if client is None else (str(client[0]), int(client[1])),
        scheme=scope.get("scheme", "http"),
    )
