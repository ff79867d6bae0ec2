"""What attributes of processes hold that cannot be stored: kept as long as the node lives."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

_MANY = 1000


class Memory:
    """Values by conversation and turn. A turn that is repeated finds what the one before it left.

    :param is_open: whether the conversation of a number can still go on. Conversations that an operator has cancelled
        never come back here: they are looked for when there are many.
    """

    def __init__(self, is_open: Callable[[int], bool]) -> None:
        self._kept: dict[int, dict[int, Mapping[str, Any]]] = {}
        self._is_open = is_open
        self._lock = threading.Lock()
        self._many = _MANY

    def find(self, run: int, turn: int) -> Mapping[str, Any]:
        """What the turns below this one left."""
        with self._lock:
            return self._kept.get(run, {}).get(turn, {})

    def keep(self, run: int, turn: int, values: Mapping[str, Any]) -> None:
        """Keep it for this turn; what is older than the turn before it is not needed any more."""
        with self._lock:
            turns = {number: each for number, each in self._kept.pop(run, {}).items() if number == turn - 1}
            if values:
                turns[turn] = values
            if turns:
                self._kept[run] = turns
            if len(self._kept) > self._many:
                self._sort_out()

    def forget(self, run: int) -> None:
        """The conversation ends."""
        with self._lock:
            self._kept.pop(run, None)

    def _sort_out(self) -> None:
        self._kept = {run: turns for run, turns in self._kept.items() if self._is_open(run)}
        self._many = max(_MANY, 2 * len(self._kept))
