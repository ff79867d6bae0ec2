"""Schedules of items: each edge of a window, days and weeks, and the two nights on which the clock is changed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time
from zoneinfo import ZoneInfo

import pytest

from junctor.dialects.iop.hosting.schedule import Event, Window, read_schedule, window_at
from junctor.errors import ConfigurationError

BERLIN = ZoneInfo("Europe/Berlin")
OFFICE = "START:*-*-*T08:00:00,STOP:*-*-*T18:00:00"
WEEK = "START:WEEK-*-01T08:00:00,STOP:WEEK-*-05T18:00:00"


def at(text: str, fold: int = 0) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN, fold=fold).timestamp()


def window(schedule: str, text: str, fold: int = 0) -> tuple[bool, str]:
    found = window_at(read_schedule(schedule), at(text, fold), BERLIN)
    until = "" if found.until is None else datetime.fromtimestamp(found.until, BERLIN).isoformat()[:19]
    return found.open, until


@pytest.mark.parametrize(
    ("schedule", "now", "expected"),
    [
        # A day: the instant of an event belongs to what begins with it.
        (OFFICE, "2026-11-20T07:59:59", (False, "2026-11-20T08:00:00")),
        (OFFICE, "2026-11-20T08:00:00", (True, "2026-11-20T18:00:00")),
        (OFFICE, "2026-11-20T17:59:59", (True, "2026-11-20T18:00:00")),
        (OFFICE, "2026-11-20T18:00:00", (False, "2026-11-21T08:00:00")),
        # Over midnight.
        ("START:*-*-*T22:00,STOP:*-*-*T06:00", "2026-12-31T23:00:00", (True, "2027-01-01T06:00:00")),
        ("START:*-*-*T22:00,STOP:*-*-*T06:00", "2026-12-31T12:00:00", (False, "2026-12-31T22:00:00")),
        # A week; 2026-11-20 is a Friday.
        (WEEK, "2026-11-20T17:59:00", (True, "2026-11-20T18:00:00")),
        (WEEK, "2026-11-21T12:00:00", (False, "2026-11-23T08:00:00")),
        (WEEK, "2026-11-25T03:00:00", (True, "2026-11-27T18:00:00")),
        # Sunday is 00.
        ("START:WEEK-*-00T00:00,STOP:WEEK-*-01T00:00", "2026-11-22T12:00:00", (True, "2026-11-23T00:00:00")),
        # The first Monday of a month.
        ("START:WEEK-01-01T00:00,STOP:WEEK-01-02T00:00", "2026-11-02T12:00:00", (True, "2026-11-03T00:00:00")),
        ("START:WEEK-01-01T00:00,STOP:WEEK-01-02T00:00", "2026-11-20T12:00:00", (False, "2026-12-07T00:00:00")),
        # A month, a year, a leap day.
        ("START:*-*-01T00:00,STOP:*-*-02T00:00", "2026-11-20T12:00:00", (False, "2026-12-01T00:00:00")),
        ("START:*-12-24T00:00,STOP:*-12-27T00:00", "2026-12-25T12:00:00", (True, "2026-12-27T00:00:00")),
        ("START:*-02-29T00:00,STOP:*-03-01T00:00", "2026-11-20T12:00:00", (False, "2028-02-29T00:00:00")),
        # Each hour.
        ("START:*-*-*T*:00:00,STOP:*-*-*T*:15:00", "2026-11-20T12:10:00", (True, "2026-11-20T12:15:00")),
        ("START:*-*-*T*:00:00,STOP:*-*-*T*:15:00", "2026-11-20T23:30:00", (False, "2026-11-21T00:00:00")),
        # Once: before the first event, after the last one.
        ("START:2026-11-21T00:00:00", "2026-11-20T12:00:00", (False, "2026-11-21T00:00:00")),
        ("STOP:2026-11-21T00:00:00", "2026-11-20T12:00:00", (True, "2026-11-21T00:00:00")),
        ("STOP:2026-11-21T00:00:00", "2026-11-22T12:00:00", (False, "")),
        ("STOP:2000-01-01T00:00:00,START:2999-01-01T00:00:00", "2026-11-22T12:00:00", (False, "2999-01-01T00:00:00")),
        ("START:*-*-*T08:00:00", "2026-11-20T07:00:00", (True, "")),
        # At one instant the later in the text counts.
        ("START:*-*-*T08:00,STOP:*-*-*T08:00", "2026-11-20T12:00:00", (False, "")),
        ("STOP:*-*-*T08:00,START:*-*-*T08:00", "2026-11-20T12:00:00", (True, "")),
        (" start:*-*-*t08:00 , stop:*-*-*t09:00 ", "2026-11-20T08:30:00", (True, "2026-11-20T09:00:00")),
        ("", "2026-11-20T12:00:00", (True, "")),
    ],
)
def test_windows(schedule: str, now: str, expected: tuple[bool, str]) -> None:
    assert window(schedule, now) == expected


def test_an_hour_that_is_left_out() -> None:
    """On 2026-03-29 the clock goes from 2 to 3: 02:30 takes place half an hour behind that."""
    schedule = "START:*-*-*T02:30,STOP:*-*-*T12:00"
    assert window(schedule, "2026-03-29T01:59:59") == (False, "2026-03-29T03:30:00")
    assert window(schedule, "2026-03-29T03:29:59") == (False, "2026-03-29T03:30:00")
    assert window(schedule, "2026-03-29T03:30:00") == (True, "2026-03-29T12:00:00")


def test_an_hour_that_happens_twice() -> None:
    """On 2026-10-25 the clock goes from 3 back to 2: 02:30 takes place the first time only."""
    schedule = "START:*-*-*T02:30,STOP:*-*-*T12:00"
    assert window(schedule, "2026-10-25T02:29:00") == (False, "2026-10-25T02:30:00")
    assert window(schedule, "2026-10-25T02:30:00") == (True, "2026-10-25T12:00:00")
    assert window(schedule, "2026-10-25T02:15:00", fold=1) == (True, "2026-10-25T12:00:00")
    assert at("2026-10-25T12:00:00") - at("2026-10-25T02:15:00", fold=1) == 9.75 * 3600


def test_days_of_23_and_25_hours() -> None:
    for day, hours in (("2026-03-29", 23), ("2026-10-25", 25)):
        found = window_at(read_schedule("START:*-*-*T00:00,STOP:*-12-31T00:00"), at(f"{day}T00:00:00"), BERLIN)
        assert found.open
        daily = window_at(read_schedule("START:*-*-*T01:00,STOP:*-*-*T00:00"), at(f"{day}T01:00:00"), BERLIN)
        assert daily.until == at(f"{day}T00:00:00") + hours * 3600


def test_the_zone_of_the_machine() -> None:
    noon = datetime(2026, 11, 20, 12).timestamp()
    assert window_at(read_schedule(OFFICE), noon) == Window(True, noon + 6 * 3600)


@pytest.mark.parametrize(
    "text",
    [
        "8-18",
        "START:*-*-*",
        "START:*-13-01T00:00:00",
        "START:2026-02-29T00:00:00",
        "START:*-*-*T24:00:00",
        "START:*-*-*T08:60:00",
        "START:WEEK-06-01T00:00:00",
        "START:WEEK-*-07T00:00:00",
        "PAUSE:*-*-*T08:00:00",
        "START:*-*-32T08:00:00",
        "START:0000-*-*T08:00:00",
        "START:*-00-*T08:00:00",
        "@Office",
    ],
)
def test_what_is_no_schedule(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"Python\.MyBO\.Schedule"):
        read_schedule(text, "Python.MyBO.Schedule")


def test_days_on_which_nothing_changes_are_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[time] = []
    times = Event.times

    def counted(event: Event, backward: bool = False) -> Iterator[time]:
        for at_ in times(event, backward):
            looked.append(at_)
            yield at_

    monkeypatch.setattr(Event, "times", counted)
    assert window("START:WEEK-*-00T*:*:30", "2026-11-20T12:00:00") == (True, "")
    assert window("STOP:*-*-*T*:*:00,START:WEEK-*-00T08:00", "2026-11-20T12:00:00") == (False, "2026-11-22T08:00:00")
    assert len(looked) < 10_000
