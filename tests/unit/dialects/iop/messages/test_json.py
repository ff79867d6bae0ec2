"""Messages to JSON and back: what fits becomes its type, what does not stays, nothing is lost or made null."""

from __future__ import annotations

import datetime
import decimal
import enum
import functools
import json
import math
import uuid
from dataclasses import InitVar, dataclass, field
from typing import Annotated, Any, Generic, Literal, TypeVar

import msgspec
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from junctor.dialects.iop import Message, PickleMessage, PydanticMessage
from junctor.dialects.iop.messages import SerializationError
from junctor.dialects.iop.messages.decoding import decode
from junctor.dialects.iop.messages.encoding import encode
from junctor.errors import DecodeError, EncodeError
from junctor.messages import TypeRegistry

T = TypeVar("T")


class Colour(enum.Enum):
    RED = "red"
    BLUE = 2


class Model(pydantic.BaseModel):
    number: int = 0


@dataclass
class Simple(Message):
    integer: int
    string: str


@dataclass
class Part(Message):
    number: int = 0


@dataclass
class Plain:
    parts: list[Part]


@dataclass
class Rich(Message):
    part: Part = None  # type: ignore[assignment]
    parts: list[Part] = field(default_factory=list)
    by_name: dict[str, Part] = field(default_factory=dict)
    by_number: dict[int, str] = field(default_factory=dict)
    maybe: Part | None = None
    either: Simple | Model | int = 0
    plain: Plain | None = None
    model: Model | None = None
    models: list[Model] = field(default_factory=list)
    at: datetime.datetime | None = None
    day: datetime.date | None = None
    wait: datetime.timedelta | None = None
    price: decimal.Decimal | None = None
    id: uuid.UUID | None = None
    data: bytes = b""
    colour: Colour = Colour.RED
    colours: list[Colour] = field(default_factory=list)
    pair: tuple[int, Part] | None = None
    row: tuple[Part, ...] = ()
    words: set[str] = field(default_factory=set)
    kind: Literal["a", "b"] = "a"
    noted: Annotated[Part | None, "a note"] = None
    share: float = 0.0
    anything: Any = None


RICH = Rich(
    Part(1),
    [Part(2), Part(3)],
    {"a": Part(4)},
    {5: "five"},
    Part(6),
    Simple(7, "seven"),
    Plain([Part(8)]),
    Model(number=9),
    [Model(number=10)],
    datetime.datetime(2030, 1, 2, 3, 4, 5, 678, tzinfo=datetime.UTC),
    datetime.date(2030, 1, 2),
    datetime.timedelta(seconds=90),
    decimal.Decimal("1.50"),
    uuid.UUID(int=11),
    b"\x00\xff",
    Colour.BLUE,
    [Colour.RED],
    (12, Part(13)),
    (Part(14),),
    {"x"},
    "b",
    Part(15),
    0.5,
    {"a": [1, None]},
)


def again(message: Any) -> Any:
    return decode(type(message), encode(message))


def test_compact_json_under_the_name_of_module_and_class() -> None:
    kind = TypeRegistry().register(Simple)
    assert kind.name == f"{__name__}.Simple"
    assert kind.encode(Simple(1, "test")) == b'{"integer":1,"string":"test"}'
    assert kind.decode(b'{"integer":1,"string":"test"}') == Simple(1, "test")


def test_all_types_come_back() -> None:
    assert again(RICH) == RICH


def test_the_json_is_that_of_the_types() -> None:
    found = json.loads(encode(RICH))
    assert found["at"] == "2030-01-02T03:04:05.000678Z"
    assert (found["price"], found["colour"], found["by_number"]) == ("1.50", 2, {"5": "five"})


@pytest.mark.parametrize("wrong", ["x", 1, 2.5, True, None, [], {}, [1], {"a": 1}, [{"number": []}], {"number": {}}])
def test_what_does_not_fit_stays_as_it_came(wrong: Any) -> None:
    names = list(Rich.__dataclass_fields__)
    made = decode(Rich, json.dumps(dict.fromkeys(names, wrong)).encode())
    for name in names:
        value = getattr(made, name)
        # Either raw, or something of the type was made; never an error, never lost.
        assert value == wrong or json.loads(msgspec.json.encode(value, enc_hook=lambda o: o.model_dump())) is not None


def test_raw_examples() -> None:
    made = decode(Rich, b'{"at":"soon","price":"x","colour":"green","parts":[{"number":1},7],"pair":[1],"share":2}')
    assert (made.at, made.price, made.colour, made.parts) == ("soon", "x", "green", [Part(1), 7])
    assert made.pair == [1]
    assert type(made.share) is float


