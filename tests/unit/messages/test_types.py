"""Names, versions and scopes of message types, and which of them may be shared as objects."""

from __future__ import annotations

import dataclasses
import enum
from datetime import datetime
from typing import Any, Literal

import attrs
import msgspec
import pydantic
import pytest

from junctor.errors import ConfigurationError, DecodeError, TypeClash
from junctor.messages import MessageType, TypeRegistry, message, type_name
from junctor.messages.types import is_body_class, is_frozen


@dataclasses.dataclass
class Reading:
    sensor: str
    value: float


@dataclasses.dataclass(frozen=True)
class Frozen:
    sensor: str
    tags: tuple[str, ...] = ()


class Struct(msgspec.Struct, frozen=True):
    inner: Frozen
    at: datetime | None = None


@attrs.define
class Attrs:
    sensor: str


class Model(pydantic.BaseModel):
    sensor: str


class Level(enum.Enum):
    LOW = "low"


def made(cls: Any) -> MessageType:
    return TypeRegistry().register(cls)


# Names --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cls", "name"),
    [
        (Reading, "Reading"),
        (Any, "any"),
        (int, "int"),
        (list[Reading], "list[Reading]"),
        (dict[str, list[Reading]], "dict[str, list[Reading]]"),
        (tuple[int, ...], "tuple[int, ...]"),
        (Reading | None, "Reading | None"),
        (Literal["a", "b"], "Literal['a', 'b']"),
    ],
)
def test_a_name_does_not_depend_on_the_module(cls: Any, name: str) -> None:
    assert type_name(cls) == name


def test_a_declared_name_is_that_of_the_class_alone() -> None:
    @message(name="reading", version=3)
    @dataclasses.dataclass
    class Named:
        x: int

    class Derived(Named):
        pass

    assert type_name(Named) == "reading"
    assert type_name(Derived).endswith("Derived")
    assert made(Named).version == 3
    assert made(Derived).version == 1


def test_a_class_in_a_function_has_a_readable_name() -> None:
    class Inner(msgspec.Struct):
        x: int

    assert type_name(Inner) == "test_a_class_in_a_function_has_a_readable_name.Inner"


@pytest.mark.parametrize("declared", [{"name": ""}, {"version": 0}])
def test_a_declaration_that_names_nothing_is_refused(declared: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="names no type.*Write for example @message"):
        message(**declared)


# Registry -----------------------------------------------------------------------------------------------------


def test_a_type_is_made_once_and_found_by_name_and_alias() -> None:
    @message(name="reading", aliases="measurement")
    class New(msgspec.Struct):
        x: int

    types = TypeRegistry()
    assert types.register(New) is types.register(New)
    assert types.named("reading") is types.named("measurement") is types.register(New)
    assert types.named("Reading") is None
    assert [kind.name for kind in types] == ["reading"]


def test_two_classes_of_one_name_clash_in_one_flow_only() -> None:
    other = dataclasses.make_dataclass("Reading", [("x", int)])
    types = TypeRegistry()
    types.register(Reading)
    with pytest.raises(TypeClash) as caught:
        types.register(other)
    text = str(caught.value)
    assert 'both called "Reading"' in text
    assert f"{__name__}.Reading" in text
    assert '@message(name="reading-2")' in text
    made(other)  # another flow


def test_an_alias_clashes_too() -> None:
    @message(aliases=("Reading",))
    class Later(msgspec.Struct):
        x: int

    types = TypeRegistry()
    types.register(Reading)
    with pytest.raises(TypeClash, match='"Reading"'):
        types.register(Later)


def test_the_type_of_an_object() -> None:
    types = TypeRegistry()
    assert types.of(Reading("cpu", 1)).cls is Reading
    assert types.of({"a": 1}).cls is Any
    assert types.of(7).cls is Any


def test_a_class_without_json_is_refused_with_its_name() -> None:
    class Holder(msgspec.Struct):
        x: set[bytes] | list[int]

    with pytest.raises(ConfigurationError, match="Holder cannot be the body of a message.*Use a dataclass"):
        made(Holder)


@pytest.mark.parametrize("cls", [Reading, Struct, Attrs, Model])
def test_classes_with_fields_are_bodies(cls: type) -> None:
    assert is_body_class(cls)
    assert not is_body_class(list[cls])  # type: ignore[valid-type]
    assert not is_body_class(int)


def test_fits() -> None:
    assert made(Reading).fits(Reading("cpu", 1))
    assert not made(Reading).fits("cpu")
    assert made(Any).fits("cpu")
    assert made(list[Reading]).fits([])


# Versions -----------------------------------------------------------------------------------------------------


def renamed(fields: dict[str, Any], version: int) -> dict[str, Any]:
    if version < 2:
        fields["sensor"] = fields.pop("name")
    return {**fields, "unit": fields.get("unit", f"from {version}")}


@message(version=3, upgrade=renamed)
class Upgraded(msgspec.Struct):
    sensor: str
    unit: str


@pytest.mark.parametrize(
    ("version", "data", "unit"),
    [
        (1, b'{"name":"cpu"}', "from 1"),
        (2, b'{"sensor":"cpu"}', "from 2"),
        (3, b'{"sensor":"cpu","unit":"C"}', "C"),
        (4, b'{"sensor":"cpu","unit":"C","new":1}', "C"),
    ],
)
def test_an_older_body_is_upgraded_and_a_newer_one_taken_as_it_fits(version: int, data: bytes, unit: str) -> None:
    assert made(Upgraded).read(data, version, "flow/alarm") == Upgraded("cpu", unit)


def test_an_upgrade_that_fails_names_the_place_and_the_version() -> None:
    with pytest.raises(DecodeError) as caught:
        made(Upgraded).read(b'{"other":1}', 1, "flow/alarm")
    text = str(caught.value)
    assert text.startswith(
        "flow/alarm (upgrade from version 1) Upgraded: the body is not a valid Upgraded: KeyError: 'name'."
    )


def test_without_an_upgrade_an_older_body_must_fit() -> None:
    assert made(Reading).read(b'{"sensor":"cpu","value":1}', 0, "x") == Reading("cpu", 1.0)


# Frozen -------------------------------------------------------------------------------------------------------


class OpenTags(msgspec.Struct, frozen=True):
    tags: list[str]


class Linked(msgspec.Struct, frozen=True):
    following: Linked | None
    level: Level


class Unresolvable(msgspec.Struct, frozen=True):
    x: NotThere  # type: ignore[name-defined]  # noqa: F821


@pytest.mark.parametrize(
    "cls", [int, str, Frozen, Struct, Linked, tuple[Frozen, ...], frozenset[int], Level, int | str]
)
def test_frozen_all_the_way_down(cls: Any) -> None:
    assert is_frozen(cls)


@pytest.mark.parametrize("cls", [Reading, OpenTags, list[int], dict[str, int], Any, Attrs, Model, Unresolvable, tuple])
def test_anything_that_could_change_is_not_frozen(cls: Any) -> None:
    assert not is_frozen(cls)
