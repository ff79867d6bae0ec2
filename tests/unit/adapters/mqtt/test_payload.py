"""Bytes to plain data and back."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from junctor.adapters.mqtt.payload import read, write

JSON = some.recursive(
    some.none() | some.booleans() | some.integers(-(2**60), 2**60) | some.text(),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text(), inner, max_size=3),
    max_leaves=10,
)


@given(JSON)
def test_json_comes_back(value: Any) -> None:
    assert read(write(value, "json"), "json") == value


@given(some.binary())
def test_bytes_come_back(payload: bytes) -> None:
    assert write(read(payload, "bytes"), "bytes") == payload


@given(some.text(some.characters(exclude_categories=["Cs"])))
def test_text_comes_back(text: str) -> None:
    assert read(write(text, "text"), "text") == text


@given(some.binary())
def test_anything_is_read_or_refused_with_a_reason(payload: bytes) -> None:
    for form in ("json", "text"):
        try:
            read(payload, form)  # type: ignore[arg-type]
        except ValueError as error:
            assert str(error).startswith("the payload is no ")


@pytest.mark.parametrize("value", [7, "not base64!", None])
def test_what_is_no_bytes(value: Any) -> None:
    with pytest.raises(ValueError, match="bytes are given as base64"):
        write(value, "bytes")
