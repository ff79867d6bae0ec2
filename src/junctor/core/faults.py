"""Errors that services tell of themselves, by their codes: how often, and for how long they are news."""

from __future__ import annotations

import msgspec

LASTS = 60 * 1_000_000_000
"""Nanoseconds after which a fault that is not told again is over."""

ANY = "*"
"""Stands for every code in a rule."""

CODES = 100
"""Codes of one service that are remembered."""


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """An error with a code, empty for none. ``count`` times it was told, ``since`` first and ``last``, in nanoseconds
    since 1970."""

    code: str
    text: str
    count: int
    since: int
    last: int


class Faults:
    """Those of one service. Not to be called from several threads at once."""

    def __init__(self) -> None:
        self._known: dict[str, Fault] = {}

    def note(self, code: str, text: str, now: int) -> None:
        """One was told."""
        before = self._known.pop(code, None)
        lasts = before is not None and now - before.last < LASTS
        since, count = (before.since, before.count) if before is not None and lasts else (now, 0)
        if len(self._known) >= CODES:
            del self._known[next(iter(self._known))]
        self._known[code] = Fault(code=code, text=text, count=count + 1, since=since, last=now)

    def lasting(self, now: int) -> tuple[Fault, ...]:
        """Those that are not over."""
        return tuple(fault for fault in self._known.values() if now - fault.last < LASTS)
