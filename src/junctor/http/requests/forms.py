"""Forms: fields and files of a body to typed parameters."""

from __future__ import annotations

from typing import Any

import msgspec

from junctor.http.asgi import Headers, Receive, header_value
from junctor.http.problem import HttpError
from junctor.http.requests.annotations import Declared, bare, is_many, names_of
from junctor.http.requests.bodies import check_encoding, deep_error, read_body, too_deep
from junctor.http.requests.fields import Field, Wrong, entry, field_of, put, reason_of, refusal
from junctor.http.requests.query import parse_query
from junctor.http.requests.uploads import Parts, malformed, read_multipart
from junctor.http.settings import HttpSettings
from junctor.messages import codec

URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"


class Model(msgspec.Struct, frozen=True):
    """A class whose fields are fields of the form; ``many`` names those that take several values."""

    name: str
    type: Any
    fields: tuple[str, ...]
    many: frozenset[str]
    required: bool


class FormBody:
    """A body with fields and files."""

    __slots__ = ("declared", "files", "kinds", "_fields", "_models")

    def __init__(self, declared: list[Declared]) -> None:
        self.declared = declared
        self.files = [field_of(one) for one in declared if one.place == "file"]
        self.kinds = (MULTIPART,) if self.files else (URLENCODED, MULTIPART)
        self._models = [_model(one) for one in declared if one.place == "form" and one.is_object]
        plain = [one for one in declared if one.place == "form" and not one.is_object]
        self._fields = [field_of(one) for one in plain]
        self._fields += [_json_field(one) for one in declared if one.place == "body"]

    async def read(self, receive: Receive, headers: Headers, settings: HttpSettings) -> Parts | None:
        """:raises HttpError: 415 for what is no form, 413 above the limits, 400 for what is malformed."""
        check_encoding(headers)
        given = header_value(headers, b"content-type")
        kind, _, _ = (given or b"").partition(b";")
        kind = kind.strip().lower()
        if kind == MULTIPART.encode():
            return await read_multipart(receive, headers, _boundary(given or b""), settings)
        if kind != URLENCODED.encode() and given is not None:
            raise self._unexpected(given)
        body = await read_body(receive, headers, settings.body)
        if body is None:
            return None
        if body and (given is None or self.files):
            raise self._unexpected(given)
        return Parts(parse_query(body, "form"))

    def put(self, arguments: dict[str, Any], parts: Parts, settings: HttpSettings) -> None:
        """:raises HttpError: 422 with every wrong field."""
        wrong: Wrong = []
        for field in self._fields:
            if field.key in parts.files:
                wrong.append(entry(field, f"expected {field.expects}, got a file"))
                continue
            given = parts.fields.get(field.key)
            if given and field.place == "body" and too_deep(given[0].encode(), settings.depth):
                raise deep_error(settings.depth)
            put(arguments, field, given, wrong)
        for model in self._models:
            _put_model(arguments, model, parts, wrong)
        for field in self.files:
            _put_files(arguments, field, parts, wrong)
        if wrong:
            raise refusal(wrong)

    def _unexpected(self, given: bytes | None) -> HttpError:
        shown = ascii(given[:80].decode("latin-1")) if given is not None else "of no known type"
        expected = " or ".join(self.kinds)
        return HttpError(
            f"the body is {shown}, a form is expected",
            status=415,
            code="content-type",
            fix=f"Send the header Content-Type: {expected}.",
        )


def _boundary(given: bytes) -> bytes:
    from python_multipart.multipart import parse_options_header

    boundary = parse_options_header(given)[1].get(b"boundary", b"")
    if not 0 < len(boundary) <= 70:
        raise malformed("its content type names no boundary of 1 to 70 characters")
    return boundary


def _model(one: Declared) -> Model:
    kind = bare(one.type)
    if codec.is_pydantic(kind):
        found = {name: is_many(field.annotation) for name, field in kind.model_fields.items()}
    else:
        info: Any = msgspec.inspect.type_info(kind)
        found = {field.encode_name: _is_list(field.type) for field in info.fields}
    many = frozenset(name for name, several in found.items() if several)
    return Model(one.name, kind, tuple(found), many, one.required)


def _is_list(kind: Any) -> bool:
    inspect = msgspec.inspect
    if isinstance(kind, inspect.UnionType):
        return any(map(_is_list, kind.types))
    return isinstance(kind, (inspect.ListType, inspect.SetType, inspect.FrozenSetType, inspect.VarTupleType))


def _put_model(arguments: dict[str, Any], model: Model, parts: Parts, wrong: Wrong) -> None:
    values: dict[str, Any] = {}
    for name in model.fields:
        given = parts.fields.get(name)
        if given:
            values[name] = given if name in model.many else given[-1]
    if not values and not model.required:
        return
    try:
        arguments[model.name] = codec.convert(values, model.type, strict=False)
    except (msgspec.MsgspecError, ValueError, TypeError) as error:
        wrong.append({"parameter": _path(error), "in": "form", "reason": _model_reason(model, error)})


def _path(error: Exception) -> str:
    where = codec.decode_error(error, "", "").where or ""
    return where.strip().lstrip(".") or "."


def _model_reason(model: Model, error: Exception) -> str:
    reason = codec.decode_error(error, "", "").what.partition(": ")[2].replace("`", "")
    return f"{reason[:1].lower()}{reason[1:]}" or f"expected {names_of(model.type)}"


def _json_field(one: Declared) -> Field:
    """A part of a form that holds JSON."""
    decode = codec.coders(one.type)[1]

    def convert(text: str) -> Any:
        return decode(text.encode())

    return field_of(one, convert=convert)


def _put_files(arguments: dict[str, Any], field: Field, parts: Parts, wrong: Wrong) -> None:
    # A browser sends an empty file without a name where none was chosen.
    given = [one for one in parts.files.get(str(field.key), ()) if one.filename or one.size]
    if not given and field.key in parts.fields:
        wrong.append(entry(field, reason_of("a file", parts.fields[str(field.key)][0], ValueError())))
    elif not given and field.required:
        wrong.append(entry(field, "is missing"))
    elif len(given) > 1 and not field.many:
        wrong.append(entry(field, f"is given {len(given)} times, once is expected"))
    elif given:
        arguments[field.name] = given if field.many else given[0]
