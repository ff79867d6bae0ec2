"""``/openapi.json``: everything that the services of a listener answer, as an OpenAPI 3.1 document."""

from __future__ import annotations

from typing import Any

import msgspec

from junctor.http.asgi import Scope
from junctor.http.endpoints import Answer, NodeEndpoint
from junctor.http.responses import JSON
from junctor.http.routes import Opened, Routes


def open_openapi(
    routes: Routes, described: Routes | None = None, *, title: str = "Junctor", version: str = "", server: str = ""
) -> None:
    """Open ``/openapi.json``. The document is made when it is first asked for, and again when services come or go.

    :param described: whose entries it tells; those of ``routes`` by default. Another listener's for administration.
    :param title: a name for what runs here, of the flow or node.
    :param version: the version of Junctor.
    :param server: the address where the entries answer, when it is not the one that this page comes from.
    """
    document = Document(described if described is not None else routes, title, version, server)
    routes.build_in("/openapi.json", NodeEndpoint("openapi", document.answer))


class Document:
    """The document of one table of routes, kept until the table changes."""

    def __init__(self, routes: Routes, title: str, version: str, server: str) -> None:
        self._routes = routes
        self._info = {"title": title, "version": version or "0"}
        self._server = server
        self._of: list[Opened] = []
        self._made = b""

    def answer(self, scope: Scope) -> Answer:
        opened = list(self._routes)
        if not self._made or opened != self._of:
            self._made = msgspec.json.encode(self._build(opened))
            self._of = opened
        return 200, [JSON], self._made

    def _build(self, opened: list[Opened]) -> dict[str, Any]:
        paths: dict[str, Any] = {}
        for one in opened:
            operation = {"operationId": f"{one.host.service}_{one.spec.name}", "responses": {"200": {"description": ""}}}
            paths.setdefault(one.path.replace(":path}", "}"), {})[one.method.lower()] = operation
        return {"openapi": "3.1.0", "info": self._info, "servers": [{"url": self._server or "/"}], "paths": paths}
