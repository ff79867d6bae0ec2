"""The body of a request that came in, as plain data."""

from __future__ import annotations

import base64
from typing import Any, Literal
from urllib.parse import parse_qsl

import msgspec

from junctor.adapters.http.charset import decoded
from junctor.http.problem import HttpError
from junctor.http.requests.bodies import deep_error, too_deep
from junctor.http.requests.request import Request

Format = Literal["auto", "json", "form", "text", "bytes"]

DEEPEST = 100
"""Levels of JSON."""

_FIELDS = 1000
"""Most fields of a form."""

_WITHOUT_BODY = ("GET", "DELETE")


def read(request: Request, format: Format) -> Any:
    """The body; of a GET or DELETE that has none, the query.

    :raises HttpError: 400 for what is not of its format, 415 for a type that is not taken.
    """
    if request.header("content-encoding") not in ("", "identity"):
        raise _unknown("compressed bodies are not read", "Send it uncompressed.")
    if not request.body and request.method in _WITHOUT_BODY:
        return _fields(request.query)
    kind, _, options = request.header("content-type").lower().partition(";")
    found = _format(kind.strip()) if format == "auto" else format
    if found == "json":
        return _json(request.body)
    if found == "bytes":
        return base64.b64encode(request.body).decode()
    text = _text(request.body, options if found == "text" else "")
    return text if found == "text" else _fields(text)


def _format(kind: str) -> Format:
    if kind in ("", "application/json") or (kind.startswith("application/") and kind.endswith("+json")):
        return "json"
    if kind == "application/x-www-form-urlencoded":
        return "form"
    if kind.startswith("text/"):
        return "text"
    raise _unknown(f"the body is {ascii(kind[:80])}", "Send JSON, a form or text.")


def _json(body: bytes) -> Any:
    if too_deep(body, DEEPEST):
        raise deep_error(DEEPEST)
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise HttpError(f"the body is not JSON: {error}", code="json") from None


def _text(body: bytes, options: str) -> str:
    charset = options.partition("charset=")[2].partition(";")[0].strip('" ') or "utf-8"
    try:
        return decoded(body, charset)
    except (UnicodeDecodeError, LookupError):
        raise HttpError(f"the body is not {charset[:40]}", code="text", fix="Encode it as UTF-8.") from None


def _fields(text: str) -> dict[str, Any]:
    """A name that comes once has a text, one that comes several times a list."""
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=_FIELDS)
    except ValueError:
        raise HttpError(f"it has more than {_FIELDS} fields", code="form", fix="Send less.") from None
    made: dict[str, Any] = {}
    for name, value in pairs:
        known = made.get(name)
        made[name] = value if name not in made else [*known, value] if isinstance(known, list) else [known, value]
    return made


def _unknown(what: str, fix: str) -> HttpError:
    return HttpError(what, status=415, code="content-type", fix=fix)
