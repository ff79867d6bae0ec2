"""A part of the week: some hours of some days in a time zone."""

from __future__ import annotations

import math
import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_HOURS = re.compile(r"(\d\d?):([0-5]\d)\s*-\s*(\d\d?):([0-5]\d)")
_DAY = 24 * 60


class Hours(msgspec.Struct, frozen=True):
    """From ``start`` to ``end``, in minutes after midnight, on ``days`` (0 is Monday). An end before the start is on
    the next day: ``22:00-06:00`` on Friday lasts until Saturday. ``zone`` None is that of the machine."""

    start: int = 0
    end: int = _DAY
    days: frozenset[int] = frozenset(range(7))
    zone: str | None = None

    @property
    def length(self) -> float:
        """Seconds from opening to closing; infinite where it never closes."""
        if not self._whole_days:
            return float((self.end - self.start) % _DAY or _DAY) * 60
        if len(self.days) == 7:
            return math.inf
        return max(self._run(day) for day in self.days) * 86400.0

    def open_for(self, now: datetime) -> float | None:
        """Seconds since it opened, None while it is closed; infinite where it never closes.

        :param now: an instant with a time zone.
        """
        local = now.astimezone(ZoneInfo(self.zone) if self.zone else None)
        if self._whole_days:
            return self._open_days(local)
        for back in (0, 1):
            opened = self._opening(local - timedelta(days=back))
            since = (local.replace(tzinfo=None) - opened).total_seconds()
            if opened.weekday() in self.days and 0 <= since < self.length:
                return since
        return None

    @property
    def _whole_days(self) -> bool:
        return self.start == 0 and self.end == _DAY

    def _opening(self, day: datetime) -> datetime:
        midnight = day.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
        return midnight + timedelta(minutes=self.start)

    def _open_days(self, local: datetime) -> float | None:
        if local.weekday() not in self.days:
            return None
        if len(self.days) == 7:
            return math.inf
        since = (local.replace(tzinfo=None) - self._opening(local)).total_seconds()
        return since + (self._run(local.weekday()) - 1) * 86400

    def _run(self, day: int) -> int:
        """How many days in a row are open, the last of them ``day``."""
        return next(length for length in range(1, 8) if (day - length) % 7 not in self.days)


def read_hours(hours: str | None, days: tuple[str, ...] | None, zone: str | None) -> Hours:
    """From ``"07:00-19:00"``, ``("mon-fri",)`` and the name of a time zone.

    :raises ValueError: one of them is none; the text says which and shows a right one.
    """
    start, end = (0, _DAY) if hours is None else _minutes(hours)
    found = frozenset(range(7)) if days is None else frozenset(number for word in days for number in _days(word))
    if zone is not None:
        try:
            ZoneInfo(zone)
        except (KeyError, ValueError, OSError):
            raise ValueError(f'there is no time zone "{zone}"; write for example Europe/Berlin') from None
    return Hours(start, end, found, zone)


def _minutes(text: str) -> tuple[int, int]:
    match = _HOURS.fullmatch(text.strip())
    numbers = [int(part) for part in match.groups()] if match is not None else []
    if not numbers or numbers[0] > 23 or numbers[2] > 24 or (numbers[2] == 24 and numbers[3]):
        raise ValueError(f'"{text}" are no hours; write for example "07:00-19:00"')
    start, end = numbers[0] * 60 + numbers[1], numbers[2] * 60 + numbers[3]
    return (0, _DAY) if start == end else (start, end)


def _days(text: str) -> list[int]:
    first, sign, last = (part.strip().lower()[:3] for part in text.partition("-"))
    if first not in DAYS or (sign and last not in DAYS):
        raise ValueError(f'"{text}" are no days; write for example mon-fri, or [mon, wed]')
    begin = DAYS.index(first)
    length = (DAYS.index(last) - begin) % 7 if sign else 0
    return [(begin + step) % 7 for step in range(length + 1)]