class Strict(enum.Enum):
    """Finds a member in a way of its own, and raises what no enumeration does."""

    ONE = 1

    @classmethod
    def _missing_(cls, value: object) -> Any:
        return {"one": cls.ONE}[value]


@dataclass
class Measured(Message):
    weight: float = 0.0
    kind: Strict = Strict.ONE
    by_name: dict[str, float] = field(default_factory=dict)


@pytest.mark.parametrize("wrong", [10**400, -(10**400), "two", []])
def test_what_no_float_and_no_member_can_be_stays_as_it_came(wrong: Any) -> None:
    made = decode(Measured, json.dumps({"weight": wrong, "kind": wrong, "by_name": {"a": wrong}}).encode())
    assert (made.weight, made.kind, made.by_name) == (wrong, wrong, {"a": wrong})
    assert decode(Measured, b'{"kind": "one"}').kind is Strict.ONE


def test_missing_fields_get_their_defaults_and_each_its_own_list() -> None:
    first, second = decode(Rich, b"{}"), decode(Rich, b"{}")
    assert first == Rich()
    assert first.parts is not second.parts


def test_a_required_field_that_is_missing_is_named() -> None:
    with pytest.raises(SerializationError, match=r"test_json\.Simple: required fields are missing: string"):
        decode(Simple, b'{"integer":1}')


@pytest.mark.parametrize("data", [b"[]", b'"text"', b"null", b"1"])
def test_json_that_is_no_object(data: bytes) -> None:
    with pytest.raises(SerializationError, match="no object"):
        decode(Simple, data)


def test_the_engine_tells_of_it_as_of_any_body() -> None:
    kind = TypeRegistry().register(Simple)
    with pytest.raises(DecodeError, match="required fields are missing: string"):
        kind.read(b'{"integer":1}', 1, "a.b")
    with pytest.raises(EncodeError, match=r"Simple\.string"):
        kind.encode(Simple(1, object()))  # type: ignore[arg-type]


# Attributes that are no fields ---------------------------------------------------------------------------------


def test_other_attributes_travel_both_ways() -> None:
    message = Simple(1, "a")
    message.extra = Part(2)  # type: ignore[attr-defined]
    message.more = [1, {"a": None}]  # type: ignore[attr-defined]
    made = again(message)
    assert made == message
    assert vars(made) == {"integer": 1, "string": "a", "extra": {"number": 2}, "more": [1, {"a": None}]}


def test_and_those_of_messages_inside() -> None:
    inside = Part(1)
    inside.extra = "x"  # type: ignore[attr-defined]
    made = again(Rich(part=inside, parts=[inside]))
    assert (made.part.extra, made.parts[0].extra) == ("x", "x")


def test_private_and_computed_ones_stay_at_home() -> None:
    @dataclass
    class Cached(Message):
        number: int = 2

        @functools.cached_property
        def double(self) -> int:
            return 2 * self.number

    message = Cached()
    message._lock = object()  # type: ignore[attr-defined]
    assert message.double == 4
    assert encode(message) == b'{"number":2}'


def test_nothing_from_outside_covers_a_method_or_what_is_private() -> None:
    made = decode(Part, b'{"number":1,"get_iris_id":"x","__class__":"y","_door":1,"__dict__":{},"kept":2}')
    assert vars(made) == {"number": 1, "kept": 2}
    assert made.get_iris_id() is None


# Classes of all kinds ------------------------------------------------------------------------------------------


def test_a_constructor_with_checks_is_called() -> None:
    @dataclass
    class Checked(Message):
        number: int = 0

        def __post_init__(self) -> None:
            if self.number < 0:
                raise ValueError("below zero")
            self.root = self.number**0.5

    made = decode(Checked, b'{"number":4,"root":2.0}')
    assert (made.number, made.root) == (4, 2.0)
    with pytest.raises(SerializationError, match="ValueError: below zero"):
        decode(Checked, b'{"number":-1}')


def test_frozen_slots_init_false_and_own_constructors() -> None:
    @dataclass(frozen=True)
    class Frozen(Message):
        number: int = 1

    @dataclass(slots=True)
    class Slots(Message):
        number: int = 1

    @dataclass
    class Counted(Message):
        number: int = 1
        later: list[int] = field(default_factory=list, init=False)
        seed: InitVar[int] = 5

    @dataclass(kw_only=True)
    class Named(Message):
        number: int = 1

    @dataclass(init=False)
    class Own(Message):
        number: int

        def __init__(self, number: int = 7) -> None:
            self.number = number

    for cls in (Frozen, Slots, Named, Own):
        assert again(cls(number=3)) == cls(number=3)
    counted = Counted(2)
    counted.later.append(8)
    assert encode(counted) == b'{"number":2,"later":[8]}'
    assert again(counted) == counted


