"""Named values become the parameters of a function, or an error that says which one is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import pytest

from junctor.errors import UnknownOperation
from junctor.node.control.arguments import Parameters, WrongArgument


@dataclass
class Point:
    x: int
    y: int = 0


def function(
    count: int, name: str = "", on: bool = False, tags: list[str] | None = None, at: Point | None = None
) -> None:
    """A function with every kind of parameter that an action has."""


def loose(value, *, other: Any = None, **rest: Any) -> None:  # type: ignore[no-untyped-def]
    """A function that takes anything."""


def test_values_from_json() -> None:
    bound = Parameters(function).bind({"count": 3, "tags": ["a"], "at": {"x": 1}}, "it")
    assert bound == {"count": 3, "tags": ["a"], "at": Point(1)}


def test_values_from_a_command_line() -> None:
    text = {"count": "3", "name": "5", "on": "true", "tags": '["a"]', "at": '{"x": 1}'}
    bound = Parameters(function).bind(text, "it", text=True)
    assert bound == {"count": 3, "name": "5", "on": True, "tags": ["a"], "at": Point(1)}


def test_without_a_type_text_is_json_where_it_can_be() -> None:
    assert Parameters(loose).bind({"value": "5", "more": "x"}, "it", text=True) == {"value": 5, "more": "x"}


def test_text_is_not_a_number_unless_it_was_typed() -> None:
    with pytest.raises(WrongArgument, match=r"it\.count: .*int.*\"3\""):
        Parameters(function).bind({"count": "3"}, "it")


@pytest.mark.parametrize("value", ["three", "", "3.5", "[3]", "null"])
def test_what_fits_in_no_way(value: str) -> None:
    with pytest.raises(WrongArgument, match=r"it\.count"):
        Parameters(function).bind({"count": value}, "it", text=True)


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownOperation, match='no parameter "cuont".*"count"'):
        Parameters(function).bind({"cuont": 3}, "it")


def test_a_missing_one_is_named() -> None:
    with pytest.raises(UnknownOperation, match=r'"count" is missing. It takes count, \[name\]'):
        Parameters(function).bind({}, "it")


def test_no_parameters() -> None:
    with pytest.raises(UnknownOperation, match="It takes no parameters"):
        Parameters(lambda: None).bind({"x": 1}, "it")


def test_an_annotation_that_cannot_be_resolved_takes_anything() -> None:
    def local(mode: Nowhere, kind: Literal["a", "b"]) -> None:  # type: ignore[name-defined]  # noqa: F821
        """Refers to a name that does not exist here."""

    parameters = Parameters(local)
    assert parameters.bind({"mode": [1], "kind": "a"}, "it") == {"mode": [1], "kind": "a"}
    with pytest.raises(WrongArgument, match="kind"):
        parameters.bind({"mode": 1, "kind": "c"}, "it")
