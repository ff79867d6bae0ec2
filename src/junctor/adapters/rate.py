"""How often an adapter may do something to the other side."""

from __future__ import annotations

import re
from typing import Self

from junctor.errors import ConfigurationError

_WRITTEN = re.compile(r"\s*(\d+(?:\.\d+)?)\s*/\s*(s|m|h|d)\s*")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class Rate:
    """So many in so much time, as the type of a setting: ``100/s``, ``30/m``, ``1000/h``, ``5/d``."""

    __slots__ = ("interval", "text")

    def __init__(self, text: str) -> None:
        found = _WRITTEN.fullmatch(text)
        if found is None or not float(found[1]):
            raise ConfigurationError(f'"{text}" is no rate', fix="Write for example 100/s, 30/m, 1000/h or 5/d.")
        self.text = text.strip()
        self.interval = _SECONDS[found[2]] / float(found[1])

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read what a setting says.

        :raises ConfigurationError: it is no rate.
        """
        return cls(text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Rate) and other.text == self.text

    def __hash__(self) -> int:
        return hash((Rate, self.text))

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __repr__(self) -> str:
        return f"Rate({self.text!r})"

    def __str__(self) -> str:
        return self.text


class Pace:
    """A place in time for each call, evenly spread: a token bucket that holds one. So no second has more calls than the
    rate says, also not the first one after a silence."""

    __slots__ = ("_interval", "_next", "_now")

    def __init__(self, rate: Rate) -> None:
        self._interval = rate.interval
        self._next = self._now = float("-inf")

    def wait(self, now: float) -> float:
        """Take the next place: the seconds until then.

        :param now: seconds of the node's clock. Where it was set back, the places move with it.
        """
        if now < self._now:
            self._next -= self._now - now
        self._now = now
        at = max(self._next, now)
        self._next = at + self._interval
        return at - now