def test_derived_and_generic_classes() -> None:
    @dataclass
    class Longer(Part):
        name: str = ""

    @dataclass
    class Box(Message, Generic[T]):
        content: T | None = None

    assert again(Longer(1, "a")) == Longer(1, "a")
    assert again(Box([1])) == Box([1])


def test_a_class_that_contains_itself_and_one_defined_later() -> None:
    assert again(Tree([Tree(), Tree([Tree()])], Leaf(1))) == Tree([Tree(), Tree([Tree()])], Leaf(1))


@dataclass
class Tree(Message):
    children: list[Tree] = field(default_factory=list)
    leaf: Leaf | None = None


@dataclass
class Leaf(Message):
    number: int = 0


def test_annotations_that_cannot_be_resolved_break_nothing() -> None:
    for frozen in (True, False):

        @dataclass(frozen=frozen)
        class Odd(Message):
            unknown: Nowhere = None  # type: ignore[name-defined]  # noqa: F821
            gone: json.Nothing = None  # type: ignore[name-defined]
            number: int = 0

        kind = TypeRegistry().register(Odd)
        assert kind.decode(b'{"unknown":{"a":1},"gone":2,"number":3}') == Odd({"a": 1}, 2, 3)


def test_pickle_messages_are_json() -> None:
    @dataclass
    class Old(PickleMessage):
        number: int = 0

    assert encode(Old(1)) == b'{"number":1}'
    with pytest.raises(SerializationError, match=r"Old\.number: object has no JSON form"):
        encode(Old(object()))  # type: ignore[arg-type]


def test_models_of_pydantic_check_what_they_read() -> None:
    class Strict(PydanticMessage):
        number: int
        parts: list[Model] = []

    kind = TypeRegistry().register(Strict)
    assert kind.name.endswith("test_json.test_models_of_pydantic_check_what_they_read.Strict")
    message = Strict(number=1, parts=[Model(number=2)])
    assert kind.decode(kind.encode(message)) == message
    with pytest.raises(DecodeError, match="number"):
        kind.read(b'{"number":"x"}', 1, "a.b")


@pytest.mark.parametrize("keys", [{(1, 2): "x"}, {None: "x"}, {b"x": 1}])
def test_keys_that_json_has_not(keys: Any) -> None:
    with pytest.raises(SerializationError, match=r"Rich\.anything: a dictionary has the key"):
        encode(Rich(anything=keys))


def test_a_structure_without_an_end() -> None:
    endless = Part()
    endless.itself = endless  # type: ignore[attr-defined]
    with pytest.raises(EncodeError, match="recursion"):
        TypeRegistry().register(Part).encode(endless)


# Numbers that are none -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("place", ["share", "anything", "inside", "extra"])
def test_nan_is_never_made_null(number: float, place: str) -> None:
    message = Rich()
    if place == "inside":
        message.anything = [{"a": number}]
    else:
        setattr(message, place, number)
    with pytest.raises(
        SerializationError, match=r"Rich\.(share|anything\[0\]\.a|anything|extra): (nan|-?inf) is no num"
    ):
        encode(message)


def test_nan_in_a_message_of_plain_fields() -> None:
    @dataclass
    class Reading(Message):
        value: float = 0.0
        note: str | None = None

    assert encode(Reading(1.0)) == b'{"value":1.0,"note":null}'
    with pytest.raises(SerializationError, match=r"Reading\.value"):
        encode(Reading(math.nan))


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.integers(), st.text(), JSON, st.dictionaries(st.from_regex(r"x[a-z]{0,5}", fullmatch=True), JSON, max_size=3))
def test_whatever_json_there_is_comes_back(number: int, text: str, anything: Any, extra: dict[str, Any]) -> None:
    number = max(-(2**63), min(number, 2**64 - 1))
    message = Rich(part=Part(number), kind=text, anything=anything)  # type: ignore[arg-type]
    vars(message).update(extra)
    made = again(message)
    assert vars(made) == vars(message)
    assert encode(made) == encode(message)


@given(JSON)
def test_no_json_object_is_refused_or_changed(value: Any) -> None:
    given_ = {"part": value, "either": value, "at": value, "pair": value, "by_number": value, "new": value}
    made = decode(Rich, msgspec.json.encode(given_))
    assert isinstance(made, Rich)
    assert again(made) == made
