"""What is in a message: bytes to plain data, and back."""

from __future__ import annotations

import base64
import binascii
from typing import Any, Literal

import msgspec

from junctor.core.expressions.template import as_text
from junctor.messages import codec

Format = Literal["json", "text", "bytes"]


def read(payload: bytes, form: Format) -> Any:
    """Plain data. Bytes become base64, which is how JSON carries them; nothing at all is no JSON, and becomes None.

    :raises ValueError: it is not what it should be; the text says why.
    """
    if form == "bytes":
        return base64.b64encode(payload).decode()
    if form == "text":
        return _text(payload)
    if not payload:
        return None
    try:
        return msgspec.json.decode(payload)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ValueError(f"the payload is no JSON: {error}") from None


def _text(payload: bytes) -> str:
    try:
        return payload.decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"the payload is no text in UTF-8: {error.reason} at byte {error.start}") from None


def write(value: Any, form: Format) -> bytes:
    """The bytes for a value: the reverse of :func:`read`.

    :raises ValueError: it has no such form.
    """
    if form == "json":
        return codec.encode(value)
    if form == "text":
        return as_text(codec.to_plain(value)).encode()
    if isinstance(value, bytes):
        return value
    if not isinstance(value, str):
        raise ValueError(f"bytes are given as base64, got {type(value).__name__}")
    try:
        return base64.b64decode(value, validate=True)
    except binascii.Error as error:
        raise ValueError(f"bytes are given as base64: {error}") from None
