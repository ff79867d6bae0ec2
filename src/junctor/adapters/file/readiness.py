"""Whether who writes a file has finished it. Nothing in a file says so; either it says nothing more for a while, or
another file says it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

from junctor.adapters.file.folder import Found

Ready = Literal["stable", "marker", "none"]


class _Look(msgspec.Struct):
    """What a file was at the last look, and for how many seconds it has been that."""

    size: int
    mtime: int
    rested: float = 0.0


class Stability:
    """Files that have not changed for a while. It counts the time between its looks, and none of them for more than a
    file has to rest: where the clock jumps, a file is taken a look earlier or later, and never an hour.

    :param seconds: how long size and time have to stay the same.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._looks: dict[str, _Look] = {}
        self._last = 0.0

    def ready(self, files: Iterable[Found], now: float) -> list[Found]:
        """Those of ``files`` that are finished; the others are looked at again. Files that are not named are forgotten.

        :param now: the time in seconds.
        """
        passed = min(max(0.0, now - self._last), self._seconds) if self._looks else 0.0
        self._last = now
        looks: dict[str, _Look] = {}
        for file in files:
            known = self._looks.get(file.name)
            if known is None or (known.size, known.mtime) != (file.size, file.mtime):
                known = _Look(file.size, file.mtime)
            else:
                known.rested += passed
            looks[file.name] = known
        self._looks = looks
        return [file for file in files if looks[file.name].rested >= self._seconds]


class Marker:
    """The name of the file that says that another one is finished.

    :param pattern: its name, with ``{name}`` where that of the file stands: ``{name}.done``.
    """

    def __init__(self, pattern: str) -> None:
        self.before, _, self.behind = pattern.partition("{name}")

    def of(self, name: str) -> str:
        """The marker of a file."""
        folder, slash, last = name.rpartition("/")
        return f"{folder}{slash}{self.before}{last}{self.behind}"

    def is_one(self, name: str) -> bool:
        """Whether a name is that of a marker."""
        last = name.rpartition("/")[2]
        length = len(self.before) + len(self.behind)
        return len(last) > length and last.startswith(self.before) and last.endswith(self.behind)
