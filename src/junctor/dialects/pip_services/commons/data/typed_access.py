"""Typed access to the values of a map or a list, by key or index.

For each type there are three: ``get_as_nullable_x`` answers None where there is no such value, ``get_as_x`` the empty
value of the type (a text is ``''``, not None), ``get_as_x_with_default`` what it was given.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

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
    TypeConverter,
)

if TYPE_CHECKING:
    from junctor.dialects.pip_services.commons.data.any_value import AnyValue
    from junctor.dialects.pip_services.commons.data.any_value_array import AnyValueArray
    from junctor.dialects.pip_services.commons.data.any_value_map import AnyValueMap


class TypedAccess:
    """The family of getters over :meth:`_at`."""

    def _at(self, key: Any) -> Any:
        """The value at a key or an index, or None."""
        raise NotImplementedError

    def get_as_nullable_string(self, key: Any) -> str | None:
        return StringConverter.to_nullable_string(self._at(key))

    def get_as_string(self, key: Any) -> str:
        return StringConverter.to_string(self._at(key))

    def get_as_string_with_default(self, key: Any, default_value: Any) -> Any:
        return StringConverter.to_string_with_default(self._at(key), default_value)

    def get_as_nullable_boolean(self, key: Any) -> bool | None:
        return BooleanConverter.to_nullable_boolean(self._at(key))

    def get_as_boolean(self, key: Any) -> bool:
        return BooleanConverter.to_boolean(self._at(key))

    def get_as_boolean_with_default(self, key: Any, default_value: bool) -> bool:
        return BooleanConverter.to_boolean_with_default(self._at(key), default_value)

    def get_as_nullable_integer(self, key: Any) -> int | None:
        return IntegerConverter.to_nullable_integer(self._at(key))

    def get_as_integer(self, key: Any) -> int:
        return IntegerConverter.to_integer(self._at(key))

    def get_as_integer_with_default(self, key: Any, default_value: int) -> int:
        return IntegerConverter.to_integer_with_default(self._at(key), default_value)

    def get_as_nullable_long(self, key: Any) -> int | None:
        return LongConverter.to_nullable_long(self._at(key))

    def get_as_long(self, key: Any) -> int:
        return LongConverter.to_long(self._at(key))

    def get_as_long_with_default(self, key: Any, default_value: int) -> int:
        return LongConverter.to_long_with_default(self._at(key), default_value)

    def get_as_nullable_float(self, key: Any) -> float | None:
        return FloatConverter.to_nullable_float(self._at(key))

    def get_as_float(self, key: Any) -> float:
        return FloatConverter.to_float(self._at(key))

    def get_as_float_with_default(self, key: Any, default_value: float) -> float:
        return FloatConverter.to_float_with_default(self._at(key), default_value)

    def get_as_nullable_double(self, key: Any) -> float | None:
        return DoubleConverter.to_nullable_double(self._at(key))

    def get_as_double(self, key: Any) -> float:
        return DoubleConverter.to_double(self._at(key))

    def get_as_double_with_default(self, key: Any, default_value: float) -> float:
        return DoubleConverter.to_double_with_default(self._at(key), default_value)

    def get_as_nullable_datetime(self, key: Any) -> datetime | None:
        return DateTimeConverter.to_nullable_datetime(self._at(key))

    def get_as_datetime(self, key: Any) -> datetime | None:
        return DateTimeConverter.to_datetime(self._at(key))

    def get_as_datetime_with_default(self, key: Any, default_value: datetime | None) -> datetime | None:
        return DateTimeConverter.to_datetime_with_default(self._at(key), default_value)

    def get_as_nullable_type(self, value_type: Any, key: Any) -> Any:
        """
        :param value_type: a TypeCode or a class.
        """
        return TypeConverter.to_nullable_type(value_type, self._at(key))

    def get_as_type(self, value_type: Any, key: Any) -> Any:
        return TypeConverter.to_type(value_type, self._at(key))

    def get_as_type_with_default(self, value_type: Any, key: Any, default_value: Any) -> Any:
        return TypeConverter.to_type_with_default(value_type, self._at(key), default_value)

    def get_as_value(self, key: Any) -> AnyValue:
        from junctor.dialects.pip_services.commons.data.any_value import AnyValue

        return AnyValue(self._at(key))

    def get_as_nullable_array(self, key: Any) -> AnyValueArray | None:
        from junctor.dialects.pip_services.commons.data.any_value_array import AnyValueArray

        found = ArrayConverter.to_nullable_array(self._at(key))
        return None if found is None else AnyValueArray(found)

    def get_as_array(self, key: Any) -> AnyValueArray:
        return self.get_as_array_with_default(key, None)

    def get_as_array_with_default(self, key: Any, default_value: Any) -> AnyValueArray:
        from junctor.dialects.pip_services.commons.data.any_value_array import AnyValueArray

        found = self.get_as_nullable_array(key)
        return AnyValueArray.from_value(default_value) if found is None else found

    def get_as_nullable_map(self, key: Any) -> AnyValueMap | None:
        from junctor.dialects.pip_services.commons.data.any_value_map import AnyValueMap

        found = MapConverter.to_nullable_map(self._at(key))
        return None if found is None else AnyValueMap(found)

    def get_as_map(self, key: Any) -> AnyValueMap:
        return self.get_as_map_with_default(key, None)

    def get_as_map_with_default(self, key: Any, default_value: Any) -> AnyValueMap:
        from junctor.dialects.pip_services.commons.data.any_value_map import AnyValueMap

        found = self.get_as_nullable_map(key)
        return AnyValueMap.from_value(default_value) if found is None else found
