"""What the node remembers of its alerts, over restarts: the state of the service ``junctor/alerts``."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from junctor.core.alarm import RuleState
from junctor.core.signals import SYSTEM

ADDRESS = f"{SYSTEM}/alerts"
NAME = "book"


class Kept(msgspec.Struct, frozen=True):
    """A rule: its alarms, and who was told last."""

    state: RuleState = RuleState()
    to: tuple[str, ...] = ()


class Book(msgspec.Struct, frozen=True, kw_only=True):
    """The rules by ``flow/name``. ``steady`` are the seconds of a clock that only goes forward, ``wall`` the same
    instant in nanoseconds since 1970, when this was written."""

    steady: float = 0.0
    wall: int = 0
    rules: dict[str, Kept] = {}

    def steady_at(self, wall: int) -> float:
        """The steady clock after a restart. A clock that was set back meanwhile stands still."""
        return self.steady + max(0, wall - self.wall) / 1e9


def book_in(entries: Mapping[str, tuple[bytes, int]]) -> Book:
    """The book in the stored state of the service; an empty one where there is none, or of another version."""
    found = entries.get(NAME)
    if found is None:
        return Book()
    try:
        return msgspec.json.decode(found[0], type=Book)
    except msgspec.ValidationError:
        return Book()
