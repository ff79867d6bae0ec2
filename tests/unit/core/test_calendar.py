"""The calendar on clocks that are set, and over the change from summer to winter time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from junctor.clock import SECOND, machine_zone
from junctor.core.calendar import Calendar

VIENNA = ZoneInfo("Europe/Vienna")


def ns(year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0) -> int:
    return round(datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp()) * SECOND


def test_a_clock_that_was_years_ahead_keeps_nothing_waiting_for_years() -> None:
    calendar = Calendar("0 6 * * *", UTC, ns(2036, 1, 1))
    assert calendar.left(ns(2036, 1, 1)) == 6 * 3600
    assert calendar.left(ns(2026, 1, 1, 5)) == 3600


def test_a_clock_that_is_set_back_a_little_has_nothing_done_twice() -> None:
    calendar = Calendar("0 6 * * *", UTC, ns(2026, 1, 1))
    assert calendar.left(ns(2026, 1, 1, 6)) == 0
    calendar.ticked(ns(2026, 1, 1, 5, 59, 59))
    assert calendar.left(ns(2026, 1, 1, 5, 59, 59)) == 24 * 3600 + 1


@pytest.mark.parametrize(("now", "left"), [(ns(2026, 1, 1, 8, 59), 0), (ns(2026, 1, 1, 14, 30), 15.5 * 3600)])
def test_what_a_clock_went_over_is_made_up_only_where_it_was_little(now: int, left: float) -> None:
    calendar = Calendar("0 6 * * *", UTC, ns(2026, 1, 1))
    assert max(0.0, calendar.left(now)) == left


def test_a_clock_without_a_battery_begins_in_1970() -> None:
    calendar = Calendar("0 6 * * *", UTC, ns(1970, 1, 1))
    assert calendar.left(ns(2026, 1, 1, 14)) == 16 * 3600


def ticks(calendar: Calendar, begin: datetime, count: int) -> list[datetime]:
    now, found = round(begin.timestamp()) * SECOND, []
    for _ in range(count):
        now += round(calendar.left(now) * SECOND)
        found.append(datetime.fromtimestamp(now / SECOND, VIENNA))
        calendar.ticked(now)
    return found


@pytest.mark.parametrize("day", [datetime(2026, 10, 24, 12, tzinfo=VIENNA), datetime(2026, 3, 28, 12, tzinfo=VIENNA)])
def test_a_daily_schedule_of_the_machine_over_a_change_of_its_time(
    day: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Europe/Vienna")
    zone = machine_zone()
    calendar = Calendar("0 6 * * *", zone, round(day.timestamp()) * SECOND)
    first = day.replace(hour=6) + timedelta(days=1)
    assert ticks(calendar, day, 3) == [first + timedelta(days=number) for number in range(3)]


def test_the_zone_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for text, name in {"": "UTC", ":Europe/Vienna": "Europe/Vienna"}.items():
        monkeypatch.setenv("TZ", text)
        assert str(machine_zone()) == name
    monkeypatch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
    assert machine_zone() is None
    monkeypatch.delenv("TZ")
    assert (machine_zone() is not None) == Path("/etc/localtime").exists()
