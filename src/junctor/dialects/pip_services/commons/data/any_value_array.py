"""A list of any values, with typed access by index."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self

from junctor.dialects.pip_services.commons.convert import ArrayConverter, StringConverter, TypeConverter
from junctor.dialects.pip_services.commons.data.interfaces import ICloneable
from junctor.dialects.pip_services.commons.data.typed_access import TypedAccess


class AnyValueArray(list[Any], TypedAccess, ICloneable):
    """Its text form is its elements with commas between."""

    def __init__(self, values: Iterable[Any] | None = None) -> None:
        super().__init__(values or ())

    def _at(self, key: int) -> Any:
        return self[key] if -len(self) <= key < len(self) else None

    def get(self, index: int) -> Any:
        return self[index]

    def put(self, index: int, value: Any) -> None:
        """Puts a value at a place; the list grows where it is too short."""
        self.extend([None] * (index + 1 - len(self)))
        self[index] = value

    def remove(self, index: int) -> None:
        """Takes away what is at an index, not what equals it, as ``list.remove`` would."""
        del self[index]

    def appends(self, elements: Iterable[Any] | None) -> None:
        self.extend(elements or ())

    def get_as_object(self, index: int | None = None) -> Any:
        return list(self) if index is None else self._at(index)

    def set_as_object(self, index: Any = None, value: Any = None) -> None:
        """With one argument, the values that take the place of all."""
        if value is None and not isinstance(index, int):
            self.set_as_array(index)
        else:
            self.put(index, value)

    def set_as_array(self, values: Any) -> None:
        self[:] = ArrayConverter.to_array(values)

    def contains(self, value: Any) -> bool:
        return value in self

    def contains_as_type(self, value_type: Any, value: Any) -> bool:
        """Whether there is an element that is the same once both are of this type."""
        wanted = TypeConverter.to_nullable_type(value_type, value)
        return any(TypeConverter.to_nullable_type(value_type, item) == wanted for item in self)

    def clone(self) -> Self:
        return type(self)(self)

    def to_string(self) -> str:
        return StringConverter.to_string(list(self))

    def __str__(self) -> str:
        return self.to_string()

    @classmethod
    def from_values(cls, *values: Any) -> Self:
        return cls(values)

    @classmethod
    def from_value(cls, value: Any) -> Self:
        return cls(ArrayConverter.to_nullable_array(value))

    @classmethod
    def from_string(cls, values: str | None, separator: str, remove_duplicates: bool = False) -> Self:
        items = values.split(separator) if values else []
        return cls(dict.fromkeys(items) if remove_duplicates else items)
