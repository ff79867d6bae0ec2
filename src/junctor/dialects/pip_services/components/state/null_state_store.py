"""No state."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from junctor.dialects.pip_services.components.state.interfaces import IStateStore, StateValue


class NullStateStore(IStateStore):
    """Keeps nothing."""

    def load(self, correlation_id: str | None, key: str) -> Any:
        return None

    def load_bulk(self, correlation_id: str | None, keys: Sequence[str]) -> list[StateValue]:
        return []

    def save(self, correlation_id: str | None, key: str, value: Any) -> Any:
        return value

    def delete(self, correlation_id: str | None, key: str) -> Any:
        return None
