"""The functions that programs call instead of writing a settings file."""

from __future__ import annotations

import io
from typing import Any

import pytest

from junctor.dialects.iop import Production, Utils
from junctor.dialects.iop.migration import Registry, functions
from junctor.errors import ConfigurationError, JunctorError

from .conftest import Write


@pytest.fixture
def shop(project: Write) -> str:
    return str(project("shop", "CLASSES = {}").parent)


def test_classes_are_registered_one_by_one_by_file_and_by_folder(shop: str) -> None:
    Utils.register_component("bo", "Store", shop)
    Utils.register_component("bo", "Store", shop, 1, "My.Store")
    Utils.register_file("bo.py", shop, 1, "File")
    Utils.register_folder(shop, 1, "Folder")
    Utils.set_classes_settings({"Set.Store": {"module": "bo", "class": "Store"}}, shop)
    registry = Registry.open()
    assert sorted(registry.registrations) == [
        "File.Intake",
        "File.Store",
        "Folder.bo.Intake",
        "Folder.bo.Store",
        "My.Store",
        "Python.Store",
        "Set.Store",
    ]
    assert registry.component("My.Store").__name__ == "Store"


def test_a_name_is_not_overwritten_where_that_is_forbidden(shop: str) -> None:
    Utils.register_component("bo", "Store", shop)
    with pytest.raises(ConfigurationError, match="is registered already"):
        Utils.register_component("bo", "Intake", shop, overwrite=0, iris_classname="Python.Store")
    assert Registry.open().component("Python.Store").__name__ == "Store"


def test_bindings_are_listed_and_forgotten_unless_they_are_used(shop: str) -> None:
    Utils.register_file("bo.py", shop)
    Utils.register_production({"Demo": {"Item": {"@Name": "a", "@ClassName": "Python.Store"}}})
    assert [one["class"] for one in functions.list_bindings(unused_only=True)] == ["Python.Intake"]
    functions.unbind_component("Python.Intake")
    with pytest.raises(JunctorError, match="Python.Store"):
        functions.unbind_component("Python.Store")
    assert list(Registry.open().registrations) == ["Python.Store"]


def test_productions_are_registered_and_exported() -> None:
    shape: dict[str, Any] = {"@Name": "Demo", "ActorPoolSize": "3", "Item": []}
    Utils.register_production("Demo", shape)
    Utils.set_productions_settings([{"Other": {}}])
    Utils.register_production(Production("Third").testing())
    assert Utils.export_production("Demo")["Demo"]["ActorPoolSize"] == "3"
    assert sorted(Registry.open().productions) == ["Demo", "Other", "Third"]
    with pytest.raises(ConfigurationError, match="no production Fourth"):
        Utils.export_production("Fourth")


def test_a_registered_production_is_changed_and_registered_again(shop: str) -> None:
    Utils.register_component("bo", "Store", shop)
    Utils.register_production({"Demo": {"Item": {"@Name": "a", "@ClassName": "Python.Store"}}})
    before = Registry.open().registrations
    prod = Production.from_iris("Demo")
    prod.item("a").pool(5)
    assert str(prod.diff()) == "Demo\n  ~ a.pool_size: 1 -> 5"
    prod.sync(update=False)
    assert not prod.diff()
    assert Registry.open().registrations == before


def test_schemas_are_registered() -> None:
    Utils.register_schema("My.Schema", {"type": "object"})
    assert Registry.open().schemas == {"My.Schema": {"type": "object"}}


def test_small_things_of_the_other_engine() -> None:
    Utils.setup()
    Utils.raise_on_error(1)
    with pytest.raises(RuntimeError):
        Utils.raise_on_error("0 ERROR #5002")
    assert Utils.stream_to_string(io.StringIO("x")) == Utils.string_to_stream("x")
