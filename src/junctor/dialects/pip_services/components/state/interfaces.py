"""What keeps the state of components."""

from __future__ import annotations

from abc import ABC
from collections.abc import Sequence
from typing import Any


class StateValue:
    """A value and the key it is kept under."""

    def __init__(self, key: str, value: Any) -> None:
        self.key = key
        self.value = value


class IStateStore(ABC):  # noqa: B024 - others may be written without inheriting
    """Values by key."""

    def load(self, correlation_id: str | None, key: str) -> Any:
        """None where there is no value."""
        raise NotImplementedError

    def load_bulk(self, correlation_id: str | None, keys: Sequence[str]) -> list[StateValue]:
        raise NotImplementedError

    def save(self, correlation_id: str | None, key: str, value: Any) -> Any:
        raise NotImplementedError

    def delete(self, correlation_id: str | None, key: str) -> Any:
        """What was there."""
        raise NotImplementedError
