"""Bodies of requests: read within a limit, checked by their declared type, decoded strictly."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from junctor.errors import HIDES
from junctor.http.asgi import Headers, Receive, header_value
from junctor.http.problem import HttpError
from junctor.http.requests.annotations import Declared, names_of
from junctor.http.settings import HttpSettings
from junctor.messages import codec
from junctor.messages.sensitive import sensitive_paths
from junctor.messages.types import type_name
from junctor.observe.hidden import Hidden

_ABSENT = object()
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_OTHER = bytes(set(range(256)) - set(b"[]{}"))
_ONE_KIND = bytes.maketrans(b"{}", b"[]")


async def read_body(receive: Receive, headers: Headers, limit: int) -> bytes | None:
    """The whole body; None when the client went away before its end.

    :raises HttpError: 413 as soon as it is known to be above ``limit`` bytes; the rest is not kept.
    """
    length = header_value(headers, b"content-length")
    if length is not None and (not length.isdigit() or int(length[:20]) > limit):
        raise too_large(limit)
    event = await receive()
    body: bytes = event.get("body", b"")
    chunks = [body]
    size = len(body)
    while event.get("more_body", False) and size <= limit:
        event = await receive()
        chunks.append(event.get("body", b""))
        size += len(chunks[-1])
    if event["type"] == "http.disconnect":
        return None
    if size > limit:
        raise too_large(limit)
    return body if len(chunks) == 1 else b"".join(chunks)


def too_large(limit: int) -> HttpError:
    """413, with the limit in it."""
    return HttpError(
        f"the body is larger than {limit} bytes",
        status=413,
        code="body-too-large",
        fix="Send less, or raise `http: {body: ...}` of the flow.",
    )


class RawBody:
    """The body as ``bytes``, whatever its type."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    async def read(self, receive: Receive, headers: Headers, settings: HttpSettings) -> bytes | None:
        return await read_body(receive, headers, settings.body)

    def put(self, arguments: dict[str, Any], body: bytes, settings: HttpSettings) -> None:
        arguments[self.name] = body


class JsonBody:
    """A JSON body for one parameter, or, ``as_object``, an object with a field for each of several.

    ``is_open`` also takes fields that no parameter has.
    """

    __slots__ = ("_decode", "_expects", "_name", "_type", "declared", "is_open", "kind", "required")

    def __init__(self, declared: list[Declared], *, as_object: bool, is_open: bool = False) -> None:
        self._name = "" if as_object else declared[0].name
        kind = _object_type(declared) if as_object else declared[0].type
        self._type = kind
        self._expects = "object" if as_object else _name_of(kind)
        self._decode = _open_decoder(kind) if is_open else _decoder(kind)
        self.declared = declared
        self.is_open = is_open
        self.kind = None if as_object else kind
        self.required = any(one.required for one in declared)

    async def read(self, receive: Receive, headers: Headers, settings: HttpSettings) -> bytes | None:
        """:raises HttpError: 415 for another content type, 413 above the limit."""
        body = await read_body(receive, headers, settings.body)
        if body or (body is not None and self.required):
            check_json_type(headers)
        return body

    def put(self, arguments: dict[str, Any], body: bytes, settings: HttpSettings) -> None:
        """:raises HttpError: 400 for no JSON, 422 for JSON that does not fit."""
        if not body and not self.required:
            return
        if not body:
            raise HttpError(f"a JSON body is missing: {self._expects}", status=422, code="body")
        value = self._read(body, settings.depth)
        if self._name:
            arguments[self._name] = value
        else:
            arguments.update(value if type(value) is dict else _given(value))

    def _read(self, body: bytes, depth: int) -> Any:
        if too_deep(body, depth):
            raise deep_error(depth)
        try:
            return self._decode(body)
        except RecursionError:
            raise HttpError("the JSON is nested too deeply", code="json") from None
        except UnicodeDecodeError:
            raise HttpError("the body is not UTF-8", code="json", fix="Encode the JSON as UTF-8.") from None
        except (msgspec.MsgspecError, ValueError, TypeError) as error:
            if type(error) is msgspec.DecodeError:
                raise HttpError(f"the body is not JSON: {error}", code="json") from None
            refusal = _unfit(error)
            # A validator of the user's class may quote what it refuses.
            setattr(refusal, HIDES, Hidden(body, sensitive_paths(self._type)))
            raise refusal from None


