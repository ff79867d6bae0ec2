"""State in memory."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Any

from junctor.dialects.pip_services.commons.config import ConfigParams, IReconfigurable
from junctor.dialects.pip_services.components.state.interfaces import IStateStore, StateValue


class StateEntry:
    """A value and when it was saved last."""

    def __init__(self, key: str, value: Any) -> None:
        self._key = key
        self.set_value(value)

    def get_key(self) -> str:
        return self._key

    def get_value(self) -> Any:
        return self._value

    def set_value(self, value: Any) -> None:
        self._value = value
        self._last_update = time.monotonic()

    def get_last_update_time(self) -> float:
        """Seconds on the clock of :func:`time.monotonic`."""
        return self._last_update


class MemoryStateStore(IStateStore, IReconfigurable):
    """Parameters: ``options.timeout``, after which a value is forgotten (0 ms: never)."""

    def __init__(self) -> None:
        self._states: dict[str, StateEntry] = {}
        self._timeout = 0
        self._lock = threading.Lock()

    def configure(self, config: ConfigParams) -> None:
        self._timeout = config.get_as_integer_with_default("options.timeout", self._timeout)

    def load(self, correlation_id: str | None, key: str) -> Any:
        with self._lock:
            self._cleanup()
            entry = self._states.get(_checked(key))
            return None if entry is None else entry.get_value()

    def load_bulk(self, correlation_id: str | None, keys: Sequence[str]) -> list[StateValue]:
        return [StateValue(key, self.load(correlation_id, key)) for key in keys]

    def save(self, correlation_id: str | None, key: str, value: Any) -> Any:
        """The value; None takes it out."""
        with self._lock:
            self._cleanup()
            if value is None:
                self._states.pop(_checked(key), None)
            else:
                self._states[_checked(key)] = StateEntry(key, value)
            return value

    def delete(self, correlation_id: str | None, key: str) -> Any:
        with self._lock:
            entry = self._states.pop(_checked(key), None)
            return None if entry is None else entry.get_value()

    def _cleanup(self) -> None:
        if self._timeout > 0:
            oldest = time.monotonic() - self._timeout / 1000
            self._states = {key: entry for key, entry in self._states.items() if entry.get_last_update_time() >= oldest}


def _checked(key: str | None) -> str:
    if key is None:
        raise ValueError("Key cannot be null")
    return key
