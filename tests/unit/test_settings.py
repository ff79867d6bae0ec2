"""Settings: what is read from values and from text, what is refused, and how it says so."""

from __future__ import annotations

import dataclasses
import datetime
import enum
import logging
import pathlib
from typing import Any, Literal

import pytest

from junctor.errors import SettingError
from junctor.settings import MISSING, Duration, Secret, Setting, convert, kind_name, read_settings, setting


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


@dataclasses.dataclass
class Range:
    low: int
    names: list[str]


def read(value: Any, kind: Any, **declared: Any) -> Any:
    made: Setting = setting(**declared)
    return made.read(value, kind, "alarm.limit")


def refused(value: Any, kind: Any, **declared: Any) -> str:
    with pytest.raises(SettingError) as caught:
        read(value, kind, **declared)
    return str(caught.value)


# Conversion ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        ("75", float, 75.0),
        (75, float, 75.0),
        ("75", int, 75),
        ("yes", bool, True),
        ("Off", bool, False),
        (True, bool, True),
        ("text", str, "text"),
        ("2s", Duration, 2.0),
        (3, Duration, 3.0),
        ("1h30m", Duration | None, 5400.0),
        ("2m", datetime.timedelta, datetime.timedelta(minutes=2)),
        (datetime.timedelta(1), datetime.timedelta, datetime.timedelta(1)),
        ("red", Colour, Colour.RED),
        ("BLUE", Colour, Colour.BLUE),
        (Colour.RED, Colour, Colour.RED),
        ("a", Literal["a", "b"], "a"),
        ("3", Literal[3, 4], 3),
        ("/tmp", pathlib.Path, pathlib.Path("/tmp")),
        ("a", pathlib.Path | None, pathlib.Path("a")),
        (["a"], list[pathlib.Path], [pathlib.Path("a")]),
        ("a, b,", list[str], ["a", "b"]),
        ("1,2", tuple[int, ...], (1, 2)),
        ('["a,b"]', list[str], ["a,b"]),
        ('{"a": 1}', dict[str, int], {"a": 1}),
        ('{"low": 1, "names": ["x"]}', Range, Range(1, ["x"])),
        ({"low": "1", "names": []}, Range, Range(1, [])),
        (Range(1, []), Range, Range(1, [])),
        ("", float | None, None),
        (None, float | None, None),
        ("5", int | None, 5),
        (object, Any, object),
    ],
)
def test_a_value_or_text_becomes_the_declared_type(value: Any, kind: Any, expected: Any) -> None:
    result = read(value, kind)
    assert result == expected
    assert type(result) is type(expected)


@pytest.mark.parametrize(
    ("value", "kind", "default", "text"),
    [
        ("high", float, 80.0, 'alarm.limit: expected float, got "high". Give a number, for example 80.'),
        (True, float, 80.0, "alarm.limit: expected float, got True. Give a number, for example 80."),
        ("1.5", int, 3, 'alarm.limit: expected int, got "1.5". Give a number, for example 3.'),
        (None, int, 3, "alarm.limit: expected int, got None. Give a number, for example 3."),
        (5, str, MISSING, "alarm.limit: expected str, got 5. Give a text; in a file, put it in quotes."),
        ("maybe", bool, True, 'alarm.limit: expected bool, got "maybe". Give one of: true, false.'),
        ("2 weeks", Duration, 1, 'alarm.limit: expected duration, got "2 weeks". Give a number of seconds or a text'),
        ("rde", Colour, MISSING, 'got "rde". Did you mean "red"? Give one of: red, blue.'),
        ("c", Literal["a", "b"], "a", 'expected one of the choices, got "c". Give one of: a, b.'),
        (5, pathlib.Path, MISSING, "expected Path, got 5. Give a text"),
        (5, list[str], MISSING, 'expected list[str], got 5. Give a list, as text a, b or as JSON \'["a","b"]\'.'),
        ("{", dict[str, int], MISSING, "expected dict[str, int]"),
        ({"low": 1}, Range, MISSING, 'Give JSON that fits Range, for example \'{"low":1,"names":["a","b"]}\'.'),
        ("x", int | None, None, 'expected int or nothing, got "x".'),
        ("x" * 200, int, 1, "..."),
    ],
)
def test_what_does_not_fit_says_where_what_and_the_way_out(value: Any, kind: Any, default: Any, text: str) -> None:
    assert text in refused(value, kind, default=default)


# Bounds -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "kind", "bounds", "text"),
    [
        (-1, float, {"ge": 0, "le": 100}, "-1.0 is below the minimum of 0. Give a number from 0 to 100."),
        (101, float, {"ge": 0, "le": 100, "unit": "percent"}, "maximum of 100. Give a number from 0 to 100 percent."),
        (0, int, {"ge": 1, "unit": "pieces"}, "0 is below the minimum of 1. Give 1 or more pieces."),
        (0, int, {"gt": 0, "lt": 5}, "0 is not above 0. Give a number above 0, below 5."),
        (9, int, {"gt": 0, "le": 5}, "9 is above the maximum of 5. Give a number above 0, up to 5."),
        (9, int, {"le": 5}, "Give at most 5."),
        (0, int, {"gt": 0}, "0 is not above 0. Give more than 0."),
        (5, int, {"lt": 5}, "5 is not below 5. Give less than 5."),
        ("nan", float, {}, "nan is not a finite number"),
        ("inf", float, {"ge": 0}, "inf is not a finite number"),
        ("2s", Duration, {"ge": 5, "unit": "seconds"}, "2.0 is below the minimum of 5. Give 5 or more seconds."),
        ("2s", datetime.timedelta, {"ge": 5}, "is below the minimum of 5. Give 5 or more."),
        ("ab", str, {"min_length": 3, "doc": "The name of the line"}, '"ab" is shorter than 3. The name of the line.'),
        ("abcd", str, {"max_length": 3}, '"abcd" is longer than 3'),
        ([], list[int], {"min_length": 1}, "[] is shorter than 1"),
        ("a b", str, {"pattern": r"\w+"}, r'"a b" does not match \w+'),
        ("bleu", str, {"choices": ["red", "blue"]}, 'is not one of the choices. Did you mean "blue"?'),
        ("a", str, {"ge": 3}, "has no bounds of this kind: str"),
    ],
)
def test_bounds(value: Any, kind: Any, bounds: dict[str, Any], text: str) -> None:
    assert text in refused(value, kind, **bounds)


