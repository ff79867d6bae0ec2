"""Values of a database as what JSON can carry, and back."""

from __future__ import annotations

import base64
import datetime
import decimal
import math
import uuid
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

_AS_IT_IS = (str, int, bool, type(None))


def plain(value: Any, numbers: bool = False) -> Any:
    """A value of a column as it stands in a body.

    Decimals become text, with all their digits; so do dates, times, intervals (ISO 8601), UUIDs, and floats that are no
    numbers. Bytes become base64. Columns with JSON and arrays become objects and lists.

    :param numbers: decimals become numbers, with the 15 digits that those have.
    """
    if type(value) in _AS_IT_IS:
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return base64.b64encode(value).decode()
    if isinstance(value, dict):
        return {str(name): plain(part, numbers) for name, part in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(part, numbers) for part in value]
    if numbers and isinstance(value, decimal.Decimal) and value.is_finite():
        return int(value) if value == value.to_integral_value() and abs(value) < 2**53 else float(value)
    try:
        return msgspec.to_builtins(value)
    except TypeError:
        return str(value)  # a range, an address: as the database writes it


def weight(row: Mapping[str, Any]) -> int:
    """About how many bytes a row has."""
    return sum(_weight(value) for value in row.values())


def _weight(value: Any) -> int:
    if isinstance(value, (str, bytes, bytearray, memoryview)):
        return len(value) + 8
    return len(str(value)) if isinstance(value, (dict, list)) else 8


def given(value: Any, takes_times: bool) -> Any:
    """A value of an expression as a parameter: objects and lists become JSON.

    :param takes_times: the driver takes dates; others get them as text, ISO 8601.
    """
    if isinstance(value, (dict, list)):
        return msgspec.json.encode(value).decode()
    if isinstance(value, (datetime.date, datetime.time, datetime.timedelta)) and not takes_times:
        return msgspec.to_builtins(value)
    return value


# The cursor -------------------------------------------------------------------------------------------------

_READ: dict[str, Callable[[str], Any]] = {
    "datetime": datetime.datetime.fromisoformat,
    "date": datetime.date.fromisoformat,
    "time": datetime.time.fromisoformat,
    "decimal": decimal.Decimal,
    "uuid": uuid.UUID,
    "bytes": base64.b64decode,
}


def kept(value: Any) -> Any:
    """A value as state keeps it, with its type where JSON has none: :func:`restored` gives the same again.

    :raises TypeError: it is of a type that cannot be kept.
    """
    if isinstance(value, (str, int, float)):
        return value
    if isinstance(value, (datetime.datetime, datetime.date, datetime.time)):
        return {type(value).__name__: value.isoformat()}
    if isinstance(value, (decimal.Decimal, uuid.UUID)):
        return {type(value).__name__.lower(): str(value)}
    if isinstance(value, (bytes, memoryview)):
        return {"bytes": base64.b64encode(value).decode()}
    raise TypeError(f"{type(value).__name__} cannot be a cursor")


def restored(value: Any) -> Any:
    """What :func:`kept` was given."""
    if not isinstance(value, dict):
        return value
    kind, text = next(iter(value.items()))
    return _READ[kind](text)
