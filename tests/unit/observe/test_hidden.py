"""Texts lose the values of a body, in whichever way they are written there."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from junctor.core.hop import Hop
from junctor.errors import text_of
from junctor.messages import Kind
from junctor.observe.hidden import Hidden, hide, note_hidden, unquoted, without, without_hidden
from junctor.observe.secrets import mask


def hop() -> Hop:
    return Hop(Kind.TICK, "flow/service", "tick", 1, 1, 0)


VALUES = st.lists(st.text(min_size=4, max_size=12).filter(lambda text: "***" not in text), min_size=1, max_size=4)


@given(VALUES, st.text(max_size=5))
def test_no_value_is_left_however_it_is_written(values: list[str], between: str) -> None:
    body = {"values": values}
    hidden = Hidden(msgspec.json.encode(body), [("values",)])
    for written in (str(body), json.dumps(body), msgspec.json.encode(body).decode(), between.join(values)):
        made = hidden.mask(written)
        assert not any(form in made for value in values for form in (value, repr(value)[1:-1])), made


@pytest.mark.parametrize(
    ("value", "text", "masked"),
    [
        (1234567, "n=1234567, 1,234,567", "n=***, ***"),
        (-1234567.5, "n=-1234567.5", "n=***"),
        (12345, "n=12345", "n=12345"),  # short: it may be a year, or a line
        ("abc", "abc", "abc"),
        (True, "True", "True"),
        (None, "None", "None"),
        ({"a": ["long enough"]}, "a long enough b", "a *** b"),
        ("first line\nsecond line", "first line\n  second line", "***\n  ***"),
        ("über", "\u00fcber \\u00fcber %C3%BCber", "*** *** ***"),
    ],
)
def test_what_is_found(value: Any, text: str, masked: str) -> None:
    assert Hidden({"it": value}, [("it",)]).mask(text) == masked


def test_what_pydantic_quotes_in_part_is_not_shown() -> None:
    text = "field required [type=missing, input_value={'card': '41112222'...'3333'}, input_type=dict]"
    assert "4111" not in Hidden({"card": "4111222233334444"}, [("card",)]).mask(text)


def test_a_hop_without_sensitive_values_keeps_its_texts() -> None:
    one = hop()
    hide(one, {"card": "4111"}, ())
    assert one.hides is None
    assert without_hidden("4111", one) == "4111" == without_hidden("4111", None)


def test_bodies_that_come_later_are_hidden_from_then_on() -> None:
    one = hop()
    hide(one, {"card": "4111"}, [("card",)])
    assert without_hidden("4111 4222", one) == "*** 4222"
    hide(one, b'{"card": "4222"}', [("card",)])
    assert without_hidden("4111 4222", one) == "*** ***"
    hide(one, b"damaged", [("card",)])
    assert without_hidden("4111 4222 damaged", one) == "*** *** damaged"


def test_an_exception_takes_with_it_what_its_hop_hides() -> None:
    one = hop()
    hide(one, {"card": "4111222233334444"}, [("card",)])
    error = ValueError("x" * 1995 + "4111222233334444")
    note_hidden(error, one)
    assert text_of(error) == "x" * 1995 + "***"  # masked before it is cut: no half of it is left
    assert unquoted("card 4111222233334444", error) == "card ***"
    assert mask("card 4111222233334444") == "card 4111222233334444"


def test_an_exception_without_room_is_left_as_it_is() -> None:
    class Bare(Exception):
        def __setattr__(self, name: str, value: object) -> None:
            raise AttributeError(name)

    one = hop()
    hide(one, {"card": "4111"}, [("card",)])
    note_hidden(Bare("4111"), one)


def test_values_that_overlap_are_covered_whole() -> None:
    assert without("x411122y", ["4111", "411122", "1122y"]) == "x***"
    assert without("abab", ["aba"]) == "***b"
    assert without("ababa", ["aba"]) == "***"
    assert without("abcd efgh", ["abcd", "efgh"]) == "*** ***"


def test_a_hop_that_lasts_knows_the_latest_values() -> None:
    one = hop()
    one.joins = False
    for n in range(20_000):
        hide(one, {"card": f"card-{n:06}"}, [("card",)])
    assert without_hidden("card-019999 card-015000 card-000001", one) == "*** *** card-000001"


def test_a_delivery_knows_all_its_values() -> None:
    one = hop()
    for n in range(20_000):
        hide(one, {"card": f"card-{n:06}"}, [("card",)])
    assert without_hidden("card-019999 card-000000", one) == "*** ***"
