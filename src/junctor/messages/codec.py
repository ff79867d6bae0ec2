"""Bodies to JSON and back. Strict: what does not fit is refused with the path of the field, NaN is never made null.

JSON, not a binary form: a stored body can be read, searched by field and edited with any tool.
"""

from __future__ import annotations

import functools
import math
import typing
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from junctor.errors import ConfigurationError, DecodeError, EncodeError
from junctor.messages.custom import Codec, codec_of
from junctor.messages.defaults import filled, filling

if TYPE_CHECKING:
    from junctor.messages.types import MessageType


def is_pydantic(cls: Any) -> bool:
    """Whether the class is a pydantic model; asks for its methods, so that pydantic need not be imported."""
    return isinstance(cls, type) and hasattr(cls, "model_validate_json") and hasattr(cls, "__pydantic_fields__")


def _encode_other(value: Any) -> Any:
    if (own := codec_of(type(value))) is not None:
        return msgspec.Raw(own.encode(value))
    if is_pydantic(type(value)):
        return value.model_dump()
    if isinstance(value, msgspec.Raw):  # JSON already; its values are asked for when NaN is looked for
        return msgspec.json.decode(value)
    raise NotImplementedError(f"{type(value).__qualname__} is not a JSON value")


def _decode_other(cls: type, value: Any) -> Any:
    if (own := codec_of(cls)) is not None:
        return own.decode(cls, msgspec.json.encode(value))
    if is_pydantic(cls):
        return cls.model_validate(value, strict=None)  # type: ignore[attr-defined]
    raise NotImplementedError(f"{cls.__qualname__} cannot be made from JSON")


@functools.lru_cache(maxsize=1024)
def _filling(cls: Any) -> Callable[[Any], object] | None:
    return filling(cls)


_encoder = msgspec.json.Encoder(enc_hook=_encode_other)
_U = ord("u")


def coders(cls: Any) -> tuple[Callable[[Any], bytes], Callable[[bytes], Any]]:
    """The encoding and the decoding function for one body type.

    :raises ConfigurationError: msgspec cannot handle the type; the reason is in the text.
    """
    if (own := codec_of(cls)) is not None:
        return functools.partial(_encode_custom, own), functools.partial(own.decode, cls)
    if is_pydantic(cls):
        return _encode_pydantic, cls.model_validate_json
    try:
        decoder = msgspec.json.Decoder(cls, dec_hook=_decode_other)
    except Exception as error:
        raise ConfigurationError(
            f"{getattr(cls, '__qualname__', cls)} cannot be the body of a message: {error}",
            fix="Use a dataclass, msgspec.Struct, attrs class, pydantic model, or plain JSON types.",
        ) from error
    if _is_opaque(cls):
        raise ConfigurationError(
            f"{cls.__qualname__} cannot be the body of a message: it is a class without declared fields",
            fix="Make it a dataclass, msgspec.Struct, attrs class or pydantic model.",
        )
    return encode, filled(decoder.decode, cls)


def _is_opaque(cls: Any) -> bool:
    """Whether it is a class of which nobody knows what there is to write."""
    fields = ("__struct_fields__", "__dataclass_fields__", "__attrs_attrs__")
    if not isinstance(cls, type) or cls.__module__ == "builtins" or any(hasattr(cls, name) for name in fields):
        return False
    from msgspec import inspect  # not for the usual bodies

    return isinstance(inspect.type_info(cls), inspect.CustomType)


def encode(body: Any) -> bytes:
    """JSON of a body.

    :raises EncodeError: a part has no JSON form, or a number is NaN or infinite; the path is in the text.
    """
    try:
        data = _encoder.encode(body)
    except Exception as error:
        raise EncodeError(f"{type(body).__qualname__} cannot be encoded: {error}") from error
    # JSON has no NaN and the encoder writes null for it. Only a body with a null can hold one. A byte is looked for in
    # a twentieth of the time of a word, so its rarest letter comes first.
    if _U in data and data.find(b"null") >= 0:
        _refuse_nan(body)
    return data


def _encode_custom(own: Codec, body: Any) -> bytes:
    try:
        return own.encode(body)
    except Exception as error:
        raise EncodeError(f"{type(body).__qualname__} cannot be encoded: {error}") from error


def _encode_pydantic(body: Any) -> bytes:
    try:
        data: bytes = body.model_dump_json().encode()
    except Exception as error:
        raise EncodeError(f"{type(body).__qualname__} cannot be encoded: {error}") from error
    if b"null" in data:
        _refuse_nan(body)
    return data


def _refuse_nan(body: Any) -> None:
    plain = msgspec.to_builtins(body, enc_hook=_encode_other, builtin_types=(bytes,))
    for path, value in _walk(plain, type(body).__qualname__):
        if isinstance(value, float) and not math.isfinite(value):
            raise EncodeError(
                f"{path} is {value}, which JSON cannot carry",
                fix="Send None, or leave the reading out, where there is no number.",
            )


def _walk(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """The values in a body with their paths, in its order. Without recursion: what could be encoded can be walked."""
    waiting = [(path, value)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, dict):
            waiting += reversed([(f"{path}.{name}", part) for name, part in value.items()])
        elif isinstance(value, (list, tuple, set, frozenset)):
            waiting += reversed([(f"{path}[{index}]", part) for index, part in enumerate(value)])
        else:
            yield path, value


def decode_error(error: Exception, where: str, name: str) -> DecodeError:
    """Our error for one of msgspec or pydantic, with the path of the first bad field."""
    path, reason = _reason(error)
    return DecodeError(f"the body is not a valid {name}: {reason}", where=f"{where} {name}{path}")


def _reason(error: Exception) -> tuple[str, str]:
    errors = getattr(error, "errors", None)
    if callable(errors):  # pydantic
        first = errors()[0]
        path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in first["loc"])
        return path, str(first["msg"])
    text, _, path = str(error).partition(" - at `$")
    if not isinstance(error, msgspec.MsgspecError):
        text = f"{type(error).__name__}: {text}"  # from an upgrade function: the text alone may say nothing
    return path.rstrip("`"), text


def upgraded(kind: MessageType, data: bytes, version: int, where: str) -> Any:
    """A body of an older version, through the type's upgrade function."""
    try:
        fields = msgspec.json.decode(data)
        newer = typing.cast(Any, kind.upgrade)(fields, version)
        return convert(newer, kind.cls)
    except Exception as error:
        raise decode_error(error, f"{where} (upgrade from version {version})", kind.name) from error


def convert(value: Any, cls: Any, *, strict: bool = True) -> Any:
    """Plain JSON values to an object of ``cls``. ``strict=False`` also reads numbers and booleans from text."""
    if (own := codec_of(cls)) is not None:
        return own.decode(cls, msgspec.json.encode(value))
    if is_pydantic(cls):
        return cls.model_validate(value)
    made = msgspec.convert(value, cls, strict=strict, dec_hook=_decode_other)
    try:
        fill = _filling(cls)
    except TypeError:  # a type that cannot be looked up, as Annotated with a dictionary in it
        fill = filling(cls)
    if fill is not None:
        fill(made)
    return made


def to_plain(value: Any) -> Any:
    """Any body as plain JSON values, for display."""
    if (own := codec_of(type(value))) is not None:
        return msgspec.json.decode(own.encode(value))
    return msgspec.to_builtins(value, enc_hook=_encode_other)