@pytest.mark.parametrize("value", [0, 100, "50"])
def test_the_bounds_themselves_are_allowed(value: Any) -> None:
    assert read(value, float, ge=0, le=100) == float(value)


def test_nothing_is_within_any_bounds_where_nothing_is_allowed() -> None:
    assert read(None, float | None, ge=0) is None


# Secrets ------------------------------------------------------------------------------------------------------


def test_a_secret_does_not_show(caplog: pytest.LogCaptureFixture) -> None:
    secret = Secret("hunter2")
    logging.getLogger("test").warning("got %s %r", secret, secret)
    shown = f"{secret} {secret!r} {[secret]} {caplog.text}"
    assert "hunter2" not in shown
    assert repr(secret) == "Secret('***')"
    assert secret.reveal() == "hunter2"


def test_secrets_compare_by_their_text() -> None:
    assert Secret("a") == Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a")}) == 1
    assert not Secret("")


@pytest.mark.parametrize(
    ("kind", "declared"),
    [(Secret, {"min_length": 20}), (str, {"secret": True, "min_length": 20}), (int, {"secret": True})],
)
def test_an_error_does_not_tell_a_secret(kind: Any, declared: dict[str, Any]) -> None:
    with pytest.raises(SettingError) as caught:
        read("hunter2", kind, **declared)
    chain = f"{caught.value} {caught.value.__cause__!r}"
    assert "hunter2" not in chain
    assert "***" in chain


def test_text_becomes_a_secret_and_back() -> None:
    assert read("a", Secret) == Secret("a")
    assert read(Secret("a"), Secret) == Secret("a")
    assert read(Secret("a"), str, secret=True) == "a"
    assert read("a", Secret | None) == Secret("a")
    assert setting().hidden(Secret | None)
    assert not setting().hidden(str)


# All settings of a service ------------------------------------------------------------------------------------

DECLARED = {"limit": (setting(80.0, le=100), float), "place": (setting(), str), "note": (setting(None), str)}


def test_given_values_and_defaults_together() -> None:
    assert read_settings(DECLARED, {"place": "hall", "limit": "75"}, "alarm") == {
        "limit": 75.0,
        "place": "hall",
        "note": None,
    }


@pytest.mark.parametrize(
    ("kind", "sample"),
    [
        (dict[str, int], '{"name":1}'),
        (dict, '{"name":"a"}'),
        (dict[str, list[Duration]] | None, '{"name":["2s"]}'),
        (list[Range], """Give a list, as JSON '[{"low":1,"names":["a","b"]}]'."""),
        (set[int], "as text 1, 2 or as JSON '[1,2]'"),
    ],
)
def test_what_has_parts_is_shown_as_it_is_typed(kind: Any, sample: str) -> None:
    assert sample in refused(5, kind)


def test_what_is_missing_in_a_flow_can_be_given_on_the_command_line() -> None:
    with pytest.raises(SettingError, match=r"Give it a value: --set alarm\.place=\.\.\., or in the code place="):
        read_settings(DECLARED, {}, "alarm", in_flow=True)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({}, "alarm.place: is missing and has no default. Give it a value: place=..."),
        ({"place": "a", "limt": 1}, 'alarm.limt: there is no such setting. Did you mean "limit"?'),
        ({"place": "a", "xyz": 1}, "alarm.xyz: there is no such setting. There is: limit, note, place."),
        ({"place": "a", "plain": 1}, "alarm.plain: is not a setting. Write it so."),
        ({"place": "a", "limit": 200}, "alarm.limit (flow.yaml:12): 200.0 is above the maximum of 100."),
    ],
)
def test_unknown_missing_and_wrong_settings_are_named_with_their_place(given: dict[str, Any], text: str) -> None:
    with pytest.raises(SettingError) as caught:
        read_settings(DECLARED, given, "alarm", others={"plain": "Write it so."}, places={"limit": "flow.yaml:12"})
    assert text in str(caught.value)


def test_a_default_is_converted_and_checked_too() -> None:
    assert read_settings({"wait": (setting("2s"), Duration)}, {}, "alarm") == {"wait": 2.0}
    with pytest.raises(SettingError, match="alarm.limit: 200.0 is above the maximum of 100"):
        read_settings({"limit": (setting(200.0, le=100), float)}, {}, "alarm")


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (float, "float"),
        (Duration, "duration"),
        (Duration | None, "duration or nothing"),
        (list[str], "list[str]"),
        (Literal["a"], "one of the choices"),
        (int | str, "int | str"),
    ],
)
def test_types_are_named_as_a_user_would(kind: Any, name: str) -> None:
    assert kind_name(kind) == name


def test_convert_is_the_same_without_a_setting() -> None:
    assert convert("a,b", set[str]) == {"a", "b"}


def test_a_pattern_that_cannot_be_read_is_refused_where_it_is_written() -> None:
    with pytest.raises(SettingError, match=r"Alarm.* \(test_settings.py:\d+\): the pattern .* is no regular"):

        class Alarm:
            limit: str = setting(pattern="(")
