"""From a request to the arguments of a function. A plan is made once, when a route or action is attached; bad input
becomes one :class:`HttpError` that names every wrong parameter, never an exception of the function.
"""

from __future__ import annotations

from typing import Any

import msgspec

from junctor.core.spec import Call
from junctor.errors import ConfigurationError
from junctor.http.asgi import Headers
from junctor.http.paths import parse_path
from junctor.http.requests.annotations import Declared, declared_of, is_open, names_of, unreadable
from junctor.http.requests.bodies import JsonBody, RawBody
from junctor.http.requests.fields import Field, Wrong, field_of, put, refusal
from junctor.http.requests.forms import FormBody
from junctor.http.requests.query import parse_cookies, parse_query
from junctor.messages import codec

RequestBody = JsonBody | RawBody | FormBody
_INSTEAD = {
    "": "Use a dataclass, msgspec.Struct, attrs class, pydantic model, or plain types.",
    "UploadFile": "Use Upload of junctor.http.",
    "Request": "Use Request of junctor.http, or name what you need of it: Query, Header, Cookie, Form, Body, Upload.",
}
"""What to write for a class, by its name; people come from other frameworks."""
_IN_BODY = ("body", "raw", "form", "file")


class Plan:
    """How the arguments of one function come out of a request.

    ``body`` tells the caller whether, and how, the body has to be read; it enters the rest. ``request`` is the name of
    the parameter that takes all of the request, empty without one. ``declared`` are all parameters, for the
    documentation.
    """

    __slots__ = ("body", "cookies", "declared", "headers", "paths", "queries", "request")

    def __init__(self, declared: list[Declared], fields: list[Field], body: RequestBody | None) -> None:
        self.declared = declared
        self.paths = [field for field in fields if field.place == "path"]
        self.queries = [field for field in fields if field.place == "query"]
        self.headers = [field for field in fields if field.place == "header"]
        self.cookies = [field for field in fields if field.place == "cookie"]
        self.body = body
        self.request = next((one.name for one in declared if one.place == "request"), "")

    def bind(self, values: list[str], query: bytes, headers: Headers) -> dict[str, Any]:
        """The keyword arguments that do not come from the body.

        :raises HttpError: 422 with every wrong parameter, 400 for what cannot be read at all.
        """
        arguments: dict[str, Any] = {}
        wrong: Wrong = []
        for field in self.paths:
            put(arguments, field, [values[field.key]], wrong)
        if self.queries:
            given = parse_query(query) if query else {}
            for field in self.queries:
                put(arguments, field, given.get(field.key), wrong)
        for field in self.headers:
            put(arguments, field, [value.decode("latin-1") for key, value in headers if key == field.key], wrong)
        if self.cookies:
            given = parse_cookies(headers)
            for field in self.cookies:
                put(arguments, field, given.get(field.key), wrong)
        if wrong:
            raise refusal(wrong)
        return arguments


def plan_route(call: Call, path: str, method: str, where: str) -> Plan:
    """The plan of a route.

    :raises ConfigurationError: a parameter cannot come from a request, or a name of the path is no parameter.
    """
    in_path = [name for kind, name in parse_path(path) if kind]
    declared = declared_of(call, in_path, where)
    missing = [name for name in in_path if name not in {one.name for one in declared}]
    if missing or len(set(in_path)) < len(in_path):
        names = ", ".join(missing or in_path)
        raise ConfigurationError(
            f"the path {path} names {names}, and the function has no such parameter of its own",
            where=where,
            fix=f"Give the function a parameter for each name in braces: {{{names}}}.",
        )
    fields = [_field(one, in_path) for one in declared if one.place not in (*_IN_BODY, "request")]
    bodies = [one for one in declared if one.place in _IN_BODY]
    _check_types(declared, where)
    if bodies and any(one.place == "request" for one in declared):
        what = f"{bodies[0].name} would come from the body, which the Request has already"
        raise ConfigurationError(what, where=where, fix="Read it from the request, or leave the Request out.")
    if bodies and method in ("GET", "HEAD"):
        raise ConfigurationError(
            f"{bodies[0].name}: {names_of(bodies[0].type)} would come from the body, which a {method} request has not",
            where=where,
            fix="Use @post, or take single values from the query.",
        )
    return Plan(declared, fields, _body(bodies, where))


def plan_action(call: Call, where: str) -> Plan:
    """The plan of an action: a JSON object with its parameters by name, or with the fields of its only one.

    :raises ConfigurationError: a parameter has a type that JSON cannot be read into.
    """
    declared = declared_of(call, [], where)
    for one in declared:
        if one.place == "file":
            raise ConfigurationError(
                f"{one.name}: an action takes JSON, no file", where=where, fix="Use @post for uploads."
            )
        if one.place == "request":
            what = f"{one.name}: an action may be called without HTTP, and has no request then"
            raise ConfigurationError(what, where=where, fix="Use a route: @post, or @route for several methods.")
    _check_types(declared, where)
    bodies = [msgspec.structs.replace(one, place="body") for one in declared]
    if is_open(call):
        return Plan(bodies, [], JsonBody(bodies, as_object=True, is_open=True))
    return Plan(bodies, [], _body(bodies, where, always_object=not (len(bodies) == 1 and bodies[0].is_object)))


def _check_types(declared: list[Declared], where: str) -> None:
    """Refuse types that cannot be read when the route is attached, and not at its first request."""
    for one in declared:
        if one.place in ("file", "request"):
            continue
        cls = unreadable(one.type)
        if cls is not None:
            raise ConfigurationError(
                f"{one.name}: a {cls.__qualname__} cannot be read from a request",
                where=where,
                fix=_INSTEAD.get(cls.__name__, _INSTEAD[""]),
            )
        codec.coders(one.type)


def _body(bodies: list[Declared], where: str, *, always_object: bool = False) -> RequestBody | None:
    if not bodies:
        return None
    if len(bodies) == 1 and bodies[0].place == "raw":
        return RawBody(bodies[0].name)
    if any(one.place == "raw" for one in bodies):
        raise ConfigurationError("a function takes the body either as bytes or as typed parameters", where=where)
    if any(one.place in ("form", "file") for one in bodies):
        return FormBody(bodies)
    return JsonBody(bodies, as_object=always_object or len(bodies) > 1)


def _field(one: Declared, in_path: list[str]) -> Field:
    if one.place == "path":
        return field_of(one, in_path.index(one.name))
    if one.place == "header":
        return field_of(one, one.key.encode())
    return field_of(one)
