"""Names of properties, methods and types."""

from __future__ import annotations

from collections import OrderedDict
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from junctor.dialects.pip_services.commons.convert import TypeCode
from junctor.dialects.pip_services.commons.errors import ConfigException, NotFoundException
from junctor.dialects.pip_services.commons.reflect import (
    MethodReflector,
    ObjectReader,
    ObjectWriter,
    PropertyReflector,
    RecursiveObjectReader,
    RecursiveObjectWriter,
    TypeDescriptor,
    TypeMatcher,
    TypeReflector,
)


class Inner:
    def __init__(self) -> None:
        self.x = 1


class Outer:
    shared = 5

    def __init__(self) -> None:
        self.a = 1
        self._hidden = 2
        self.inner = Inner()
        self.items = [1, {"q": 2}]
        self.none = None

    @property
    def computed(self) -> int:
        return 7

    @property
    def broken(self) -> int:
        raise ValueError("cannot be read")

    def add(self, one: int, other: int = 3) -> int:
        return one + other


def test_properties_by_name_without_regard_to_case() -> None:
    outer = Outer()
    assert PropertyReflector.get_property(outer, "A") == 1 and PropertyReflector.get_property(outer, "computed") == 7
    assert PropertyReflector.get_property(outer, "broken") is None and not PropertyReflector.has_property(outer, "add")
    names = ["a", "inner", "items", "none", "broken", "computed", "shared"]
    assert PropertyReflector.get_property_names(outer) == names
    PropertyReflector.set_properties(outer, {"A": 5, "unknown": 1, "computed": 1})
    assert outer.a == 5 and not hasattr(outer, "unknown") and outer.computed == 7


def test_objects_maps_and_lists_are_read_alike() -> None:
    assert ObjectReader.get_property({"a": 1, "B": 2}, "b") == 2 and ObjectReader.get_property([5, 6], "1") == 6
    assert ObjectReader.get_property([5], "1") is None and not ObjectReader.has_property([5], "x")
    assert ObjectReader.get_property({1: "one"}, 1) == "one"
    assert ObjectReader.get_property_names([5, 6]) == ["0", "1"]
    grown: list[Any] = []
    ObjectWriter.set_property(grown, "1", "x")
    assert grown == [None, "x"]


def test_nested_names() -> None:
    outer = Outer()
    assert RecursiveObjectReader.get_property(outer, "items.1.q") == 2
    assert RecursiveObjectReader.has_property(outer, "inner.x") and not RecursiveObjectReader.has_property(
        outer, "inner.y"
    )
    assert RecursiveObjectReader.get_property(outer, "none.x") is None
    leaves = RecursiveObjectReader.get_properties({"a": {"b": [1, {"c": date(2020, 1, 2)}]}, "e": {}})
    assert leaves == {"a.b.0": 1, "a.b.1.c": date(2020, 1, 2), "e": {}}
    assert RecursiveObjectReader.get_properties(5) == {} and RecursiveObjectReader.get_properties(None) == {}


def test_cycles_end() -> None:
    loop: dict[str, Any] = {"a": 1}
    loop["self"] = loop
    assert RecursiveObjectReader.get_properties(loop) == {"a": 1}
    twice = {"x": 1}
    assert RecursiveObjectReader.get_properties({"l": twice, "r": twice}) == {"l.x": 1, "r.x": 1}


def test_writing_makes_the_way() -> None:
    target: dict[str, Any] = {"a": {"b": 1}}
    RecursiveObjectWriter.copy_properties(target, {"a": {"c": {"d": 5}}, "u": {"v": 1}})
    assert target == {"a": {"b": 1, "c": {"d": 5}}, "u": {"v": 1}}


def test_methods() -> None:
    outer = Outer()
    assert MethodReflector.has_method(outer, "ADD") and MethodReflector.invoke_method(outer, "add", 1) == 4
    assert MethodReflector.get_method_names(outer) == ["add"] and MethodReflector.invoke_method(outer, "no") is None


def test_descriptors_of_types() -> None:
    assert str(TypeDescriptor.from_string("A, b.c")) == "A,b.c" and str(TypeDescriptor("A", None)) == "A"
    assert TypeDescriptor("A", None) == TypeDescriptor("A", "b") != TypeDescriptor("A", "c")
    assert TypeDescriptor.from_string(None) is None
    with pytest.raises(ConfigException, match="wrong format"):
        TypeDescriptor.from_string("a,b,c")


def test_types_by_name() -> None:
    assert TypeReflector.get_type("OrderedDict", "collections") is OrderedDict
    assert (
        TypeReflector.get_type("nothing", "collections") is None and TypeReflector.get_type("x", "no_such_lib") is None
    )
    made = TypeReflector.create_instance_by_descriptor(TypeDescriptor("OrderedDict", "collections"), {"a": 1})
    assert made == OrderedDict(a=1)
    with pytest.raises(NotFoundException, match="Type nothing,collections was not found"):
        TypeReflector.create_instance("nothing", "collections")
    with pytest.raises(ValueError, match="Module"):
        TypeReflector.get_type("x", None)


def test_a_module_that_fails_to_import_says_so_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "broken_part.py").write_text("import no_such_library_at_all\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="no_such_library_at_all"):
        TypeReflector.get_type("Part", "broken_part")


@pytest.mark.parametrize(
    ("typ", "value", "fits"),
    [
        (TypeCode.Integer, 1, True),
        (TypeCode.Integer, True, False),
        (TypeCode.Integer, "1", False),
        (TypeCode.Integer, 1.0, False),
        (TypeCode.Long, 1.0, True),
        (TypeCode.Float, 1, True),
        (TypeCode.Double, 1.5, True),
        (TypeCode.Boolean, 1, False),
        (TypeCode.String, "x", True),
        (TypeCode.DateTime, "2020-01-01", True),
        (TypeCode.DateTime, "no date", False),
        (TypeCode.Array, (1,), True),
        (TypeCode.Map, {}, True),
        (TypeCode.Map, Inner(), False),
        (TypeCode.Object, Inner(), True),
        (TypeCode.Object, {}, True),
        (TypeCode.Object, 1, False),
        (None, 1, True),
        (Inner, Inner(), True),
        (Inner, 1, False),
        ("string", "x", True),
        ("int", 1, True),
        ("inner", Inner(), True),
        ("string[]", ["a"], True),
        ("string[]", [1], False),
        ("object", 1, True),
        ("bool", 1, False),
    ],
)
def test_types_of_values(typ: Any, value: Any, fits: bool) -> None:
    assert TypeMatcher.match_value_type(typ, value) is fits
