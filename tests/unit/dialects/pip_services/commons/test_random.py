"""Random values stay within their bounds."""

from __future__ import annotations

import random
import string
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from junctor.dialects.pip_services.commons.random import (
    RandomArray,
    RandomBoolean,
    RandomDateTime,
    RandomDouble,
    RandomFloat,
    RandomInteger,
    RandomString,
    RandomText,
)


@pytest.fixture(autouse=True, params=range(5))
def seed(request: pytest.FixtureRequest) -> Iterator[None]:
    state = random.getstate()
    random.seed(request.param)
    yield
    random.setstate(state)


def test_numbers() -> None:
    assert 0 <= RandomInteger.next_integer(5) < 5 and 5 <= RandomInteger.next_integer(5, 7) < 7
    assert RandomInteger.next_integer(5, 5) == 5 and abs(RandomInteger.update_integer(100, 10) - 100) <= 10
    assert RandomInteger.sequence(3) == [0, 1, 2] and 1 <= len(RandomInteger.sequence(1, 3)) <= 3
    assert 0 <= RandomFloat.next_float(5) <= 5 and abs(RandomDouble.update_double(100) - 100) <= 10


def test_moments() -> None:
    start, end = datetime(2020, 1, 1, tzinfo=UTC), datetime(2021, 1, 1, tzinfo=UTC)
    assert start <= RandomDateTime.next_datetime(2020, 2021) <= end
    day = RandomDateTime.next_date(start, end)
    assert start <= day <= end and (day.hour, day.minute) == (0, 0)
    assert abs(RandomDateTime.update_datetime(start, 1000) - start) <= timedelta(seconds=1)


def test_choices() -> None:
    assert RandomArray.pick([1]) == 1 and RandomArray.pick([]) is None and RandomString.pick_char("") == ""
    assert (
        RandomBoolean.chance(1, 1) and not RandomBoolean.chance(0, 5) and RandomBoolean.next_boolean() in (True, False)
    )
    assert 3 <= len(RandomString.next_string(3, 5)) <= 5 and RandomString.next_alpha_char() in string.ascii_letters
    assert RandomString.distort("hello").lower().startswith("hello")


def test_texts() -> None:
    assert len(RandomText.phrase(5, 20)) <= 20 and len(RandomText.text(50)) <= 50
    assert RandomText.email().endswith(".example.com") and "555-01" in RandomText.phone()
    assert " " in RandomText.full_name() and RandomText.words(2).isalpha()
