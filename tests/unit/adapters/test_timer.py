"""timer: intervals, the calendar, what it sends, what it refuses."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from junctor.adapters import Timer
from junctor.errors import SettingError
from junctor.testing import running


@dataclass
class Tick:
    number: int
    day: str


def test_an_interval() -> None:
    with running(Timer(every="10m", initial="5m")) as plant:
        plant.advance("31m")
        assert plant.sent("timer.out") == [
            {"time": "2030-01-01T00:05:00.000+00:00", "count": 1},
            {"time": "2030-01-01T00:15:00.000+00:00", "count": 2},
            {"time": "2030-01-01T00:25:00.000+00:00", "count": 3},
        ]


def test_the_calendar() -> None:
    with running(Timer(cron="0 6 * * *", zone="Europe/Berlin"), start=datetime(2026, 3, 28, tzinfo=UTC)) as plant:
        plant.advance("2d")
        times = [body["time"][:16] for body in plant.sent("timer.out")]
    assert times == ["2026-03-28T05:00", "2026-03-29T04:00"]


def test_fields_of_its_own() -> None:
    timer = Timer(
        every="1d", fields={"day": 'now.getDayOfWeek() == 2 ? "Tuesday" : "another"', "at.hour": "now.getHours()"}
    )
    with running(timer) as plant:
        plant.advance("1s")
        assert plant.sent("timer.out") == [{"day": "Tuesday", "at": {"hour": 0}}]


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({}, "either every or cron"),
        ({"every": "1s", "cron": "* * * * *"}, "either every or cron"),
        ({"every": "1s", "zone": "Europe/Vienna"}, "only cron has a zone"),
        ({"every": "0s"}, "is not above 0"),
        ({"every": "1s", "fields": {"x": "body.a"}}, 'x: there is no "body" here'),
    ],
)
def test_what_does_not_fit(settings: dict[str, Any], told: str) -> None:
    with pytest.raises(SettingError, match=told):
        Timer(**settings)
