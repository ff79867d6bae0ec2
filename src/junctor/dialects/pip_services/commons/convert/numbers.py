"""Numbers out of values: a moment gives milliseconds since 1970, a duration milliseconds, true 1, false 0."""

from __future__ import annotations

import math
from datetime import date, datetime, timedelta
from typing import Any

from junctor.dialects.pip_services.commons.convert.date_time_converter import DateTimeConverter, milliseconds


class LongConverter:
    """Whole numbers; a fraction is cut off."""

    @staticmethod
    def to_nullable_long(value: Any) -> int | None:
        found = _number(value)
        if isinstance(found, int):
            return int(found)
        return int(found) if found is not None and math.isfinite(found) else None

    @staticmethod
    def to_long(value: Any) -> int:
        return LongConverter.to_nullable_long(value) or 0

    @staticmethod
    def to_long_with_default(value: Any, default_value: int) -> int:
        found = LongConverter.to_nullable_long(value)
        return default_value if found is None else found


class IntegerConverter:
    """Whole numbers: Python has one kind of them."""

    @staticmethod
    def to_nullable_integer(value: Any) -> int | None:
        return LongConverter.to_nullable_long(value)

    @staticmethod
    def to_integer(value: Any) -> int:
        return LongConverter.to_long(value)

    @staticmethod
    def to_integer_with_default(value: Any, default_value: int) -> int:
        return LongConverter.to_long_with_default(value, default_value)


class FloatConverter:
    """Numbers with a fraction."""

    @staticmethod
    def to_nullable_float(value: Any) -> float | None:
        found = _number(value)
        try:
            return None if found is None else float(found)
        except OverflowError:  # a whole number beyond all fractions
            return None

    @staticmethod
    def to_float(value: Any) -> float:
        return FloatConverter.to_nullable_float(value) or 0.0

    @staticmethod
    def to_float_with_default(value: Any, default_value: float) -> float:
        found = FloatConverter.to_nullable_float(value)
        return default_value if found is None else found


class DoubleConverter:
    """Numbers with a fraction: Python has one kind of them."""

    @staticmethod
    def to_nullable_double(value: Any) -> float | None:
        return FloatConverter.to_nullable_float(value)

    @staticmethod
    def to_double(value: Any) -> float:
        return FloatConverter.to_float(value)

    @staticmethod
    def to_double_with_default(value: Any, default_value: float = 0) -> float:
        return FloatConverter.to_float_with_default(value, default_value)


def _number(value: Any) -> int | float | None:
    if isinstance(value, int | float):
        return value
    if isinstance(value, timedelta):
        return value / timedelta(milliseconds=1)
    if isinstance(value, date):
        moment = value if isinstance(value, datetime) else DateTimeConverter.to_datetime(value)
        return None if moment is None else milliseconds(moment)
    return _read(value.strip()) if isinstance(value, str) else None


def _read(text: str) -> int | float | None:
    # Whole numbers are read as such: a float would lose digits beyond 2**53.
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return None
