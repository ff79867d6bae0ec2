"""One value that can be asked for as any type."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from junctor.dialects.pip_services.commons.convert import (
    ArrayConverter,
    BooleanConverter,
    DateTimeConverter,
    DoubleConverter,
    FloatConverter,
    IntegerConverter,
    LongConverter,
    MapConverter,
    StringConverter,
    TypeCode,
    TypeConverter,
)
from junctor.dialects.pip_services.commons.data.any_value_array import AnyValueArray
from junctor.dialects.pip_services.commons.data.any_value_map import AnyValueMap
from junctor.dialects.pip_services.commons.data.interfaces import ICloneable


class AnyValue(ICloneable):
    def __init__(self, value: Any = None) -> None:
        self.value: Any = value.value if isinstance(value, AnyValue) else value

    def get_type_code(self) -> TypeCode:
        return TypeConverter.to_type_code(self.value)

    def get_as_object(self) -> Any:
        return self.value

    def set_as_object(self, value: Any) -> None:
        self.value = value.value if isinstance(value, AnyValue) else value

    def get_as_nullable_string(self) -> str | None:
        return StringConverter.to_nullable_string(self.value)

    def get_as_string(self) -> str:
        return StringConverter.to_string(self.value)

    def get_as_string_with_default(self, default_value: Any) -> Any:
        return StringConverter.to_string_with_default(self.value, default_value)

    def get_as_nullable_boolean(self) -> bool | None:
        return BooleanConverter.to_nullable_boolean(self.value)

    def get_as_boolean(self) -> bool:
        return BooleanConverter.to_boolean(self.value)

    def get_as_boolean_with_default(self, default_value: bool) -> bool:
        return BooleanConverter.to_boolean_with_default(self.value, default_value)

    def get_as_nullable_integer(self) -> int | None:
        return IntegerConverter.to_nullable_integer(self.value)

    def get_as_integer(self) -> int:
        return IntegerConverter.to_integer(self.value)

    def get_as_integer_with_default(self, default_value: int) -> int:
        return IntegerConverter.to_integer_with_default(self.value, default_value)

    def get_as_nullable_long(self) -> int | None:
        return LongConverter.to_nullable_long(self.value)

    def get_as_long(self) -> int:
        return LongConverter.to_long(self.value)

    def get_as_long_with_default(self, default_value: int) -> int:
        return LongConverter.to_long_with_default(self.value, default_value)

    def get_as_nullable_float(self) -> float | None:
        return FloatConverter.to_nullable_float(self.value)

    def get_as_float(self) -> float:
        return FloatConverter.to_float(self.value)

    def get_as_float_with_default(self, default_value: float) -> float:
        return FloatConverter.to_float_with_default(self.value, default_value)

    def get_as_nullable_double(self) -> float | None:
        return DoubleConverter.to_nullable_double(self.value)

    def get_as_double(self) -> float:
        return DoubleConverter.to_double(self.value)

    def get_as_double_with_default(self, default_value: float) -> float:
        return DoubleConverter.to_double_with_default(self.value, default_value)

    def get_as_nullable_datetime(self) -> datetime | None:
        return DateTimeConverter.to_nullable_datetime(self.value)

    def get_as_datetime(self) -> datetime | None:
        return DateTimeConverter.to_datetime(self.value)

    def get_as_datetime_with_default(self, default_value: datetime | None) -> datetime | None:
        return DateTimeConverter.to_datetime_with_default(self.value, default_value)

    def get_as_nullable_type(self, value_type: Any) -> Any:
        """
        :param value_type: a TypeCode or a class.
        """
        return TypeConverter.to_nullable_type(value_type, self.value)

    def get_as_type(self, value_type: Any) -> Any:
        return TypeConverter.to_type(value_type, self.value)

    def get_as_type_with_default(self, value_type: Any, default_value: Any) -> Any:
        return TypeConverter.to_type_with_default(value_type, self.value, default_value)

    def get_as_array(self) -> AnyValueArray:
        return AnyValueArray(ArrayConverter.to_nullable_array(self.value))

    def get_as_map(self) -> AnyValueMap:
        return AnyValueMap(MapConverter.to_nullable_map(self.value))

    def equals(self, other: Any) -> bool:
        """Whether the other value is the same, or has the same text."""
        return bool(self == other)

    def equals_as_type(self, value_type: Any, obj: Any) -> bool:
        mine = TypeConverter.to_nullable_type(value_type, self.value)
        return bool(mine == TypeConverter.to_nullable_type(value_type, AnyValue(obj).value))

    def __eq__(self, other: Any) -> bool:
        theirs = AnyValue(other).value
        if self.value is None or theirs is None:
            return self.value is None and theirs is None
        return bool(self.value == theirs) or self.get_as_string() == StringConverter.to_string(theirs)

    # It can change, and equals values of other types: no hash fits.
    __hash__ = None  # type: ignore[assignment]

    def to_string(self) -> str:
        return self.get_as_string()

    def __str__(self) -> str:
        return self.to_string()
