"""Which part of a result is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from junctor.dialects.pip_services.commons.convert import BooleanConverter, LongConverter
from junctor.dialects.pip_services.commons.data.any_value_map import AnyValueMap


class PagingParams:
    """
    :param skip: how many items to leave out; None: not said.
    :param take: how many items to answer; None: as many as the store gives.
    :param total: whether to count all that there are.
    """

    def __init__(self, skip: Any = None, take: Any = None, total: Any = False) -> None:
        self.skip = LongConverter.to_nullable_long(skip)
        self.take = LongConverter.to_nullable_long(take)
        self.total = BooleanConverter.to_boolean_with_default(total, False)

    def get_skip(self, min_skip: int) -> int:
        """How many to leave out, at least this many."""
        return min_skip if self.skip is None else max(self.skip, min_skip)

    def get_take(self, max_take: int) -> int:
        """How many to answer, at most this many and never fewer than none."""
        return max_take if self.take is None else max(0, min(self.take, max_take))

    def has_total(self) -> bool:
        return self.total

    def to_json(self) -> dict[str, Any]:
        return {"skip": self.skip, "take": self.take, "total": self.total}

    @classmethod
    def from_json(cls, value: Any) -> Self | None:
        return cls.from_value(value) if isinstance(value, Mapping) else None

    @classmethod
    def from_value(cls, value: Any) -> Self:
        return value if isinstance(value, cls) else cls.from_map(AnyValueMap.from_value(value))

    @classmethod
    def from_tuples(cls, *tuples: Any) -> Self:
        return cls.from_map(AnyValueMap.from_tuples_array(tuples))

    @classmethod
    def from_map(cls, map: Mapping[str, Any]) -> Self:
        return cls(map.get("skip"), map.get("take"), map.get("total"))


class TokenizedPagingParams:
    """The same for stores that go on from a token instead of a number.

    :param token: where to start: the token of the page before, or None for the first.
    :param take: how many items to answer; None: as many as the store gives.
    :param total: whether to count all that there are.
    """

    def __init__(self, token: str | None = None, take: Any = None, total: Any = None) -> None:
        self.token = token
        self.take = LongConverter.to_nullable_long(take)
        self.total = BooleanConverter.to_boolean_with_default(total, False)

    def get_take(self, max_take: int) -> int:
        return max_take if self.take is None else max(0, min(self.take, max_take))

    def has_total(self) -> bool:
        return self.total

    @classmethod
    def from_value(cls, value: Any) -> Self:
        return value if isinstance(value, cls) else cls.from_map(AnyValueMap.from_value(value))

    @classmethod
    def from_tuples(cls, *tuples: Any) -> Self:
        return cls.from_map(AnyValueMap.from_tuples_array(tuples))

    @classmethod
    def from_tuple(cls, *tuples: Any) -> Self:
        return cls.from_tuples(*tuples)

    @classmethod
    def from_map(cls, map: Mapping[str, Any]) -> Self:
        return cls(map.get("token"), map.get("take"), map.get("total"))
