"""Schedules of items, as InterSystems IRIS writes them: when an item works, and until when.

``START:*-*-*T08:00:00,STOP:*-*-*T18:00:00`` works from 8 to 18 each day,
``START:WEEK-*-01T08:00,STOP:WEEK-*-05T18:00`` from Monday morning to Friday evening. An event is
``ACTION:YYYY-MM-DDThh:mm:ss``; each field may be ``*``. With the word ``WEEK`` for the year, the month is which one of
these weekdays in its month (01 to 05), and the day the weekday (00 is Sunday).

Times are those of the machine's wall clock. An event at a time that happens twice, when the clock is put back, takes
place the first time only; one that is left out takes place as much later as it lies behind the gap's begin.
"""

from __future__ import annotations

import calendar
import itertools
import re
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from junctor.errors import ConfigurationError

Action = Literal["START", "STOP"]

_EVENT = re.compile(
    r"(START|STOP):(\d{4}|\*|WEEK)-(\d\d|\*)-(\d\d|\*)T(\d\d|\*):(\d\d|\*)(?::(\d\d|\*))?", re.IGNORECASE
)
_DAYS = 8 * 366 + 2
"""How far events are looked for: from one 29th of February to the next it may take eight years."""

_EXAMPLE = "Write for example START:*-*-*T08:00:00,STOP:*-*-*T18:00:00."


class Event(msgspec.Struct, frozen=True):
    """One event; None is ``*``. ``week``: ``month`` and ``day`` are those of the form WEEK."""

    action: Action
    year: int | None
    month: int | None
    day: int | None
    hour: int | None
    minute: int | None
    second: int | None
    week: bool = False

    def falls_on(self, day: date) -> bool:
        """Whether the event takes place on a day."""
        if self.week:
            weekday, number = day.isoweekday() % 7, (day.day - 1) // 7 + 1
            return self.day in (None, weekday) and self.month in (None, number)
        return self.year in (None, day.year) and self.month in (None, day.month) and self.day in (None, day.day)

    def times(self, backward: bool = False) -> Iterator[time]:
        """Its times of a day, in order."""
        fields = ((self.hour, 24), (self.minute, 60), (self.second, 60))
        spans = [range(size) if value is None else (value,) for value, size in fields]
        for hour, minute, second in itertools.product(*(reversed(span) if backward else span for span in spans)):
            yield time(hour, minute, second)


class Window(msgspec.Struct, frozen=True):
    """Whether an item works, and the instant of the next change in seconds since 1970; None where there is none."""

    open: bool
    until: float | None = None


def read_schedule(text: str, where: str = "Schedule") -> tuple[Event, ...]:
    """The events of a schedule; none for an empty text: the item always works.

    :raises ConfigurationError: an event is not written as above.
    """
    if text.strip().startswith("@"):
        fix = "Write the events themselves in its place."
        raise ConfigurationError(f"named schedules are not offered yet: {text.strip()}", where=where, fix=fix)
    return tuple(_event(part.strip(), where) for part in text.split(",") if part.strip())


def window_at(events: tuple[Event, ...], now: float, zone: ZoneInfo | None = None) -> Window:
    """What a schedule says of an instant. Before the first event an item works where that is a STOP. Of two events at
    one instant the later in the text counts.

    :param now: seconds since 1970.
    :param zone: that of the machine by default.
    """
    if not events:
        return Window(True)
    last = _last(events, now, zone)
    if last is None:
        first = next(_following(events, now, zone), None)
        return Window(first is None or first[1] == "STOP", None if first is None else first[0])
    change = next((instant for instant, action in _following(events, now, zone, last) if action != last), None)
    return Window(last == "START", change)


def _event(text: str, where: str) -> Event:
    found = _EVENT.fullmatch(text)
    if found is None:
        raise ConfigurationError(f"{text!r} is no event of a schedule", where=where, fix=_EXAMPLE)
    action, first, *others = (part and part.upper() for part in found.groups())
    week = first == "WEEK"
    year, month, day, hour, minute, second = (
        None if part == "*" else int(part or 0) for part in ("*" if week else first, *others)
    )
    event = Event("START" if action == "START" else "STOP", year, month, day, hour, minute, second, week)
    if not _exists(event):
        raise ConfigurationError(f"{text!r} never happens", where=where, fix=_EXAMPLE)
    return event


def _exists(event: Event) -> bool:
    limits = ((event.hour, 23), (event.minute, 59), (event.second, 59))
    if any(value is not None and value > limit for value, limit in limits):
        return False
    month, day = event.month, event.day
    if event.week:
        return (month is None or 1 <= month <= 5) and (day is None or day <= 6)
    if event.year == 0 or (month is not None and not 1 <= month <= 12):
        return False
    longest = 31 if month is None else calendar.monthrange(event.year or 2024, month)[1]
    return day is None or 1 <= day <= longest


def _last(events: tuple[Event, ...], now: float, zone: ZoneInfo | None) -> Action | None:
    """The action that took place last. A day more than today is looked at first: an hour that is left out or put back
    may bring an event of one day into the next."""
    latest = _local(now, zone).date() + timedelta(days=1)
    for day in reversed([day for day in _days(events, now, zone, -_DAYS, 1) if day <= latest]):
        found = [
            (instant, number)
            for number, event in enumerate(events)
            if event.falls_on(day) and (instant := _latest(event, day, now, zone)) is not None
        ]
        if found:
            return events[max(found)[1]].action
    return None


def _days(events: tuple[Event, ...], now: float, zone: ZoneInfo | None, first: int, last: int) -> list[date]:
    """The days to be looked at, in order: some around today, and those of events in a year of their own."""
    today = _local(now, zone).date()
    days = {today + timedelta(days=number) for number in range(first, last + 1)}
    for year in {event.year for event in events if event.year is not None}:
        days |= {date(year, 1, 1) + timedelta(days=number) for number in range(365 + calendar.isleap(year))}
    return sorted(day for day in days if any(event.falls_on(day) for event in events))


def _latest(event: Event, day: date, now: float, zone: ZoneInfo | None) -> float | None:
    times = (_instant(datetime.combine(day, at), zone) for at in event.times(backward=True))
    return next((instant for instant in times if instant <= now), None)


def _following(
    events: tuple[Event, ...], now: float, zone: ZoneInfo | None, last: Action | None = None
) -> Iterator[tuple[float, Action]]:
    """The instants behind ``now`` with what takes place then, in order.

    :param last: days on which nothing else takes place are left out, for they may have an event in each second.
    """
    for day in _days(tuple(event for event in events if event.action != last), now, zone, -1, _DAYS):
        found: dict[float, Action] = {}
        for event in events:
            if event.falls_on(day):
                instants = (_instant(datetime.combine(day, at), zone) for at in event.times())
                found |= dict.fromkeys((instant for instant in instants if instant > now), event.action)
        yield from sorted(found.items())


def _local(instant: float, zone: ZoneInfo | None) -> datetime:
    return datetime.fromtimestamp(instant, zone).replace(tzinfo=None)


def _instant(local: datetime, zone: ZoneInfo | None) -> float:
    return local.replace(tzinfo=zone).timestamp()
