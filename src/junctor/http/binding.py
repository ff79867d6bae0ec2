"""From a request to the arguments of a function. A plan is made once, when a route or action is attached; bad input
becomes one :class:`HttpError` that names every wrong parameter, never an exception of the function.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec

from junctor.core.spec import Call
from junctor.errors import ConfigurationError
from junctor.http.annotations import Declared, declared_of, is_many, is_open, mentions_float, names_of, unreadable
from junctor.http.asgi import Headers
from junctor.http.bodies import JsonBody, RawBody
from junctor.http.paths import parse_path
from junctor.http.problem import HttpError
from junctor.http.query import parse_query
from junctor.messages import codec

Convert = Callable[[Any], Any]
_MISSING: Any = inspect.Parameter.empty


class Field(msgspec.Struct, frozen=True):
    """One parameter that is read from text: ``key`` is its name in the request, or its index in the path.

    ``many`` takes every value of a repeated name. ``convert`` None leaves the text as it is.
    """

    name: str
    place: str
    key: Any
    expects: str
    convert: Convert | None
    required: bool
    many: bool = False


class Plan:
    """How the arguments of one function come out of a request.

    ``body`` tells the caller whether, and how, the body has to be read.
    """

    __slots__ = ("body", "fields", "paths", "queries")

    def __init__(self, fields: list[Field], body: JsonBody | RawBody | None) -> None:
        self.paths = [field for field in fields if field.place == "path"]
        self.queries = [field for field in fields if field.place == "query"]
        self.fields = [field for field in fields if field.place == "header"]
        self.body = body

    def bind(self, values: list[str], query: bytes, headers: Headers, body: bytes) -> dict[str, Any]:
        """The keyword arguments.

        :raises HttpError: 422 with every wrong parameter, 400 for what cannot be read at all, 415 for another type.
        """
        arguments: dict[str, Any] = {}
        wrong: list[dict[str, str]] = []
        for field in self.paths:
            _put(arguments, field, [values[field.key]], wrong)
        if self.queries:
            given = parse_query(query) if query else {}
            for field in self.queries:
                _put(arguments, field, given.get(field.key), wrong)
        for field in self.fields:
            found = [value.decode("latin-1") for key, value in headers if key == field.key]
            _put(arguments, field, found, wrong)
        if wrong:
            raise _refusal(wrong)
        if self.body is not None:
            self.body.put(arguments, body, headers)
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
    fields = [_field(one, in_path, where) for one in declared if one.place not in ("body", "raw")]
    bodies = [one for one in declared if one.place in ("body", "raw")]
    _check_types(declared, where)
    if bodies and method in ("GET", "HEAD"):
        raise ConfigurationError(
            f"{bodies[0].name}: {names_of(bodies[0].type)} would come from the body, which a {method} request has not",
            where=where,
            fix="Use @post, or take single values from the query.",
        )
    return Plan(fields, _body(bodies, where))


def plan_action(call: Call, where: str) -> Plan:
    """The plan of an action: a JSON object with its parameters by name, or with the fields of its only one.

    :raises ConfigurationError: a parameter has a type that JSON cannot be read into.
    """
    declared = declared_of(call, [], where)
    _check_types(declared, where)
    bodies = [msgspec.structs.replace(one, place="body") for one in declared]
    if is_open(call):
        return Plan([], JsonBody(bodies, as_object=True, is_open=True))
    return Plan([], _body(bodies, where, always_object=not (len(bodies) == 1 and bodies[0].is_object)))


def _check_types(declared: list[Declared], where: str) -> None:
    """Refuse types that cannot be read when the route is attached, and not at its first request."""
    for one in declared:
        cls = unreadable(one.type)
        if cls is not None:
            raise ConfigurationError(
                f"{one.name}: a {cls.__qualname__} cannot be read from a request",
                where=where,
                fix="Use a dataclass, msgspec.Struct, attrs class, pydantic model, or plain types.",
            )
        codec.coders(one.type)


def _body(bodies: list[Declared], where: str, *, always_object: bool = False) -> JsonBody | RawBody | None:
    if not bodies:
        return None
    if len(bodies) == 1 and bodies[0].place == "raw":
        return RawBody(bodies[0].name)
    if any(one.place == "raw" for one in bodies):
        raise ConfigurationError("a function takes the body either as bytes or as typed parameters", where=where)
    return JsonBody(bodies, as_object=always_object or len(bodies) > 1)


def _field(one: Declared, in_path: list[str], where: str) -> Field:
    many = is_many(one.type) and one.place != "path"
    key: Any = one.key
    if one.place == "path":
        key = in_path.index(one.name)
    elif one.place == "header":
        key = (one.key or one.name.replace("_", "-")).lower().encode()
    return Field(one.name, one.place, key, names_of(one.type), _converter(one, where), one.required, many)


def _converter(one: Declared, where: str) -> Convert | None:
    if one.type is str or one.type is Any:
        return None
    convert: Convert = partial(codec.convert, cls=one.type, strict=False)
    if one.type in (int, float, bool):
        convert = partial(msgspec.convert, type=one.type, strict=False)
    return partial(_finite, convert) if mentions_float(one.type) else convert


def _finite(convert: Convert, value: Any) -> Any:
    made = convert(value)
    numbers = made if isinstance(made, (list, tuple, set, frozenset)) else (made,)
    for number in numbers:
        if type(number) is float and not math.isfinite(number):
            raise ValueError("expected a finite number")
    return made


def _put(arguments: dict[str, Any], field: Field, given: list[str] | None, wrong: list[dict[str, str]]) -> None:
    if not given:
        if field.required:
            wrong.append(_entry(field, "is missing"))
        return
    if len(given) > 1 and not field.many:
        wrong.append(_entry(field, f"is given {len(given)} times, once is expected"))
        return
    value = given if field.many else given[0]
    if field.convert is None:
        arguments[field.name] = value
        return
    try:
        arguments[field.name] = field.convert(value)
    except (msgspec.MsgspecError, ValueError, TypeError) as error:
        wrong.append(_entry(field, _reason(field, value, error)))


def _reason(field: Field, value: Any, error: Exception) -> str:
    shown = ascii(value)
    shown = f"{shown[:60]}..." if len(shown) > 60 else shown
    text, _, path = str(error).splitlines()[0].partition(" - at `$")
    text = text.replace("`", "")
    if ", got " in text or text.startswith("Invalid"):
        text = f"expected {field.expects}"
    at = f" at {path.rstrip('`')}" if path else ""
    return f"{text[:1].lower()}{text[1:]}{at}, got {shown}"


def _entry(field: Field, reason: str) -> dict[str, str]:
    name = field.key.decode() if field.place == "header" else str(field.key if field.place == "query" else field.name)
    return {"parameter": name, "in": field.place, "reason": reason}


def _refusal(wrong: list[dict[str, str]]) -> HttpError:
    first = wrong[0]
    more = f", and {len(wrong) - 1} more" if len(wrong) > 1 else ""
    glue = " " if first["reason"].startswith("is ") else ": "
    return HttpError(
        f"{first['in']} parameter {first['parameter']}{glue}{first['reason']}{more}",
        status=422,
        code="parameter",
        fix="Correct the named parameters and send the request again.",
        errors=tuple(wrong),
    )
