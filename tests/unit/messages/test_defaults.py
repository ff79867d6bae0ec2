"""A dataclass that was decoded is the one that its constructor would have made, at every depth."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any

import msgspec
import pytest

from junctor.messages import codec


@dataclasses.dataclass
class Part:
    number: int = 1
    text: str = "x"


@dataclasses.dataclass(frozen=True)
class Whole:
    name: str
    size: int = 0
    part: Part | None = None
    parts: list[Part] = dataclasses.field(default_factory=list)
    named: dict[str, Part] = dataclasses.field(default_factory=dict)
    pair: tuple[Part, int] | None = None
    within: Whole | None = None


@dataclasses.dataclass(slots=True)
class Slotted:
    name: str
    size: int = 0


class Around(msgspec.Struct):
    whole: Whole


@dataclasses.dataclass
class Derived(Part):
    more: float = 2.5


GIVEN = (
    b'{"name":"a","part":{},"parts":[{},{"number":2}],"named":{"k":{"text":"y"}},"pair":[{},1],"within":{"name":"b"}}'
)


@pytest.mark.parametrize(
    ("cls", "data", "made"),
    [
        (Part, b"{}", Part()),
        (Derived, b'{"number":3}', Derived(3)),
        (Slotted, b'{"name":"a"}', Slotted("a")),
        (Around, b'{"whole":{"name":"a"}}', Around(Whole("a"))),
        (list[Part], b"[{}]", [Part()]),
        (
            Whole,
            GIVEN,
            Whole("a", 0, Part(), [Part(), Part(2)], {"k": Part(1, "y")}, (Part(), 1), Whole("b")),
        ),
    ],
)
def test_what_is_decoded_encodes_like_what_was_made(cls: Any, data: bytes, made: Any) -> None:
    encode, decode = codec.coders(cls)
    assert encode(decode(data)) == encode(made)
    assert codec.encode(codec.convert(msgspec.json.decode(data), cls)) == encode(made)


def test_types_that_lack_nothing_are_decoded_by_the_library_alone() -> None:
    for cls in (int, list[str], Slotted, dict[str, int]):
        decode = codec.coders(cls)[1]
        assert type(decode).__name__ == "builtin_function_or_method", cls


def test_a_type_that_cannot_be_hashed_is_converted() -> None:
    bounded: Any = Annotated[int, msgspec.Meta(ge=0, extra={"unit": "m"})]
    assert codec.convert(5, bounded) == 5
