"""HTTP to a flow under test: in the process, without a socket, through everything else that a request goes through."""

from __future__ import annotations

import json
import mimetypes
import secrets
from collections.abc import Mapping, MutableMapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import msgspec

from junctor.http.app import Site
from junctor.messages import codec

if TYPE_CHECKING:
    from junctor.http.asgi import Headers
    from junctor.node.node import Node
    from junctor.testing._plant import RunningFlow

__tracebackhide__ = True  # of pytest: a failure is shown where the test is


NO_BODY: Any = object()

FileGiven = bytes | tuple[str, bytes] | tuple[str, bytes, str]


class Response(msgspec.Struct, frozen=True):
    """An answer. Names of ``headers`` are in small letters; of several with one name the last counts."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    def json(self) -> Any:
        """The body as JSON values."""
        return json.loads(self.body)


class HttpClient:
    """``plant.http``: the routes and actions of the flow under test, at their own paths."""

    def __init__(self, plant: RunningFlow) -> None:
        self._plant = plant
        self._site: Site | None = None
        self._of: Node | None = None

    async def get(self, path: str, **more: Any) -> Response:
        """See :meth:`request`."""
        return await self.request("GET", path, **more)

    async def post(self, path: str, **more: Any) -> Response:
        """See :meth:`request`."""
        return await self.request("POST", path, **more)

    async def put(self, path: str, **more: Any) -> Response:
        """See :meth:`request`."""
        return await self.request("PUT", path, **more)

    async def patch(self, path: str, **more: Any) -> Response:
        """See :meth:`request`."""
        return await self.request("PATCH", path, **more)

    async def delete(self, path: str, **more: Any) -> Response:
        """See :meth:`request`."""
        return await self.request("DELETE", path, **more)

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = NO_BODY,
        body: bytes = b"",
        form: Mapping[str, Any] | None = None,
        files: Mapping[str, FileGiven] | None = None,
        headers: Mapping[str, str] | None = None,
        within: float | str = 0,
    ) -> Response:
        """Ask the flow and answer what it says, whatever the status.

        :param params: of the query; lists are repeated.
        :param json: the body as values, dataclasses and the like.
        :param form: fields of a form; lists are repeated.
        :param files: of a form, by field: bytes, ``(name, bytes)`` or ``(name, bytes, media type)``. The body is
            ``multipart/form-data`` then, with the fields of ``form``.
        :param within: how much time may pass until the answer.
        :raises TypeError: two kinds of body are given.
        """
        data, kind = _content(json, body, form, files)
        sent = {"host": "localhost", "content-length": str(len(data)), "user-agent": "junctor.testing"}
        if kind:
            sent["content-type"] = kind
        sent |= {name.lower(): value for name, value in (headers or {}).items()}
        scope = _scope(method.upper(), path, params or {}, sent)
        answer: Response = await self._plant.driven(_exchange(self._opened(), scope, data), within)
        await self._plant.idle()
        return answer

    def _opened(self) -> Site:
        if self._site is None or self._of is not self._plant.node:  # restart() made another one
            self._site, self._of = self._plant.site(), self._plant.node
        return self._site


def _content(
    json: Any, body: bytes, form: Mapping[str, Any] | None, files: Mapping[str, FileGiven] | None
) -> tuple[bytes, str]:
    """The body and its media type, empty where the caller says it in the headers or there is none."""
    kinds = [json is not NO_BODY, bool(body), form is not None or files is not None]
    if sum(kinds) > 1:
        raise TypeError("a request has one body: json=, body=, or form= and files=")
    if json is not NO_BODY:
        return codec.encode(json), "application/json"
    if files is not None:
        return _multipart(form or {}, files)
    if form is not None:
        return urlencode(form, doseq=True).encode(), "application/x-www-form-urlencoded"
    return body, ""


def _multipart(form: Mapping[str, Any], files: Mapping[str, FileGiven]) -> tuple[bytes, str]:
    """RFC 7578, with names as browsers write them."""
    parts: list[tuple[str, bytes]] = []
    for name, value in form.items():
        values = value if isinstance(value, list | tuple) else [value]
        parts += [(f'name="{_quoted(name)}"', str(one).encode()) for one in values]
    for name, given in files.items():
        file, data, *kind = (name, given) if isinstance(given, bytes) else given
        media = kind[0] if kind else mimetypes.guess_type(file)[0] or "application/octet-stream"
        parts.append((f'name="{_quoted(name)}"; filename="{_quoted(file)}"\r\nContent-Type: {media}', data))
    boundary = secrets.token_hex(16)
    whole = b"".join(
        f"--{boundary}\r\nContent-Disposition: form-data; {head}\r\n\r\n".encode() + data + b"\r\n"
        for head, data in parts
    )
    return whole + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


def _quoted(name: str) -> str:
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")


def _scope(method: str, path: str, params: Mapping[str, Any], headers: Mapping[str, str]) -> MutableMapping[str, Any]:
    plain, _, query = path.partition("?")
    more = urlencode(params, doseq=True)
    raw: Headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "scheme": "http",
        "method": method,
        "path": plain,
        "raw_path": quote(plain, safe="/%:@!$&'()*+,;=~-._").encode(),
        "query_string": "&".join(part for part in (query, more) if part).encode(),
        "root_path": "",
        "headers": raw,
        "client": ("127.0.0.1", 0),
        "server": ("127.0.0.1", 0),
        "extensions": {},
    }


async def _exchange(site: Site, scope: MutableMapping[str, Any], data: bytes) -> Response:
    begun: dict[str, Any] = {"status": 500, "headers": []}
    parts: list[bytes] = []
    given = False

    async def receive() -> MutableMapping[str, Any]:
        nonlocal given
        if given:
            return {"type": "http.disconnect"}
        given = True
        return {"type": "http.request", "body": data, "more_body": False}

    async def send(event: MutableMapping[str, Any]) -> None:
        if event["type"] == "http.response.start":
            begun.update(event)
        elif event["type"] == "http.response.body":
            parts.append(event.get("body", b""))

    await site(scope, receive, send)
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in begun["headers"]}
    return Response(begun["status"], headers, b"".join(parts))
