"""A text in several languages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Self

from junctor.dialects.pip_services.commons.convert import MapConverter, StringConverter


class MultiString(dict[str, Any]):
    """Texts by the code of their language."""

    def __init__(self, map: Mapping[Any, Any] | None = None) -> None:
        super().__init__()
        self.append(map)

    def get(self, language: str, default: Any = None) -> Any:
        """The text in a language, else in English, else in the first language there is."""
        for each in (language, "en"):
            if each in self:
                return self[each]
        return next(iter(self.values()), default)

    def get_languages(self) -> list[str]:
        return list(self)

    def put(self, language: str, value: Any) -> None:
        self[str(language)] = StringConverter.to_nullable_string(value)

    def remove(self, language: str) -> None:
        self.pop(language, None)

    def append(self, map: Mapping[Any, Any] | None) -> None:
        for language, value in (map or {}).items():
            self.put(language, value)

    def length(self) -> int:
        return len(self)

    @classmethod
    def from_value(cls, value: Any) -> Self:
        return cls(MapConverter.to_nullable_map(value))

    @classmethod
    def from_tuples(cls, *tuples: Any) -> Self:
        return cls.from_tuples_array(tuples)

    @classmethod
    def from_tuples_array(cls, tuples: Iterable[Any] | None) -> Self:
        flat = list(tuples or ())
        return cls(dict(zip(flat[::2], flat[1::2], strict=False)))