def _unfit(error: Exception) -> HttpError:
    """422 with the path of the first field that does not fit."""
    found = codec.decode_error(error, "", "")
    path = (found.where or "").strip()
    reason = found.what.partition(": ")[2].replace("`", "")
    reason = f"{reason[:1].lower()}{reason[1:]}"
    return HttpError(
        f"body{path}: {reason}",
        status=422,
        code="body",
        fix="Correct the named part of the body and send the request again.",
        errors=({"parameter": path or ".", "in": "body", "reason": reason},),
    )


def deep_error(depth: int) -> HttpError:
    """400, with the limit in it."""
    return HttpError(f"the JSON is nested deeper than {depth} levels", code="json")


def too_deep(body: bytes, depth: int) -> bool:
    """Whether JSON is nested deeper than ``depth`` levels: what a decoder still manages, the code that walks
    the value later may not. Malformed JSON gets any answer; decoding refuses it."""
    if body.count(b"[") + body.count(b"{") <= depth:
        return False
    # Only the brackets, and then level by level from the inside: each pass is one scan in C.
    brackets = _STRING.sub(b"", body).translate(_ONE_KIND, _OTHER)
    for _ in range(depth):
        inner_gone = brackets.replace(b"[]", b"")
        if len(inner_gone) == len(brackets):
            return False
        brackets = inner_gone
    return bool(brackets)


def check_json_type(headers: Headers) -> None:
    """:raises HttpError: 415 when the request says that its body is something else than plain JSON in UTF-8.

    A request that does not say is taken at its word: it is JSON or refused as malformed.
    """
    given = header_value(headers, b"content-type")
    check_encoding(headers)
    if given is None or given == b"application/json":
        return
    kind, _, options = given.lower().partition(b";")
    kind = kind.strip()
    good = kind == b"application/json" or (kind.startswith(b"application/") and kind.endswith(b"+json"))
    charset = options.partition(b"charset=")[2].partition(b";")[0].strip(b'" ')
    if not good or charset not in (b"", b"utf-8", b"utf8", b"us-ascii"):
        shown = ascii(given[:80].decode("latin-1"))
        raise HttpError(
            f"the body is {shown}, JSON is expected",
            status=415,
            code="content-type",
            fix="Send the header Content-Type: application/json.",
        )


def check_encoding(headers: Headers) -> None:
    """:raises HttpError: 415 for a compressed body."""
    if header_value(headers, b"content-encoding") not in (None, b"identity"):
        raise HttpError("compressed bodies are not read", status=415, code="content-type", fix="Send it uncompressed.")


def _object_type(declared: list[Declared]) -> type:
    # A field that is not given stays absent, so that the function's own default applies.
    fields: list[Any] = [
        (one.name, one.type) if one.required else (one.name, one.type, msgspec.field(default=_ABSENT))
        for one in declared
    ]
    return msgspec.defstruct("Arguments", fields, forbid_unknown_fields=True, kw_only=True)


def _given(value: Any) -> dict[str, Any]:
    fields = {name: getattr(value, name) for name in value.__struct_fields__}
    return {name: part for name, part in fields.items() if part is not _ABSENT}


def _open_decoder(kind: Any) -> Any:
    """For a function with ``**options``: known names by their types, others as they are."""
    plain = msgspec.json.Decoder(dict[str, Any])
    known = frozenset(kind.__struct_fields__)

    def decode(data: bytes) -> dict[str, Any]:
        values = plain.decode(data)
        typed = codec.convert({name: part for name, part in values.items() if name in known}, kind)
        return {**values, **_given(typed)}

    return decode


def _decoder(kind: Any) -> Any:
    if codec.is_pydantic(kind):
        # Through plain values: pydantic's own JSON reader accepts NaN and Infinity.
        plain = msgspec.json.Decoder()
        return lambda data: codec.convert(plain.decode(data), kind)
    return codec.coders(kind)[1]


def _name_of(kind: Any) -> str:
    return type_name(kind) if isinstance(kind, type) else names_of(kind)
