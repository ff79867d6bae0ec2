"""Conversion: the words for true, the zones of time, the numbers that keep their digits."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest

from junctor.dialects.pip_services.commons.convert import (
    ArrayConverter,
    BooleanConverter,
    DateTimeConverter,
    DoubleConverter,
    FloatConverter,
    IntegerConverter,
    JsonConverter,
    LongConverter,
    MapConverter,
    RecursiveMapConverter,
    StringConverter,
    TypeCode,
    TypeConverter,
)


class Thing:
    def __init__(self) -> None:
        self.name = "n"
        self.parts = [{"id": 1}]
        self._hidden = 2


@pytest.fixture
def far_east(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A local time that is not UTC."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("value", "text"),
    [(1, "1"), (1.0, "1.0"), (True, "True"), ([1, "a", None], "1,a,"), (date(2020, 1, 2), "2020-01-02"), (None, None)],
)
def test_texts(value: Any, text: str | None) -> None:
    assert StringConverter.to_nullable_string(value) == text
    assert StringConverter.to_string(value) == (text or "")


def test_local_time_is_not_marked_as_utc(far_east: None) -> None:
    assert StringConverter.to_string(datetime(2020, 1, 2, 12)) == "2020-01-02T03:00:00Z"
    assert DateTimeConverter.to_datetime(datetime(2020, 1, 2, 12)) == datetime(2020, 1, 2, 3, tzinfo=UTC)
    assert StringConverter.to_string(datetime(2020, 1, 2, 12, tzinfo=UTC)) == "2020-01-02T12:00:00Z"
    east = timezone(timedelta(hours=2))
    assert StringConverter.to_string(datetime(2020, 1, 2, 12, tzinfo=east)) == "2020-01-02T12:00:00+02:00"


@pytest.mark.parametrize("word", ["1", "true", "T", "YES", "y", 1, 1.0, True])
def test_words_for_true(word: Any) -> None:
    assert BooleanConverter.to_nullable_boolean(word) is True


@pytest.mark.parametrize("word", ["0", "False", "f", "no", "N", 0, 0.0, False])
def test_words_for_false(word: Any) -> None:
    assert BooleanConverter.to_nullable_boolean(word) is False
    assert BooleanConverter.to_boolean_with_default(word, True) is False


@pytest.mark.parametrize("word", [None, "", "on", 2, [], "maybe"])
def test_neither(word: Any) -> None:
    assert BooleanConverter.to_nullable_boolean(word) is None
    assert BooleanConverter.to_boolean(word) is False and BooleanConverter.to_boolean_with_default(word, True)


@pytest.mark.parametrize(
    ("value", "whole", "number"),
    [
        ("1.9", 1, 1.9),
        (" 12 ", 12, 12.0),
        ("1e3", 1000, 1000.0),
        (True, 1, 1.0),
        ("9007199254740993", 9007199254740993, 9007199254740992.0),
        (datetime(1970, 1, 2, tzinfo=UTC), 86_400_000, 86_400_000.0),
        (timedelta(seconds=5), 5000, 5000.0),
        ("abc", None, None),
        ("", None, None),
        ([1], None, None),
        (None, None, None),
    ],
)
def test_numbers(value: Any, whole: int | None, number: float | None) -> None:
    assert LongConverter.to_nullable_long(value) == whole == IntegerConverter.to_nullable_integer(value)
    assert FloatConverter.to_nullable_float(value) == number == DoubleConverter.to_nullable_double(value)
    assert IntegerConverter.to_integer_with_default(value, 7) == (7 if whole is None else whole)


def test_a_number_without_end_is_no_whole_one() -> None:
    assert LongConverter.to_nullable_long("inf") is None and LongConverter.to_nullable_long(float("nan")) is None


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("2020-01-02", datetime(2020, 1, 2, tzinfo=UTC)),
        ("2020-01-02T03:04:05", datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2020-01-02T05:04:05+02:00", datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)),
        (1500, datetime(1970, 1, 1, 0, 0, 1, 500_000, tzinfo=UTC)),
        (date(2020, 1, 2), datetime(2020, 1, 2, tzinfo=UTC)),
        ("x", None),
        (True, None),
        (1e300, None),
    ],
)
def test_moments(value: Any, moment: datetime | None) -> None:
    assert DateTimeConverter.to_nullable_datetime(value) == moment
    assert DateTimeConverter.to_utc_datetime(value) == moment


def test_lists() -> None:
    assert ArrayConverter.to_array({"a": 1}) == [1] and ArrayConverter.to_array("a,b") == ["a,b"]
    assert ArrayConverter.list_to_array("a,b") == ["a", "b"]
    assert ArrayConverter.to_nullable_array(None) is None and ArrayConverter.to_array(None) == []


def test_maps() -> None:
    assert MapConverter.to_nullable_map(Thing()) == {"name": "n", "parts": [{"id": 1}]}
    assert MapConverter.to_nullable_map(["a"]) == {"0": "a"}
    assert MapConverter.to_nullable_map("a") is None and MapConverter.to_map(1) == {}
    assert RecursiveMapConverter.to_nullable_map({"t": Thing()}) == {"t": {"name": "n", "parts": [{"id": 1}]}}


def test_json_of_what_json_does_not_know() -> None:
    value = {"at": datetime(2020, 1, 2, tzinfo=UTC), "day": date(2020, 1, 2), "set": {1}, "code": TypeCode.Map}
    assert JsonConverter.to_json(value) == (
        '{"at": "2020-01-02T00:00:00Z", "day": "2020-01-02", "set": [1], "code": 12}'
    )
    with pytest.raises(TypeError, match="no form in JSON"):
        JsonConverter.to_json({"cls": Thing})


def test_json_is_read() -> None:
    assert JsonConverter.from_json(TypeCode.Integer, '"5"') == 5
    assert JsonConverter.from_json(None, "[1]") == [1] and JsonConverter.from_json(None, None) is None
    assert JsonConverter.to_nullable_map('{"a": 1}') == {"a": 1}
    assert JsonConverter.to_nullable_map("[1]") is None and JsonConverter.to_map("{") == {}


def test_codes_of_types() -> None:
    values = ["", True, 1, 1.0, datetime.now(UTC), timedelta(), [], {}, object(), None]
    codes = "string boolean integer float datetime duration array map object unknown".split()
    assert [TypeConverter.to_string(TypeConverter.to_type_code(value)) for value in values] == codes
    assert TypeConverter.to_type_code(bool) is TypeCode.Boolean
    assert TypeConverter.to_type(int, "5") == 5 and TypeConverter.to_type(TypeCode.Map, None) == {}
    assert TypeConverter.to_nullable_type(TypeCode.Integer, "x") is None
