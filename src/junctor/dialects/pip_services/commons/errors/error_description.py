"""An error as data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

_FIELDS = (
    "type",
    "category",
    "status",
    "code",
    "message",
    "details",
    "correlation_id",
    "cause",
    "stack_trace",
)


class ErrorDescription:
    """What is written of an error, and read by the other side. ``stack_trace`` is there for readers of the original
    system, who need the key; we never fill it."""

    def __init__(self) -> None:
        self.type: str | None = None
        self.category: str | None = None
        self.status: int | None = None
        self.code: str | None = None
        self.message: str | None = None
        self.details: Any = None
        self.correlation_id: str | None = None
        self.cause: str | None = None
        self.stack_trace: str | None = None

    def to_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in _FIELDS}

    @classmethod
    def from_json(cls, json_err: Mapping[str, Any]) -> Self:
        """Keys that are missing stay None, keys that are unknown are left out."""
        made = cls()
        for name in _FIELDS:
            setattr(made, name, json_err.get(name))
        return made
