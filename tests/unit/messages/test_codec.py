"""Bodies to JSON and back: every kind of class, strict, with the path of what does not fit."""

from __future__ import annotations

import dataclasses
import json
import math
from datetime import UTC, datetime
from typing import Any

import attrs
import msgspec
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from junctor.errors import DecodeError, EncodeError
from junctor.messages import Codec, TypeRegistry, codec, message


@dataclasses.dataclass
class Point:
    x: int
    note: str | None = None


class Struct(msgspec.Struct):
    points: list[Point]
    at: datetime = datetime(2030, 1, 1, tzinfo=UTC)


@attrs.define
class Attrs:
    point: Point


class Model(pydantic.BaseModel):
    name: str
    values: list[float | None] = []


@dataclasses.dataclass
class Holder:
    model: Model


BODIES = [
    Point(1),
    Point(1, "ü\u2028"),
    Struct([Point(1), Point(2, "b")]),
    Attrs(Point(3)),
    Model(name="a", values=[1.5, None]),
    Holder(Model(name="b")),
]


@pytest.mark.parametrize("body", BODIES, ids=lambda body: type(body).__name__)
def test_every_kind_of_body_survives_the_journey(body: Any) -> None:
    kind = TypeRegistry().register(type(body))
    data = kind.encode(body)
    json.loads(data)
    assert kind.read(data, 1, "here") == body


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False, allow_infinity=False),
        st.lists,
        max_leaves=8,
    )
)
def test_plain_values_survive_the_journey(value: Any) -> None:
    kind = TypeRegistry().register(Any)
    assert kind.read(kind.encode(value), 1, "here") == value


# What does not fit ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cls", "data", "place", "reason"),
    [
        (Point, b'{"x":"1"}', "flow/a Point.x", "Expected `int`, got `str`"),
        (Point, b"{}", "flow/a Point", "missing required field `x`"),
        (Point, b'{"x":', "flow/a Point", "truncated"),
        (Point, b"\xff", "flow/a Point", "malformed"),
        (Struct, b'{"points":[{"x":1},{"x":true}]}', "flow/a Struct.points[1].x", "Expected `int`, got `bool`"),
        (Model, b'{"name":"a","values":[1,"no"]}', "flow/a Model.values[1]", "valid number"),
        (Holder, b'{"model":{}}', "flow/a Holder.model", "Field required"),
        (Any, b"[" * 100_000, "flow/a any", "RecursionError"),
        (list[Point], b'[{"x":1},5]', "flow/a list[Point][1]", "Expected `object`"),
    ],
)
def test_a_bad_body_names_service_type_and_field(cls: Any, data: bytes, place: str, reason: str) -> None:
    with pytest.raises(DecodeError) as caught:
        TypeRegistry().register(cls).read(data, 1, "flow/a")
    assert caught.value.where == place
    assert reason in str(caught.value)
    assert caught.value.fix == "Correct the sender, or give the type an upgrade= for bodies of older versions."


def test_text_is_never_taken_for_a_number() -> None:
    with pytest.raises(DecodeError):
        TypeRegistry().register(dict[str, int]).read(b'{"a":"1"}', 1, "flow/a")


# What cannot be encoded ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize(
    ("wrap", "path"),
    [
        (lambda n: Model(name="a", values=[1.0, n]), "Model.values[1]"),
        (lambda n: {"a": [None, {"b": n}]}, "dict.a[1].b"),
        (lambda n: Holder(Model(name="a", values=[n])), "Holder.model.values[0]"),
        (lambda n: n, "float"),
        (lambda n: (1, n), "tuple[1]"),
    ],
    ids=["pydantic", "dict", "nested", "alone", "tuple"],
)
def test_nan_is_refused_with_its_path(wrap: Any, path: str, number: float) -> None:
    body = wrap(number)
    with pytest.raises(EncodeError) as caught:
        TypeRegistry().register(type(body)).encode(body)
    assert str(caught.value).startswith(f"{path} is {number}, which JSON cannot carry")
    assert "Send None" in caught.value.fix


def test_a_null_that_is_meant_passes() -> None:
    assert codec.encode({"a": None, "b": "null"}) == b'{"a":null,"b":"null"}'


def test_the_first_of_several_is_named() -> None:
    with pytest.raises(EncodeError, match=r"^dict.a\[0\] is nan"):
        codec.encode({"a": [math.nan, math.nan], "b": math.nan})


def test_nan_is_found_as_deep_as_a_body_can_be() -> None:
    body: Any = math.nan
    for _ in range(700):
        body = [body]
    with pytest.raises(EncodeError, match="which JSON cannot carry"):
        codec.encode(body)


@pytest.mark.parametrize("body", [object(), {"a": object()}, {1j}, lambda: None, {(1, 2): 3}, "\ud800"])
def test_what_has_no_json_is_refused(body: Any) -> None:
    with pytest.raises(EncodeError) as caught:
        codec.encode(body)
    assert "cannot be encoded" in str(caught.value)
    assert "Send a dataclass" in caught.value.fix


def test_a_body_that_holds_itself_is_refused() -> None:
    body: list[Any] = []
    body.append(body)
    with pytest.raises(EncodeError):
        codec.encode(body)


# Display and conversion ----------------------------------------------------------------------------------------


def test_any_body_can_be_shown() -> None:
    assert codec.to_plain(Holder(Model(name="a"))) == {"model": {"name": "a", "values": []}}


def test_conversion_reads_text_only_when_asked() -> None:
    assert codec.convert({"x": "5"}, Point, strict=False) == Point(5)
    assert codec.convert({"name": "a"}, Model) == Model(name="a")
    with pytest.raises(msgspec.ValidationError):
        codec.convert({"x": "5"}, Point)


# Classes with a codec of their own -----------------------------------------------------------------------------


class Loose:
    """Not a dataclass: only its codec knows what is in it."""

    def __init__(self, **fields: Any) -> None:
        vars(self).update(fields)


def _loose_from(cls: Any, data: bytes) -> Any:
    return cls(**json.loads(data))


message(name="loose", codec=Codec(lambda body: json.dumps(vars(body)).encode(), _loose_from))(Loose)


class Looser(Loose):
    pass


@dataclasses.dataclass
class Parcel:
    inside: Loose


def test_a_class_brings_its_own_json_form() -> None:
    kind = TypeRegistry().of(Looser(a=1))
    assert kind.cls is Looser and kind.encode(Looser(a=1)) == b'{"a": 1}'
    assert vars(kind.read(b'{"b": [2]}', 1, "here")) == {"b": [2]}


def test_what_its_codec_raises_is_told_with_the_place() -> None:
    kind = TypeRegistry().register(Loose)
    with pytest.raises(EncodeError, match="Loose cannot be encoded: Object of type object"):
        kind.encode(Loose(a=object()))
    with pytest.raises(DecodeError, match="there loose: the body is not a valid loose"):
        kind.read(b"[1]", 1, "there")


def test_a_codec_is_used_where_such_an_object_is_inside_another_and_for_plain_data() -> None:
    kind = TypeRegistry().register(Parcel)
    data = kind.encode(Parcel(Loose(a=1)))
    assert json.loads(data) == {"inside": {"a": 1}} and vars(kind.read(data, 1, "").inside) == {"a": 1}
    assert codec.to_plain(Loose(a=1)) == {"a": 1} and codec.convert({"a": 1}, Looser).a == 1
