"""Values between a database, JSON and state."""

from __future__ import annotations

import datetime
import decimal
import uuid
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from junctor.adapters.sql.values import given as as_parameter
from junctor.adapters.sql.values import kept, plain, restored
from junctor.messages import codec

UTC = datetime.UTC
CURSORS = st.one_of(
    st.integers(-(2**63), 2**63 - 1),
    st.text(st.characters(exclude_categories=["Cs"])),
    st.floats(allow_nan=False, allow_infinity=False),
    st.datetimes(),
    st.datetimes(timezones=st.just(UTC)),
    st.dates(),
    st.times(),
    st.decimals(allow_nan=False, allow_infinity=False),
    st.uuids(),
    st.binary(),
)


@given(CURSORS)
def test_a_cursor_is_the_same_after_a_restart(value: Any) -> None:
    again = restored(msgspec.json.decode(codec.encode(kept(value))))
    assert (again, type(again)) == (value, type(value))


def test_what_cannot_be_a_cursor() -> None:
    with pytest.raises(TypeError, match="dict cannot be a cursor"):
        kept({})


@pytest.mark.parametrize(
    ("value", "body"),
    [
        (decimal.Decimal("12.50"), "12.50"),
        (datetime.datetime(2026, 11, 20, 10, 0, 0, 5), "2026-11-20T10:00:00.000005"),
        (datetime.datetime(2026, 11, 20, 10, tzinfo=UTC), "2026-11-20T10:00:00Z"),
        (datetime.date(2026, 11, 20), "2026-11-20"),
        (datetime.timedelta(hours=26), "P1DT7200S"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (b"\x00\xff", "AP8="),
        (memoryview(b"a"), "YQ=="),
        (float("inf"), "inf"),
        ([1, decimal.Decimal(2), {"a": None}], [1, "2", {"a": None}]),
        (range(2), "range(0, 2)"),
    ],
)
def test_a_row_is_what_json_can_carry(value: Any, body: Any) -> None:
    assert plain(value) == body
    codec.encode(plain(value))


@pytest.mark.parametrize(("value", "number"), [("2.50", 2.5), ("7.00", 7), ("0", 0), ("1e20", 1e20), ("NaN", "NaN")])
def test_decimals_as_numbers(value: str, number: Any) -> None:
    made = plain(decimal.Decimal(value), numbers=True)
    assert (made, type(made)) == (number, type(number))


def test_parameters() -> None:
    now = datetime.datetime(2026, 11, 20, tzinfo=UTC)
    assert as_parameter({"a": [1]}, True) == '{"a":[1]}'
    assert as_parameter(now, True) is now
    assert as_parameter(now, False) == "2026-11-20T00:00:00Z"
    assert as_parameter("x", False) == "x"
