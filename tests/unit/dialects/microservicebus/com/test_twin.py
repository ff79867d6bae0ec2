"""The twin: merge patches, and the switches of msb-state."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from junctor.dialects.microservicebus.com.twin import Twin, merged

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)
objects = st.dictionaries(st.sampled_from("abc"), values, max_size=3)


@pytest.mark.parametrize(
    ("before", "changes", "after"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_the_examples_of_rfc_7396(before: Any, changes: Any, after: Any) -> None:
    assert merged(before, changes) == after


@given(objects, objects)
def test_a_patch_twice_is_a_patch_once_and_leaves_what_it_was_made_from(before: Any, changes: Any) -> None:
    kept = json.dumps([before, changes])
    after = merged(before, changes)
    assert merged(after, changes) == after
    assert json.dumps([before, changes]) == kept


def test_what_is_the_hubs_own_is_left_out() -> None:
    assert merged({}, {"$version": 3, "a": {"$metadata": 1, "b": 2}}) == {"a": {"b": 2}}


def test_the_switches() -> None:
    twin = Twin().with_desired({"msb-state": {"enabled": True, "debug": False}, "speed": 1}, whole=True)
    assert (twin.enabled, twin.debug) == (True, False)
    assert twin.update == {"enabled": True, "debug": False, "desired": twin.desired}
    twin = twin.with_desired({"msb-state": {"enabled": False}})
    assert (twin.enabled, twin.debug) == (False, False)
    assert twin.with_desired({"msb-state": None}).enabled is False
    assert twin.with_desired({}, whole=True).debug is False


@pytest.mark.parametrize("state", ["off", {"enabled": "no"}, {"enabled": 0}, [False], {"enabled": {"a": 1}}])
def test_what_is_no_switch_changes_nothing_and_is_reported(state: Any) -> None:
    twin = Twin(enabled=True).with_desired({"msb-state": state})
    assert twin.enabled is True
    assert twin.reported(enabled=False, debug=True)["msb-state"]["error"]
    assert twin.with_desired({"msb-state": {"enabled": False}}, whole=True).problem == ""


@given(values, st.booleans())
def test_any_desired_state_can_be_taken(state: Any, whole: bool) -> None:
    twin = Twin(enabled=True, debug=True).with_desired({"msb-state": state}, whole=whole)
    assert isinstance(twin.enabled, bool) and isinstance(twin.debug, bool)
    assert twin.update["desired"] == twin.desired
    assert twin.reported(enabled=True, debug=True)["msb-state"]["enabled"] == twin.enabled
