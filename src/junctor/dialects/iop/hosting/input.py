"""What comes into a business service from outside: plain data becomes the message that its method takes."""

from __future__ import annotations

import dataclasses
from typing import Any

import msgspec

from junctor.dialects.iop.components.dispatch import accepted_by
from junctor.errors import DecodeError, nearest
from junctor.messages import codec

METHODS = ("on_process_input", "on_message")


class WrongInput(DecodeError):
    """What a business service was called with does not fit the message that it takes."""

    code = "iop-wrong-input"
    default_fix = "Send the fields that the message class declares."
    status = 422


def input_type(cls: type) -> Any:
    """The message class that a service is called with; Any where it declares none, or it cannot be resolved."""
    name = next((name for name in METHODS if _is_written(cls, name)), METHODS[0])
    return accepted_by(cls, name) or Any


def _is_written(cls: type, name: str) -> bool:
    owner = next((base for base in cls.__mro__ if name in vars(base)), object)
    return not owner.__module__.startswith("junctor.")


def read_input(value: Any, cls: Any, where: str) -> Any:
    """A message of this class: one that was given is taken as it is, plain data is read.

    :raises WrongInput: with the path of the first field that does not fit.
    """
    if cls is Any or not isinstance(value, dict):
        return value
    _known_fields(value, cls, where)
    try:
        if hasattr(cls, "__dataclass_fields__"):
            msgspec.convert(_given(value, cls), cls)
        return codec.convert(value, cls)
    except WrongInput:
        raise
    except Exception as error:
        wrong = codec.decode_error(error, where, cls.__qualname__)
        raise WrongInput(wrong.what, where=wrong.where) from error


def _known_fields(value: dict[str, Any], cls: type, where: str) -> None:
    fields: Any = getattr(cls, "__pydantic_fields__", None) or getattr(cls, "__dataclass_fields__", None)
    for name in value if fields else ():
        if name not in fields:
            what = f"{cls.__qualname__} has no field {name!r}"
            raise WrongInput(
                what, where=f"{where} {cls.__qualname__}.{name}", fix=nearest(name, fields).strip() or None
            )


def _given(value: dict[str, Any], cls: type) -> dict[str, Any]:
    """Without a null where the class has None as the default, whatever its annotation says."""
    empty = {field.name for field in dataclasses.fields(cls) if field.default is None}
    return {name: part for name, part in value.items() if part is not None or name not in empty}
