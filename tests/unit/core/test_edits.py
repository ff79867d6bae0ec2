"""Edits of bodies: changes by path, masks that are put back, names that nobody takes."""

from __future__ import annotations

from typing import Any

import pytest

from junctor.core.edits import EditRefused, put_back, unknown_fields, with_changes

BODY = {"to": "a@b", "count": 1, "note": None, "lines": [{"sku": "x", "price": 1.5}, {"sku": "y", "price": 2.0}]}


@pytest.mark.parametrize(
    ("path", "value", "found"),
    [
        ("to", "5", "5"),  # a text stays one
        ("count", "5", 5),
        ("note", "null", None),
        ("note", "soon", "soon"),
        ("lines.1.price", "3", 3),
        ("lines.0.sku", "[1]", "[1]"),
        ("fresh", "7", 7),
    ],
)
def test_a_typed_value_has_the_kind_that_was_there(path: str, value: str, found: Any) -> None:
    changed: Any = with_changes(BODY, {path: value}, text=True)
    for name in path.split("."):
        changed = changed[int(name)] if isinstance(changed, list) else changed[name]
    assert changed == found
    assert BODY["count"] == 1, "the original is not touched"


def test_a_given_value_is_taken_as_it_is() -> None:
    assert with_changes(BODY, {"count": "5"})["count"] == "5"


@pytest.mark.parametrize("path", ["lines.2.sku", "lines.x", f"lines.{'9' * 5000}", "customer.name", "to.first"])
def test_a_way_to_nowhere_is_refused(path: str) -> None:
    with pytest.raises(EditRefused, match="the body has no"):
        with_changes(BODY, {path: "1"}, text=True)


def test_a_wrong_name_is_answered_with_the_right_one() -> None:
    with pytest.raises(EditRefused, match='Did you mean "lines"'):
        with_changes(BODY, {"line.0.sku": "z"})


def test_a_mask_that_is_left_becomes_the_original_again() -> None:
    original = {"user": {"name": "ann", "pin": "1234"}, "cards": [{"no": "99"}, {"no": "77"}]}
    edited = {"user": {"name": "Ann", "pin": "***"}, "cards": [{"no": "***"}, {"no": "55"}]}
    assert put_back(edited, original, "***") == {
        "user": {"name": "Ann", "pin": "1234"},
        "cards": [{"no": "99"}, {"no": "55"}],
    }


@pytest.mark.parametrize("edited", [{"cards": [{"no": "***"}]}, {"pin2": "***"}])
def test_a_mask_without_an_original_is_refused(edited: Any) -> None:
    with pytest.raises(EditRefused, match="is masked, and the original has no value"):
        put_back(edited, {"cards": [{"no": "99"}, {"no": "77"}], "pin": "1234"}, "***")


def test_names_that_were_not_taken_are_told() -> None:
    taken = {"to": "a", "lines": [{"sku": "x"}]}
    edited = {"to": "a", "too": "b", "old": 1, "lines": [{"sku": "x", "skuu": "y"}]}
    assert unknown_fields(edited, taken, {"old": 1}) == ["too", "lines.0.skuu"]
