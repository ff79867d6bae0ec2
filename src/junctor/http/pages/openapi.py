"""``/openapi.json``: everything that the services of a listener answer, as an OpenAPI 3.1 document.

WebSockets, for which OpenAPI has no words, are in its extension ``x-websockets``: by path, with the types of the
messages both ways. Health and metrics are not in it: their readers know where they are and what they say.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from junctor.core.facade import RouteBehind
from junctor.core.spec import RouteSpec, SocketSpec
from junctor.http.answers.responses import JSON, Response
from junctor.http.answers.streams import Event
from junctor.http.asgi import Scope
from junctor.http.endpoints import Answer, NodeEndpoint, ServiceEndpoint
from junctor.http.pages.schemas import Schemas, described, is_optional, plain, present
from junctor.http.paths import ANY
from junctor.http.problem import Problem
from junctor.http.requests.annotations import Declared, bare, is_many, returned, streamed
from junctor.http.requests.binding import Plan
from junctor.http.requests.bodies import JsonBody, RawBody
from junctor.http.requests.forms import FormBody
from junctor.http.routes import METHODS, Opened, Routes

_WHERE = ("path", "query", "header", "cookie")
_BINARY = {"type": "string", "format": "binary"}
_DEPRECATED = re.compile(r"^\.\. deprecated::.*(?:\n[ \t]+.*)*", re.MULTILINE)
_IDEMPOTENCY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
    "description": "The same in each repetition of a request: it is carried out once, and answered as the first time.",
}
_SECURITY = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "A key of the node in `Authorization: Bearer`."},
    "key": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "A key of the node."},
}


def open_openapi(
    routes: Routes,
    described: Iterable[Opened] | None = None,
    *,
    title: str = "Junctor",
    version: str = "",
    server: str = "",
) -> None:
    """Open ``/openapi.json``. The document is made when it is first asked for, and again when services come or go.

    :param described: whose entries it tells; those of ``routes`` by default. Another listener's for administration.
    :param title: a name for what runs here, of the flow or node.
    :param version: the version of Junctor.
    :param server: the address where the entries answer, when it is not the one that this page comes from.
    """
    document = Document(described if described is not None else _Own(routes), title, version, server)
    routes.build_in("/openapi.json", NodeEndpoint("openapi", document.answer))


class _Own:
    """All entries of one table."""

    def __init__(self, routes: Routes) -> None:
        self._routes = routes

    def __iter__(self) -> Iterator[Opened]:
        return iter([*self._routes, *self._routes.sockets])


class Document:
    """The document of one table of routes, kept until the table changes."""

    def __init__(self, routes: Iterable[Opened], title: str, version: str, server: str) -> None:
        self._routes = routes
        self._info = {"title": title, "version": version or "0"}
        self._server = server or "/"
        self._of: tuple[list[Opened], list[Any]] = [], []
        self._made = b""

    def answer(self, scope: Scope) -> Answer:
        opened = list(self._routes)
        behind = [_behind(one) for one in opened]
        if not self._made or (opened, behind) != self._of:
            self._made = msgspec.json.encode(document_of(opened, self._info, self._server))
            self._of = opened, behind
        return 200, [JSON, (b"cache-control", b"no-cache")], self._made


def document_of(opened: Iterable[Opened], info: dict[str, str], server: str = "/") -> dict[str, Any]:
    """The document for these entries."""
    shown = [one for one in opened if one.settings.docs is not False]
    services = (one for one in shown if isinstance(one.endpoint, ServiceEndpoint))
    entries = [each for one in services for told in _each(one) for each in _by_method(told)]
    schemas = Schemas()
    problem = {"application/problem+json": {"schema": schemas.of(Problem)}}
    sockets = [one for one in shown if isinstance(one.spec, SocketSpec)]
    names = _Names(entries, sockets)
    paths: dict[str, Any] = {}
    for one in entries:
        operation = _operation(one, schemas, names)
        paths.setdefault(one.path.replace(":path}", "}"), {})[one.method.lower()] = operation
    live = {one.path.replace(":path}", "}"): _socket(one, schemas, names) for one in sockets}
    components: dict[str, Any] = {
        "schemas": schemas.fill(),
        "responses": {
            "Problem": {"description": "What is wrong, and what to do about it.", "content": problem},
            "Unfit": {"description": "A parameter or the body does not fit its type.", "content": problem},
        },
    }
    if any(one.settings.keys for one in (*entries, *sockets)):
        components["securitySchemes"] = _SECURITY
    document = {"openapi": "3.1.0", "info": info, "servers": [{"url": server}], "paths": paths}
    extra = {"x-websockets": live} if live else {}
    return {**document, **extra, "tags": names.tags(), "components": components}


def _behind(one: Opened) -> Sequence[RouteBehind] | None:
    """The routes for which an entry stands; None for one that stands for itself."""
    facade = one.spec.facade if isinstance(one.spec, RouteSpec) else None
    return None if facade is None else facade.routes()


def _each(one: Opened) -> Iterator[Opened]:
    """An entry, or those for which it stands."""
    behind = _behind(one)
    for route in () if behind is None else behind:
        spec = msgspec.structs.replace(one.spec, name=route.name, doc=route.doc)
        path = one.settings.path + route.path
        yield msgspec.structs.replace(one, method=route.method, path=path, spec=spec, plan=_plan(route))
    if behind is None:
        yield one


def _plan(route: RouteBehind) -> Plan:
    declared = [Declared(name, kind, "path", name, True) for name, kind in route.values]
    declared += [Declared(name, str, "query", name, False) for name in route.queries]
    body = Declared("body", Any, "body", "body", False)
    return Plan(declared, [], JsonBody([body], as_object=False) if route.takes_body else None)


def _by_method(one: Opened) -> list[Opened]:
    """An entry for any method is told once for each."""
    return [msgspec.structs.replace(one, method=each) for each in sorted(METHODS)] if one.method == ANY else [one]


class _Names:
    """Names of services and operations, each unique in its document and the same whatever else comes or goes, as long
    as no other flow has a service of this name."""

    def __init__(self, entries: list[Opened], sockets: list[Opened]) -> None:
        self._hosts = {one.host.address: one.host for one in (*entries, *sockets)}
        services = [host.service for host in self._hosts.values()]
        self._shared = {name for name in services if services.count(name) > 1}
        self._taken: set[str] = set()

    def tag(self, one: Opened) -> str:
        return one.host.address if one.host.service in self._shared else one.host.service

    def operation(self, one: Opened) -> str:
        made = base = re.sub(r"\W+", "_", f"{self.tag(one)}_{one.spec.name}")
        if made in self._taken:
            made = base = f"{base}_{one.method.lower()}"
        number = 1
        while made in self._taken:
            number += 1
            made = f"{base}_{number}"
        self._taken.add(made)
        return made

    def tags(self) -> list[dict[str, str]]:
        found = []
        for address, host in self._hosts.items():
            name = address if host.service in self._shared else host.service
            found.append({"name": name, **({"description": host.spec.doc.strip()} if host.spec.doc.strip() else {})})
        return found


def _said(one: Opened) -> dict[str, Any]:
    """What its author says about an entry."""
    doc = inspect.cleandoc(one.spec.doc)
    summary, _, text = _DEPRECATED.sub("", doc).strip().partition("\n")
    made: dict[str, Any] = {"summary": summary or one.spec.name.replace("_", " ")}
    if text.strip():
        made["description"] = text.strip()
    if _DEPRECATED.search(doc) or hasattr(one.spec.signature, "__deprecated__"):
        made["deprecated"] = True
    if one.settings.keys:
        made["security"] = [{"bearer": []}, {"key": []}]
    return made


def _operation(one: Opened, schemas: Schemas, names: _Names) -> dict[str, Any]:
    body = _body(one.plan.body, schemas)
    status = str(one.spec.status) if isinstance(one.spec, RouteSpec) else "200"
    made: dict[str, Any] = {
        "operationId": names.operation(one),
        "tags": [names.tag(one)],
        **_said(one),
        "parameters": _parameters(one, schemas),
        "responses": {**_answers(one, status, schemas), **_refusals(one)},
    }
    if body is not None:
        made["requestBody"] = body
    return made


def _refusals(one: Opened) -> dict[str, Any]:
    if isinstance(one.spec, RouteSpec) and one.spec.facade is not None:
        return {"default": {"description": "What is wrong.", "content": {"application/json": {}}}}
    unfit = {"422": {"$ref": "#/components/responses/Unfit"}} if one.plan.declared else {}
    return {**unfit, "default": {"$ref": "#/components/responses/Problem"}}


def _socket(one: Opened, schemas: Schemas, names: _Names) -> dict[str, Any]:
    """A WebSocket: ``receives`` is what a client sends, ``sends`` what it gets."""
    assert isinstance(one.spec, SocketSpec)
    both = {"receives": one.spec.accepts, "sends": one.spec.sends}
    return {
        "operationId": names.operation(one),
        "tags": [names.tag(one)],
        **_said(one),
        "parameters": _parameters(one, schemas),
        **{word: schemas.of(present(kind)) for word, kind in both.items() if kind not in (None, type(None))},
    }


def _parameters(one: Opened, schemas: Schemas) -> list[dict[str, Any]]:
    made = [_parameter(field, schemas) for field in one.plan.declared if field.place in _WHERE]
    own = any(each["in"] == "header" and each["name"].lower() == "idempotency-key" for each in made)
    return [*made, _IDEMPOTENCY] if one.repeatable and not own else made


def _parameter(one: Declared, schemas: Schemas) -> dict[str, Any]:
    default: dict[str, Any] = {"minItems": 1} if one.required and is_many(one.type) else {}
    if not one.required and plain(one.default) is not None:
        default["default"] = plain(one.default)
    made: dict[str, Any] = {
        "name": one.key,
        "in": one.place,
        "required": one.required or one.place == "path",
        "schema": schemas.of(present(one.type), **default),
    }
    if described(one.type):
        made["description"] = described(one.type)
    return made


# Bodies ---------------------------------------------------------------------------------------------------------


def _body(body: Any, schemas: Schemas) -> dict[str, Any] | None:
    if body is None:
        return None
    if isinstance(body, RawBody):
        return {"required": False, "content": {"application/octet-stream": {"schema": _BINARY}}}
    if isinstance(body, FormBody):
        schema = _form(body, schemas)
        required = any(one.required for one in body.declared)
        return {"required": required, "content": {kind: {"schema": schema} for kind in body.kinds}}
    assert isinstance(body, JsonBody)
    schema = schemas.of(body.kind) if body.kind is not None else _object(body.declared, schemas, body.is_open)
    return {"required": body.required, "content": {"application/json": {"schema": schema}}}


def _object(declared: list[Declared], schemas: Schemas, is_open: bool = False) -> dict[str, Any]:
    made: dict[str, Any] = {
        "type": "object",
        "properties": {one.name: _property(one, schemas) for one in declared},
        "required": [one.name for one in declared if one.required],
    }
    return made if is_open else {**made, "additionalProperties": False}


def _property(one: Declared, schemas: Schemas) -> dict[str, Any]:
    default = {} if one.required or plain(one.default) is None else {"default": plain(one.default)}
    return schemas.of(one.type, **default)


def _form(body: FormBody, schemas: Schemas) -> dict[str, Any]:
    """Fields and files as one object; a class with fields gives its own."""
    models = [one for one in body.declared if one.place == "form" and one.is_object]
    others = [one for one in body.declared if one not in models]
    parts = [schemas.of(bare(one.type)) for one in models]
    if not others:
        return parts[0] if len(parts) == 1 else {"allOf": parts}
    own = {
        "type": "object",
        "properties": {one.key: _form_field(one, schemas) for one in others},
        "required": [one.key for one in others if one.required],
    }
    return {"allOf": [*parts, own]} if parts else own


def _form_field(one: Declared, schemas: Schemas) -> dict[str, Any]:
    if one.place != "file":
        return _property(msgspec.structs.replace(one, type=present(one.type)), schemas)
    many = bool(getattr(bare(one.type), "__args__", ()))
    some = {"minItems": 1} if one.required else {}
    return {"type": "array", "items": _BINARY, **some} if many else dict(_BINARY)


# Answers --------------------------------------------------------------------------------------------------------


def _answers(one: Opened, status: str, schemas: Schemas) -> dict[str, Any]:
    """The answers that are no errors, by status."""
    kind = returned(one.spec.signature)
    item = streamed(one.spec.signature)
    if item is None and isinstance(one.spec, RouteSpec) and one.spec.streams:
        item = Any
    if item is not None:
        return {status: {"description": "A stream.", "content": _stream(item, schemas)}}
    nothing = {"204" if status == "200" else status: {"description": "Done, with nothing to say."}}
    if kind is None or kind is type(None):
        return nothing
    if _is_response(kind):
        return {range_: {"description": "As the service says.", "content": {"*/*": {}}} for range_ in ("2XX", "3XX")}
    good = {"description": "The answer.", "content": _content(kind, schemas)}
    if kind is Any:
        return {"204": {"description": "Nothing to say."}, "2XX": good, "3XX": good}
    return {**(nothing if is_optional(kind) else {}), status: good}


def _is_response(kind: Any) -> bool:
    makes = ("raw_headers", "render")  # ours, and those of Starlette
    return isinstance(kind, type) and (issubclass(kind, Response) or any(hasattr(kind, name) for name in makes))


def _content(kind: Any, schemas: Schemas) -> dict[str, Any]:
    if kind is Any:
        return {"*/*": {}}
    if bare(kind) is bytes:
        return {"application/octet-stream": {"schema": _BINARY}}
    return {"application/json": {"schema": schemas.of(present(kind))}}


def _stream(item: Any, schemas: Schemas) -> dict[str, Any]:
    if item in (bytes, bytearray, memoryview):
        return {"application/octet-stream": {"schema": _BINARY}}
    if item is str:
        return {"text/plain": {"schema": {"type": "string"}}}
    if item is Any:
        return {"*/*": {}}
    value, kinds = item, ["application/x-ndjson", "text/event-stream"]
    if item is Event or getattr(item, "__origin__", None) is Event:
        value = (getattr(item, "__args__", ()) or (Any,))[0]
        kinds.reverse()
    # A schema of the whole text: each line, or the data of each event, is a value of the type named beside it.
    return {kind: {"schema": {"type": "string"}, "x-item": schemas.of(value)} for kind in kinds}
