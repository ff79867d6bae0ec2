"""From JSON to the object of a message class, as far as it fits."""

from __future__ import annotations

from typing import Any

import msgspec

from junctor.dialects.iop.messages.errors import SerializationError
from junctor.dialects.iop.messages.shape import Shape, shape_of

_read = msgspec.json.Decoder().decode
_new = object.__new__
_set = object.__setattr__


def decode(cls: type, data: bytes) -> Any:
    """An object of a message class from its JSON.

    :raises SerializationError: it is no JSON object, or a field that has no default is missing.
    """
    fields = _read(data)
    shape = shape_of(cls)
    if shape is not None and shape.direct and type(fields) is dict and tuple(fields) == shape.names:
        for name, convert in shape.conversions:
            fields[name] = convert(fields[name])
        made: Any = _new(cls)
        _set(made, "__dict__", fields)
        return made
    return made_from(cls, fields)


def made_from(cls: type, fields: Any) -> Any:
    """An object of a message class from JSON values, whatever their order; what is no field becomes an attribute.

    :raises SerializationError: as of :func:`decode`.
    """
    shape = shape_of(cls)
    if shape is None:
        raise not_a_dataclass(cls)
    if not isinstance(fields, dict):
        raise SerializationError(f"the JSON is no object but {type(fields).__name__}", where=shape.name)
    _check_complete(shape, fields)
    values = {name: value for name, value in fields.items() if name in shape.names}
    for name, convert in shape.conversions:
        if name in values:
            values[name] = convert(values[name])
    made = _direct(cls, shape, values) if shape.direct else _constructed(cls, shape, values)
    for name, value in fields.items():
        if name not in shape.names and _is_free(cls, name):
            vars(made)[name] = value
    return made


def not_a_dataclass(cls: type) -> SerializationError:
    """The error for a class that lacks the decorator."""
    what = f"{cls.__module__}.{cls.__qualname__} must be a dataclass"
    return SerializationError(what, fix=f"Write @dataclass above class {cls.__name__}.")


def _check_complete(shape: Shape, fields: dict[str, Any]) -> None:
    missing = [name for name in shape.required if name not in fields]
    if missing:
        raise SerializationError(
            f"required fields are missing: {', '.join(missing)}",
            where=shape.name,
            fix="Send them, or give the fields of the class a default.",
        )


def _direct(cls: type, shape: Shape, values: dict[str, Any]) -> Any:
    made: Any = _new(cls)
    given = {name: values[name] if name in values else shape.defaults[name]() for name in shape.names}
    _set(made, "__dict__", given)
    return made


def _constructed(cls: type, shape: Shape, values: dict[str, Any]) -> Any:
    """By the constructor: it checks something, or there is more than a dictionary to fill."""
    try:
        made = cls(**{name: value for name, value in values.items() if name in shape.passed})
    except Exception as error:
        raise SerializationError(f"it cannot be made: {type(error).__name__}: {error}", where=shape.name) from error
    for name, value in values.items():
        if name not in shape.passed:
            _set(made, name, value)
    return made


def _is_free(cls: type, name: str) -> bool:
    """Whether an attribute may come from outside: nothing private, and no method is covered."""
    return not name.startswith("_") and not callable(getattr(cls, name, None))
