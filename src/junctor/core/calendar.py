"""When a schedule of the calendar is due, by a wall clock that may be set, or stand still while the machine sleeps."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo

from junctor.clock import SECOND

JUMP = 3 * 3600 * SECOND
"""Nanoseconds from which on a clock was set, as for cron(8): by less, nothing is left out and nothing comes twice; by
more, what it shows now counts, and what it went over is left out as all that was missed."""


class Calendar:
    """One schedule. Times in nanoseconds since 1970.

    :param expression: the five fields of cron.
    :param zone: None for the one of the machine, as it is at each time that is asked from.
    """

    def __init__(self, expression: str, zone: tzinfo | None, now: int) -> None:
        self._expression = expression
        self._zone = zone
        self._seen = now
        self._due = self._after(now)

    def left(self, now: int) -> float:
        """Seconds until it is due; none are left when it is."""
        if now < self._seen - JUMP or now > self._due + JUMP:
            self._due = self._after(now)
        self._seen = now
        return (self._due - now) / SECOND

    def ticked(self, now: int) -> None:
        """What was due is done, or left out."""
        self._due = self._after(max(now, self._due))

    def _after(self, time: int) -> int:
        from cronsim import CronSim

        begin = datetime.fromtimestamp(time / SECOND, UTC).astimezone(self._zone)
        return round(next(CronSim(self._expression, begin)).timestamp()) * SECOND
