"""Hours of the week: when they opened, in the local time of a zone."""

from __future__ import annotations

import math
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from junctor.core.hours import read_hours

BERLIN = ZoneInfo("Europe/Berlin")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN)


WORK = read_hours("07:00-19:00", ("mon-fri",), "Europe/Berlin")
NIGHT = read_hours("22:00-06:00", ("fri",), "Europe/Berlin")


@pytest.mark.parametrize(
    ("when", "opened"),
    [
        ("2026-11-20 06:59", None),
        ("2026-11-20 07:00", 0),
        ("2026-11-20 18:59", 11 * 3600 + 59 * 60),
        ("2026-11-20 19:00", None),
        ("2026-11-21 12:00", None),
        ("2026-03-30 07:30", 1800),  # the first working day of summer time
    ],
)
def test_working_hours(when: str, opened: float | None) -> None:
    assert WORK.open_for(at(when)) == opened


def test_hours_over_midnight_belong_to_the_day_on_which_they_begin() -> None:
    assert NIGHT.open_for(at("2026-11-20 21:59")) is None
    assert NIGHT.open_for(at("2026-11-20 23:00")) == 3600
    assert NIGHT.open_for(at("2026-11-21 05:00")) == 7 * 3600
    assert NIGHT.open_for(at("2026-11-21 06:00")) is None
    assert NIGHT.open_for(at("2026-11-21 23:00")) is None
    assert NIGHT.length == 8 * 3600


def test_whole_days() -> None:
    assert read_hours(None, None, None).open_for(at("2026-11-20 12:00")) == math.inf
    weekend = read_hours(None, ("sat", "sun"), "Europe/Berlin")
    assert weekend.open_for(at("2026-11-20 12:00")) is None
    assert weekend.open_for(at("2026-11-22 12:00")) == 36 * 3600, "since Saturday"
    assert weekend.length == 48 * 3600
    assert read_hours(None, ("fri-mon",), None).length == 4 * 86400


def test_the_zone_counts_not_the_machine() -> None:
    tokyo = read_hours("07:00-19:00", None, "Asia/Tokyo")
    assert tokyo.open_for(at("2026-11-20 00:00")) == 3600


@pytest.mark.parametrize(
    ("hours", "days", "zone", "wrong"),
    [
        ("7-19", None, None, '"7-19" are no hours'),
        ("25:00-26:00", None, None, "are no hours"),
        (None, ("workdays",), None, '"workdays" are no days'),
        (None, None, "Europe/Berlim", 'no time zone "Europe/Berlim"'),
        (None, None, "../../etc/passwd", "no time zone"),
    ],
)
def test_wrong_words(hours: str | None, days: tuple[str, ...] | None, zone: str | None, wrong: str) -> None:
    with pytest.raises(ValueError, match="write for example") as caught:
        read_hours(hours, days, zone)
    assert wrong in str(caught.value)
