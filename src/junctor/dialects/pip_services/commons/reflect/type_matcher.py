"""Whether a value is of a type that is given by its code, its class or its name."""

from __future__ import annotations

from typing import Any

from junctor.dialects.pip_services.commons.convert import DateTimeConverter, TypeCode, TypeConverter

_NUMBERS = {TypeCode.Integer, TypeCode.Long, TypeCode.Float, TypeCode.Double}
_NAMES: dict[str, TypeCode] = {
    **{TypeConverter.to_string(code): code for code in TypeCode if code is not TypeCode.Unknown},
    "int": TypeCode.Integer,
    "str": TypeCode.String,
    "bool": TypeCode.Boolean,
    "date": TypeCode.DateTime,
    "list": TypeCode.Array,
    "dict": TypeCode.Map,
    "timespan": TypeCode.Duration,
}


class TypeMatcher:
    @staticmethod
    def match_value_type(expected_type: Any, actual_value: Any) -> bool:
        """
        :param expected_type: a TypeCode, a class, or a name such as ``string`` or ``string[]``; None fits all.
        :raises ValueError: there is no value.
        """
        if expected_type is None:
            return True
        if actual_value is None:
            raise ValueError("Actual value cannot be null")
        return TypeMatcher.match_type(expected_type, type(actual_value), actual_value)

    @staticmethod
    def match_type(expected_type: Any, actual_type: type, actual_value: Any = None) -> bool:
        if expected_type is None:
            return True
        if isinstance(expected_type, TypeCode):
            return _match_code(expected_type, actual_type, actual_value)
        if isinstance(expected_type, type):
            return issubclass(actual_type, expected_type)
        return TypeMatcher.match_type_by_name(str(expected_type), actual_type, actual_value)

    @staticmethod
    def match_value_type_by_name(expected_type: str | None, actual_value: Any) -> bool:
        return TypeMatcher.match_value_type(expected_type, actual_value)

    @staticmethod
    def match_type_by_name(expected_type: str | None, actual_type: type, actual_value: Any = None) -> bool:
        """Names of codes, of classes, ``object`` for all, and ``x[]`` for lists whose elements are x."""
        if expected_type is None:
            return True
        name = expected_type.strip().lower()
        if name.endswith("[]"):
            items = actual_value if isinstance(actual_value, list | tuple) else ()
            return issubclass(actual_type, list | tuple) and all(_fits(name[:-2], item) for item in items)
        if name == "object":
            return True
        code = _NAMES.get(name)
        if code is None:
            return any(base.__name__.lower() == name for base in actual_type.__mro__)
        return _match_code(code, actual_type, actual_value)


def _fits(name: str, value: Any) -> bool:
    return value is not None and TypeMatcher.match_type_by_name(name, type(value), value)


def _match_code(code: TypeCode, actual_type: type, value: Any) -> bool:
    actual = TypeConverter.to_type_code(actual_type)
    if actual is code:
        return True
    if code in (TypeCode.Float, TypeCode.Double):
        return actual in _NUMBERS
    if code is TypeCode.Long:
        return actual in (TypeCode.Integer, TypeCode.Float)
    if code in (TypeCode.Duration, TypeCode.Enum):
        return actual is TypeCode.Integer
    if code is TypeCode.DateTime:
        return isinstance(value, str) and DateTimeConverter.to_nullable_datetime(value) is not None
    # Whatever is no single value is an object.
    return code is TypeCode.Object and actual in (TypeCode.Map, TypeCode.Array)
