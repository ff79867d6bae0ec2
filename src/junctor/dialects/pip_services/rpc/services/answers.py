"""What a call of an endpoint answers: JSON, or an error as JSON."""

from __future__ import annotations

from typing import Any

import msgspec

from junctor.dialects.pip_services.commons.convert import JsonConverter
from junctor.dialects.pip_services.commons.convert.json_converter import json_form
from junctor.dialects.pip_services.commons.errors import ErrorDescriptionFactory
from junctor.http import Response

_JSON = (b"content-type", b"application/json")
_encoder = msgspec.json.Encoder(enc_hook=json_form)


class Failed(Response):
    """The answer for an error that nobody meant to send; ``error`` is that."""

    __slots__ = ("error",)

    def __init__(self, made: Response, error: Exception) -> None:
        self.body, self.status_code, self.raw_headers = made.body, made.status_code, made.raw_headers
        self.error = error

    def plain(self) -> Response:
        """The same without the error."""
        return Response(
            self.body, self.status_code, [(n.decode("latin-1"), v.decode("latin-1")) for n, v in self.raw_headers]
        )


def empty(status: int = 204) -> Response:
    """An answer without a body."""
    return Response(b"", status)


def json_answer(value: Any, status: int = 200) -> Response:
    """A value as JSON.

    :raises TypeError: there is a value inside that JSON has no form for.
    """
    # Without the constructor, which checks what cannot be wrong here: this is the way of nearly every answer.
    made = Response.__new__(Response)
    made.body = encoded(value)
    made.status_code = status
    made.raw_headers = [_JSON]
    return made


def encoded(value: Any) -> bytes:
    """A value as JSON."""
    try:
        return _encoder.encode(value)
    except (msgspec.MsgspecError, OverflowError, TypeError, ValueError):
        # Whole numbers beyond 64 bits and keys that are no text: the library that the original uses knows them.
        return (JsonConverter.to_json(value) or "null").encode()


def error_answer(error: BaseException, correlation_id: str | None = None) -> Response:
    """An error as JSON: category, status, code, message, details. Stack traces stay in the log.

    :param correlation_id: of the call, for an error that does not know it.
    """
    description = ErrorDescriptionFactory.create(error)
    description.correlation_id = description.correlation_id or correlation_id
    status = description.status if description.status and 400 <= description.status <= 599 else 500
    # Empty, but there: clients of the original cannot read an error that has not this key.
    description.stack_trace = None
    return json_answer(description.to_json(), status)
