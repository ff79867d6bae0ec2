"""Truth out of values."""

from __future__ import annotations

from typing import Any

_TRUE = frozenset({"1", "true", "t", "yes", "y"})
_FALSE = frozenset({"0", "false", "f", "no", "n"})


class BooleanConverter:
    """Words for true are 1, true, t, yes, y; for false 0, false, f, no, n. Case does not count."""

    @staticmethod
    def to_nullable_boolean(value: Any) -> bool | None:
        if value is None or isinstance(value, bool):
            return value
        word = str(int(value)) if isinstance(value, float) and value in (0, 1) else str(value).strip().lower()
        return True if word in _TRUE else False if word in _FALSE else None

    @staticmethod
    def to_boolean(value: Any) -> bool:
        return BooleanConverter.to_nullable_boolean(value) or False

    @staticmethod
    def to_boolean_with_default(value: Any, default_value: bool) -> bool:
        found = BooleanConverter.to_nullable_boolean(value)
        return default_value if found is None else found
