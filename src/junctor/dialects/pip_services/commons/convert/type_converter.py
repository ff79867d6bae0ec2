"""Values of a type that is known by its code, or by its class."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from enum import Enum
from functools import lru_cache
from typing import Any

from junctor.dialects.pip_services.commons.convert.array_converter import ArrayConverter
from junctor.dialects.pip_services.commons.convert.boolean_converter import BooleanConverter
from junctor.dialects.pip_services.commons.convert.date_time_converter import DateTimeConverter
from junctor.dialects.pip_services.commons.convert.map_converter import MapConverter
from junctor.dialects.pip_services.commons.convert.numbers import FloatConverter, LongConverter
from junctor.dialects.pip_services.commons.convert.string_converter import StringConverter
from junctor.dialects.pip_services.commons.convert.type_code import TypeCode

# The order counts: a bool is an int.
_CLASSES: tuple[tuple[type | tuple[type, ...], TypeCode], ...] = (
    (str, TypeCode.String),
    (bool, TypeCode.Boolean),
    (int, TypeCode.Integer),
    (float, TypeCode.Float),
    (date, TypeCode.DateTime),
    (timedelta, TypeCode.Duration),
    ((list, tuple, set, frozenset), TypeCode.Array),
    (dict, TypeCode.Map),
    (Enum, TypeCode.Enum),
)
_CONVERTERS: dict[TypeCode, Callable[[Any], Any]] = {
    TypeCode.String: StringConverter.to_nullable_string,
    TypeCode.Boolean: BooleanConverter.to_nullable_boolean,
    TypeCode.Integer: LongConverter.to_nullable_long,
    TypeCode.Long: LongConverter.to_nullable_long,
    TypeCode.Float: FloatConverter.to_nullable_float,
    TypeCode.Double: FloatConverter.to_nullable_float,
    TypeCode.DateTime: DateTimeConverter.to_nullable_datetime,
    TypeCode.Duration: LongConverter.to_nullable_long,
    TypeCode.Array: ArrayConverter.to_nullable_array,
    TypeCode.Map: MapConverter.to_nullable_map,
}
_DEFAULTS: dict[TypeCode, Callable[[], Any]] = {
    TypeCode.String: str,
    TypeCode.Boolean: bool,
    TypeCode.Integer: int,
    TypeCode.Long: int,
    TypeCode.Float: float,
    TypeCode.Double: float,
    TypeCode.Duration: int,
    TypeCode.Array: list,
    TypeCode.Map: dict,
}


class TypeConverter:
    @staticmethod
    def to_type_code(value: Any) -> TypeCode:
        """The code of a class, or of the class of a value; None is Unknown, what has no code an Object."""
        if value is None:
            return TypeCode.Unknown
        cls = value if isinstance(value, type) else type(value)
        return _code_of_class(cls)

    @staticmethod
    def to_nullable_type(value_type: Any, value: Any) -> Any:
        """
        :param value_type: a TypeCode or a class; for a class that has no code the value is returned as it is.
        """
        if value is None:
            return None
        converter = _CONVERTERS.get(_code(value_type))
        return value if converter is None else converter(value)

    @staticmethod
    def to_type(value_type: Any, value: Any) -> Any:
        """The same, with the empty value of the type (``''``, 0, False, ``[]``, ``{}``) where there is none."""
        found = TypeConverter.to_nullable_type(value_type, value)
        return found if found is not None else _DEFAULTS.get(_code(value_type), _nothing)()

    @staticmethod
    def to_type_with_default(value_type: Any, value: Any, default_value: Any) -> Any:
        found = TypeConverter.to_nullable_type(value_type, value)
        return default_value if found is None else found

    @staticmethod
    def to_string(typ: TypeCode | None) -> str:
        """The name of a code in lower case."""
        return (typ or TypeCode.Unknown).name.lower()


@lru_cache(maxsize=256)
def _code_of_class(cls: type) -> TypeCode:
    return next((code for known, code in _CLASSES if issubclass(cls, known)), TypeCode.Object)


def _code(value_type: Any) -> TypeCode:
    return value_type if isinstance(value_type, TypeCode) else TypeConverter.to_type_code(value_type)


def _nothing() -> None:
    return None
