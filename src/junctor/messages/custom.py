"""Body classes that bring their own JSON form: for values that msgspec does not know, or a reading less strict."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

_CODEC = "__junctor_codec__"


class Codec(msgspec.Struct, frozen=True):
    """How the objects of a body class become JSON and are made from it again.

    ``encode`` gets an object and returns JSON; ``decode`` gets the class and JSON. What they raise is told as an
    :class:`~junctor.errors.EncodeError` or :class:`~junctor.errors.DecodeError` with its text.
    """

    encode: Callable[[Any], bytes]
    decode: Callable[[Any, bytes], Any]


def set_codec(cls: type, codec: Codec) -> None:
    """Let a class, and those derived from it, use this codec."""
    setattr(cls, _CODEC, codec)


def codec_of(cls: Any) -> Codec | None:
    """The codec that a class brings, None where it has the usual one."""
    found = getattr(cls, _CODEC, None) if isinstance(cls, type) else None
    return found if isinstance(found, Codec) else None
