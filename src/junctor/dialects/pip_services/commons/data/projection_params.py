"""Which fields of the items are asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Self

from junctor.dialects.pip_services.commons.convert import ArrayConverter, StringConverter


class ProjectionParams(list[str]):
    """Names of fields, ``a.b`` for a field inside another."""

    default_delimiter = ","

    def __init__(self, values: Iterable[Any] | None = None) -> None:
        super().__init__(StringConverter.to_string(value) for value in values or ())

    def to_string(self) -> str:
        return self.default_delimiter.join(self)

    def __str__(self) -> str:
        return self.to_string()

    @classmethod
    def from_value(cls, value: Any) -> Self:
        return cls(ArrayConverter.to_array(value))

    @classmethod
    def from_string(cls, *values: str) -> Self:
        """From texts such as ``id,name,owner(id,name)``, where brackets hold the fields of a field."""
        return cls(name for value in values for name in _names(value, ""))


def _names(text: str, prefix: str) -> Iterator[str]:
    for part in _divided(text):
        head, bracket, inner = part.partition("(")
        name = f"{prefix}{head.strip()}"
        if bracket:
            yield from _names(inner.strip().removesuffix(")"), f"{name}.")
        elif head.strip():
            yield name


def _divided(text: str) -> Iterator[str]:
    """The parts between commas that are not inside brackets."""
    depth, start = 0, 0
    for index, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if character == "," and depth == 0:
            yield text[start:index]
            start = index + 1
    yield text[start:]
