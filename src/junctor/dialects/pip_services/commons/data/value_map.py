"""What the maps of this package have in common: they are dicts, with typed access and a text form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Self

from junctor.dialects.pip_services.commons.convert import MapConverter, StringConverter
from junctor.dialects.pip_services.commons.data.interfaces import ICloneable
from junctor.dialects.pip_services.commons.data.typed_access import TypedAccess


class ValueMap(dict[str, Any], TypedAccess, ICloneable):
    """Its text form is ``key=value;key2=value2``, with only the key where there is no value."""

    def __init__(self, map: Mapping[Any, Any] | None = None) -> None:
        super().__init__()
        self.append(map)

    def _stored(self, value: Any) -> Any:
        """What is kept of a value."""
        return value

    def _at(self, key: Any) -> Any:
        return self.get(key)

    def get_keys(self) -> list[str]:
        return list(self)

    def put(self, key: Any, value: Any) -> None:
        self[str(key)] = self._stored(value)

    def remove(self, key: str) -> None:
        """Nothing happens where there is no such key."""
        self.pop(key, None)

    def append(self, map: Mapping[Any, Any] | None) -> None:
        for key, value in (map or {}).items():
            self[str(key)] = self._stored(value)

    def length(self) -> int:
        return len(self)

    def contains_key(self, key: str) -> bool:
        return self.get(key) is not None

    def get_as_object(self, key: str | None = None) -> Any:
        """The value of a key; without one, all as a plain dict."""
        return dict(self) if key is None else self._at(key)

    def set_as_object(self, key: Any, value: Any = None) -> None:
        """With one argument, a mapping that takes the place of all."""
        if value is None and not isinstance(key, str):
            self.set_as_map(key)
        else:
            self.put(key, value)

    def set_as_map(self, values: Mapping[Any, Any] | None) -> None:
        values = dict(values or {})
        self.clear()
        self.append(values)

    def clone(self) -> Self:
        return type(self)(self)

    def to_string(self) -> str:
        return ";".join(_entry(key, value) for key, value in self.items())

    def __str__(self) -> str:
        return self.to_string()

    @classmethod
    def from_value(cls, value: Any) -> Self:
        """From a mapping, or the public attributes of an object."""
        return cls(MapConverter.to_nullable_map(value))

    @classmethod
    def from_tuples(cls, *tuples: Any) -> Self:
        """From keys and values in turn."""
        return cls.from_tuples_array(tuples)

    @classmethod
    def from_tuples_array(cls, tuples: Iterable[Any] | None) -> Self:
        made, flat = cls(), list(tuples or ())
        # A last key without a value is left out, as there.
        for key, value in zip(flat[::2], flat[1::2], strict=False):
            if key is not None:
                made.put(key, value)
        return made

    @classmethod
    def from_maps(cls, *maps: Mapping[Any, Any] | None) -> Self:
        """All of these in one; of one key the last value stays."""
        made = cls()
        for each in maps:
            made.append(each)
        return made


def _entry(key: str, value: Any) -> str:
    return key if value is None else f"{key}={StringConverter.to_string(value)}"
