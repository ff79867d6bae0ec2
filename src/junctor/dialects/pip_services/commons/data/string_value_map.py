"""A map whose values are kept as texts."""

from __future__ import annotations

from typing import Any, Self

from junctor.dialects.pip_services.commons.convert import StringConverter
from junctor.dialects.pip_services.commons.data.value_map import ValueMap


class StringValueMap(ValueMap):
    """None stays None; every other value becomes a text when it is put."""

    def _stored(self, value: Any) -> str | None:
        return StringConverter.to_nullable_string(value)

    @classmethod
    def from_string(cls, line: str | None) -> Self:
        """From ``a=1;b;c.d=3``: what has no ``=`` is a key without a value."""
        made = cls()
        for entry in (line or "").split(";"):
            key, separator, value = entry.partition("=")
            if key.strip():
                made.put(key.strip(), value if separator else None)
        return made
