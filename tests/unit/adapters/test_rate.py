"""Rates and the places in time that they give."""

from __future__ import annotations

import pytest

from junctor.adapters.rate import Pace, Rate
from junctor.errors import ConfigurationError


@pytest.mark.parametrize(("text", "interval"), [("100/s", 0.01), ("30/m", 2.0), ("1000/h", 3.6), ("0.5/s", 2.0)])
def test_a_rate_is_read(text: str, interval: float) -> None:
    assert Rate.from_text(text).interval == pytest.approx(interval)


@pytest.mark.parametrize("text", ["", "100", "100/x", "0/s", "-1/s", "ten/s", "1e3/s"])
def test_what_is_none_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="is no rate"):
        Rate.from_text(text)


def test_calls_are_spread_evenly() -> None:
    pace = Pace(Rate("4/s"))
    assert [pace.wait(100.0) for _ in range(4)] == [0.0, 0.25, 0.5, 0.75]
    assert pace.wait(100.9) == pytest.approx(0.1)


def test_a_silence_saves_nothing_up() -> None:
    pace = Pace(Rate("4/s"))
    pace.wait(0.0)
    assert [pace.wait(3600.0) for _ in range(2)] == [0.0, 0.25]


def test_a_clock_that_jumps_stops_nothing() -> None:
    pace = Pace(Rate("4/s"))
    pace.wait(3600.0)
    assert pace.wait(3600.0) == 0.25
    assert pace.wait(10.0) == 0.5
    assert pace.wait(7200.0) == 0.0
