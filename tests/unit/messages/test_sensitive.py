"""Paths of sensitive fields, and values masked and put back by them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, Generic, NamedTuple, NewType, Optional, TypedDict, TypeVar

import attrs
import msgspec
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from junctor import Sensitive
from junctor.messages import TypeRegistry
from junctor.messages.sensitive import blank, masked, restored, sensitive_parameters, sensitive_paths, touches

T = TypeVar("T")
BOX = [("value",), ("many", "*")]
Pin = NewType("Pin", Sensitive[str])  # type: ignore[valid-newtype]


class Inner(msgspec.Struct, rename="camel"):
    card_no: Sensitive[str]
    other: int = 0


class InArray(msgspec.Struct, array_like=True, tag=True):
    n: int
    card: Sensitive[int]


class Box(msgspec.Struct, Generic[T]):
    value: T
    many: list[T] = []


class Row(NamedTuple):
    n: int
    word: Sensitive[str]


class Extra(TypedDict, total=False):
    word: Sensitive[str]
    shown: str


class Model(pydantic.BaseModel):
    pin: Sensitive[str] = pydantic.Field(alias="PIN")
    below: list[Model | None] = []


@attrs.define
class WithAttrs:
    word: Annotated[str, Sensitive]
    shown: str = ""


@dataclass
class Tree:
    word: Sensitive[str]
    kids: list[Tree] = field(default_factory=list)


@dataclass
class Left:
    right: Right | None = None


@dataclass
class Right:
    word: Sensitive[str]
    left: Left | None = None


def of(hint: Any) -> Any:
    @dataclass
    class Holder:
        it: hint

    Holder.__annotations__["it"] = hint
    return {path[1:] for path in sensitive_paths(Holder)}


@pytest.mark.parametrize(
    ("hint", "paths"),
    [
        (str, set()),
        (Any, set()),
        (dict[str, Any], set()),
        (Sensitive[str], {()}),
        (Annotated[str, "else", Sensitive], {()}),
        (Sensitive[str] | None, {()}),
        (Optional[Sensitive[str]], {()}),  # noqa: UP045
        (Sensitive[Inner], {()}),
        (Pin, {()}),
        (Inner, {("cardNo",)}),
        (Inner | InArray, {("cardNo",), (2,)}),
        (list[Sensitive[str]], {("*",)}),
        (set[Inner], {("*", "cardNo")}),
        (tuple[Inner, ...], {("*", "cardNo")}),
        (tuple[int, Sensitive[str]], {(1,)}),
        (dict[str, list[Inner]], {("*", "*", "cardNo")}),
        (dict[Sensitive[str], int], {()}),
        (Box[Sensitive[str]], {("value",), ("many", "*")}),
        (Box[int], set()),
        (Box[Box[Inner]], {(*a, *b, "cardNo") for a in BOX for b in BOX}),
        (Row, {(1,)}),
        (Extra, {("word",)}),
        (Model, {(*at, name) for at in [(), ("below", "*", "**")] for name in ("pin", "PIN")}),
        (WithAttrs, {("word",)}),
        (Tree, {("word",), ("kids", "*", "**", "word")}),
        (Left, {("right", "word"), ("right", "left", "**", "right", "word")}),
    ],
)
def test_paths(hint: Any, paths: set[Any]) -> None:
    assert of(hint) == paths


def test_a_type_knows_its_paths_and_tells_of_them() -> None:
    met: list[str] = []
    types = TypeRegistry()
    types.met_sensitive = lambda kind: met.append(kind.name)
    assert types.register(Inner).sensitive == (("cardNo",),)
    assert types.register(Sensitive[str]).sensitive == ((),)
    assert types.register(int).sensitive == ()
    types.register(Inner)
    assert met == ["Inner", "Annotated[str, Sensitive]"]


def test_a_type_within_itself_is_masked_to_the_bottom() -> None:
    body = {"word": "a", "kids": [{"word": "b", "kids": [{"word": "c", "kids": []}]}]}
    made = masked(body, sensitive_paths(Tree))
    assert made.value == {"word": "***", "kids": [{"word": "***", "kids": [{"word": "***", "kids": []}]}]}
    assert made.places == ("word", "kids.0.word", "kids.0.kids.0.word")
    assert made.hidden == ("a", "b", "c")


def test_a_handler_gets_plain_values() -> None:
    kind = TypeRegistry().register(Inner)
    assert kind.read(kind.encode(Inner("4111", 2)), 1, "here") == Inner("4111", 2)
    model = TypeRegistry().register(Model)
    assert model.decode(b'{"PIN": "12"}').pin == "12"


def test_what_is_masked_keeps_its_json_type() -> None:
    body = {"a": "x", "b": 3, "c": 2.5, "d": True, "e": [1], "f": {"g": 1}, "h": None}
    made = masked(body, [(name,) for name in body])
    assert made.value == {"a": "***", "b": 0, "c": 0.0, "d": False, "e": [], "f": {}, "h": None}
    assert made.places == tuple("abcdef")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda parts: st.lists(parts, max_size=3) | st.dictionaries(st.sampled_from("abc"), parts, max_size=3),
    max_leaves=20,
)
PATHS = st.lists(st.lists(st.sampled_from(["a", "b", "c", 0, 1, "*", "**"]), max_size=4).map(tuple), max_size=4)


@given(JSON, PATHS)
def test_masks_left_as_they_are_are_put_back(body: Any, paths: list[Any]) -> None:
    made = masked(body, paths)
    assert restored(made.value, body, paths) == body
    assert masked(made.value, paths).value == made.value
    assert all(blank(value) not in (value, None) or value in ("***", 0, False, [], {}) for value in made.hidden)


def test_an_edit_of_a_masked_body() -> None:
    body = {"n": 1, "card": "4111", "limit": 5, "lines": [{"pin": "1"}, {"pin": "2"}]}
    paths = [("card",), ("limit",), ("lines", "*", "pin")]
    edited = {"n": 2, "card": "***", "limit": 0, "lines": [{"pin": "***"}, {"pin": "9"}]}
    assert restored(edited, body, paths) == {"n": 2, "card": "4111", "limit": 5, "lines": [{"pin": "1"}, {"pin": "9"}]}
    assert restored({"card": "4000"}, body, paths) == {"card": "4000"}
    with pytest.raises(ValueError, match=r"body.lines had 2 elements with masked values and has 1 now"):
        restored({"lines": [{"pin": "***"}]}, body, paths)


def test_places_that_touch() -> None:
    assert touches(("a", "b"), ("a", "b"))
    assert touches(("a",), ("a", "b"))  # it contains the value
    assert touches(("a", "b", "c"), ("a", "b"))
    assert touches(("a", 3, "b"), ("a", "*", "b"))
    assert touches(("a", "x", "y"), ("a", "**", "b"))
    assert not touches(("a", "c"), ("a", "b"))
    assert not touches(("b",), ("a",))


def test_parameters_of_a_function() -> None:
    def act(card: Sensitive[str], inner: Inner, n: int, row: Sensitive[int] | None = None) -> Sensitive[str]: ...

    found = sensitive_parameters(act)
    assert found == {"card": ((),), "inner": (("cardNo",),), "row": ((),)}
    assert sensitive_parameters(len) == {}
