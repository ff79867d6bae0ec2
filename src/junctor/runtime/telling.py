"""How often the same is said in the log: a service that fails for each of a hundred thousand messages must not fill the
disk with it, nor hide everything else."""

from __future__ import annotations

from collections.abc import Callable

from junctor.clock import Clock

AT_ONCE = 20
"""Lines of one kind that are told in :data:`PERIOD`; the rest is counted."""

PERIOD = 10.0
"""Seconds."""

_KINDS = 256
"""Kinds that are known at a time; beyond that all others are one."""


class Telling:
    """Decides for each line whether it is told.

    :param rest: called at the end of a period with a kind and how many lines of it were left out.
    """

    def __init__(self, clock: Clock, rest: Callable[[str, int], object]) -> None:
        self._clock = clock
        self._rest = rest
        self._told: dict[str, int] = {}
        self._left_out: dict[str, int] = {}
        self._began = 0.0

    def tells(self, kind: str) -> bool:
        """Whether one more line of this kind is to be told now."""
        now = self._clock.monotonic()
        if not self._left_out and now >= self._began + PERIOD:
            self._told.clear()
            self._began = now
        kind = kind if kind in self._told or len(self._told) < _KINDS else ""
        count = self._told[kind] = self._told.get(kind, 0) + 1
        if count <= AT_ONCE:
            return True
        if not self._left_out:
            self._clock.call_later(max(0.0, self._began + PERIOD - now), self._end)
        self._left_out[kind] = self._left_out.get(kind, 0) + 1
        return False

    def _end(self) -> None:
        left_out, self._left_out = self._left_out, {}
        self._told.clear()
        self._began = self._clock.monotonic()
        for kind, count in left_out.items():
            self._rest(kind, count)
