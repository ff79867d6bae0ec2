"""A part of a result."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Generic, Self, TypeVar

T = TypeVar("T")


class DataPage(Generic[T]):
    """
    :param data: the items.
    :param total: how many there are in all; None: they were not counted.
    """

    def __init__(self, data: Iterable[T] | None = (), total: int | None = None) -> None:
        self.data: list[T] = list(data or ())
        self.total = total

    def to_json(self) -> dict[str, Any]:
        items = [item.to_json() if hasattr(item, "to_json") else item for item in self.data]
        return {"total": self.total, "data": items}

    @classmethod
    def from_json(cls, value: Any) -> Self | None:
        if not isinstance(value, Mapping):
            return None
        return cls(value.get("data") or (), value.get("total"))


class TokenizedDataPage(Generic[T]):
    """
    :param data: the items.
    :param token: where the next page starts; None: this is the last.
    :param total: how many there are in all; None: they were not counted.
    """

    def __init__(self, data: Iterable[T] | None, token: str | None = None, total: int | None = None) -> None:
        self.data: list[T] = list(data or ())
        self.token = token
        self.total = total
