"""Settings files in all their shapes, and the plan of their migration."""

from __future__ import annotations

import pytest

from junctor.dialects.iop.definition import Registration
from junctor.dialects.iop.migration import Migration, Registry, explain_migration, migrate
from junctor.dialects.iop.production.validation import ProductionValidationError, ProductionValidationWarning

from .conftest import Write

HEAD = "from junctor.dialects.iop import BusinessOperation\n"


def _names(migration: Migration) -> list[str]:
    return list(migration.project.registrations)


SHAPES = {
    "bo.Store": ["Python.Store"],
    "bo": ["Python.Store.Store", "Python.Store.Intake"],
    '{"module": "bo", "class": "Store", "path": "."}': ["Python.Store"],
    '{"module": "bo", "class": "Store"}': ["Python.Store"],
    '{"path": ".", "file": "bo.py"}': ["Python.Store.Store", "Python.Store.Intake"],
    '{"path": "."}': ["Python.Store.bo.Store", "Python.Store.bo.Intake"],
    '{"path": "src", "file": "my_own.py"}': ["Python.Store.Own"],
    '{"path": "src"}': ["Python.Store.myown.Own"],
    '{"path": ".", "package": "pack"}': ["Python.Store.pack.inner.Inner"],
    '{"module": "pack.inner", "class": "Inner"}': ["Python.Store"],
}


@pytest.mark.parametrize(("shape", "names"), SHAPES.items())
def test_each_shape_of_classes_is_registered_and_found_again(shape: str, names: list[str], project: Write) -> None:
    files = {
        "src/my_own.py": f"{HEAD}class Own(BusinessOperation): pass\n",
        "pack/__init__.py": "",
        "pack/helper.py": "",
        "pack/inner.py": f"from . import helper\n{HEAD}class Inner(BusinessOperation): pass\n",
    }
    file = project("shop", f"import bo\nCLASSES = {{'Python.Store': {shape}}}", files)
    migration = migrate(file)
    assert _names(migration) == names
    registry = Registry.open()
    for name in names:
        assert registry.component(name) is migration.project.component(name)


def test_the_plan_of_a_migration(project: Write) -> None:
    project(
        "shop",
        """
import bo, msg
CLASSES = {"Python.Store": bo.Store}
SCHEMAS = [msg.Order]
PRODUCTIONS = [{"Demo.Production": {"Item": [
    {"@Name": "Python.Store", "@ClassName": "Python.Store"},
    {"@Name": "Own", "@ClassName": bo.Store},
    {"@Name": "Gone", "@ClassName": "Python.Gone"},
]}}]
REMOTE_SETTINGS = {"url": "http://elsewhere"}
""",
    )
    assert explain_migration("shop/settings.py") == (
        "Migration plan: shop/settings.py\n"
        "Mode: LOCAL\n"
        "Namespace: USER\n"
        "\n"
        "CLASSES:\n"
        "  Python.Store -> bo.Store (component)\n"
        "  Own -> bo.Store (component)\n"
        "\n"
        "SCHEMAS:\n"
        "  msg.Order\n"
        "\n"
        "PRODUCTIONS:\n"
        "  Demo.Production\n"
        "\n"
        "VALIDATION:\n"
        "  Demo.Production: Gone: no class is registered as Python.Gone; the item is in error until one is\n"
        "  REMOTE_SETTINGS: migration to another machine is not offered yet; "
        "the namespace of this machine is migrated"
    )
    assert not Registry.open().path.exists()


def test_a_plan_with_nothing_in_it_says_none(project: Write) -> None:
    plan = explain_migration(project("shop", "CLASSES = {}"))
    assert plan.endswith("CLASSES:\n  none\n\nSCHEMAS:\n  none\n\nPRODUCTIONS:\n  none\n\nVALIDATION:\n  none")


def test_an_item_without_a_class_is_accepted_with_a_warning(project: Write) -> None:
    file = project("shop", "PRODUCTIONS = [{'D': {'Item': {'@Name': 'a', '@ClassName': 'Python.Gone'}}}]")
    with pytest.warns(ProductionValidationWarning, match="no class is registered as Python.Gone"):
        migrate(file)
    assert [item.name for item in Registry.open().production("D").items] == ["a"]


def test_a_strict_migration_refuses_what_is_wrong_with_a_production(project: Write) -> None:
    file = project("shop", "PRODUCTIONS = [{'D': {'Item': {'@Name': 'a', '@ClassName': 'Python.Gone'}}}]")
    with pytest.raises(ProductionValidationError, match=r"Python\.Gone"):
        migrate(file, strict=True)
    assert not Registry.open().path.exists()


def test_productions_of_all_kinds_in_one_file(project: Write) -> None:
    file = project(
        "shop",
        """
import bo
from junctor.dialects.iop import OperationItem, Production, Route, ServiceItem
composed = Production("Demo.Composed")
store = composed.operation(bo.Store)
composed.service("In", bo.Intake).connect("Output", store)
class Declared(Production):
    name = "Demo.Declared"
    services = [ServiceItem("In", bo.Intake, class_name="Python.Named", routes=[Route(bo.Intake.Output, "Store")])]
    operations = [OperationItem(component=bo.Store)]
class Other(Declared):
    name = "Demo.Other"
PRODUCTIONS = [composed, Declared, Other(), {"Demo.First": {}, "Demo.Second": {"@TestingEnabled": "true"}}]
""",
    )
    migrate(file)
    registry = Registry.open()
    assert list(registry.productions) == [
        "Demo.Composed",
        "Demo.Declared",
        "Demo.Other",
        "Demo.First",
        "Demo.Second",
    ]
    assert sorted(registry.registrations) == ["Python.Named", "Python.bo.Intake", "Python.bo.Store"]
    assert [item.setting("Output") for item in registry.production("Demo.Declared").items] == ["Store", None]


def test_to_migrate_again_changes_nothing(project: Write) -> None:
    file = project("shop", "import bo, msg\nCLASSES = {'Python.Store': bo.Store}\nSCHEMAS = [msg.Order]")
    migrate(file)
    before = Registry.open().path.read_bytes()
    migrate(file)
    assert Registry.open().path.read_bytes() == before


def test_what_changed_in_the_file_is_registered(project: Write) -> None:
    file = project("shop", "import bo\nCLASSES = {'Python.Store': bo.Store}")
    migrate(file)
    file.write_text("import bo\nCLASSES = {'Python.Store': bo.Other}")
    (file.parent / "bo.py").write_text(
        "from junctor.dialects.iop import BusinessOperation\nclass Other(BusinessOperation): pass\n"
    )
    migrate(file)
    registry = Registry.open()
    assert registry.registrations["Python.Store"] == Registration(
        name="Python.Store", module="bo", cls="Other", folder=str(file.parent)
    )
    assert registry.component("Python.Store").__name__ == "Other"


def test_schemas_of_dataclasses_and_models(project: Write) -> None:
    file = project(
        "shop",
        """
from dataclasses import dataclass
from junctor.dialects.iop import Message, PydanticMessage
class Thing: pass
@dataclass
class Plain(Message):
    text: str = None
    number: int = 3
    thing: Thing = None
class Model(PydanticMessage):
    number: int
SCHEMAS = [Plain, Model]
""",
    )
    migrate(file)
    schemas = Registry.open().schemas
    assert list(schemas) == ["settings.Plain", "settings.Model"]
    assert schemas["settings.Model"]["properties"]["number"]["type"] == "integer"
    assert "number" in str(schemas["settings.Plain"])


def test_messages_of_a_production_have_schemas(project: Write) -> None:
    text = "import msg\nfrom junctor.dialects.iop import Production\np = Production('D')\n"
    text += "p.message(msg.Order)\np.message('Demo.Msg.Again', msg.Other)\n"
    more = "class Other(Order): pass\n"
    file = project("shop", f"{text}PRODUCTIONS = [p]")
    (file.parent / "msg.py").write_text((file.parent / "msg.py").read_text() + more)
    migrate(file)
    assert list(Registry.open().schemas) == ["msg.Order", "Demo.Msg.Again"]


def test_a_file_of_any_name_and_one_that_holds_its_classes(project: Write) -> None:
    text = "from bo import Store\nclass Own(Store): pass\nCLASSES = {'Python.Own': Own}"
    file = project("shop", "", {"setting.py": text})
    migrate(file.with_name("setting.py"))
    assert Registry.open().component("Python.Own").__name__ == "Own"
    other = file.with_name("my-own.py")
    other.write_text(text.replace("Python.Own", "Python.Other"))
    migrate(other)
    assert Registry.open().registrations["Python.Other"].module == "my-own.py"
    assert Registry.open().component("Python.Other").__name__ == "Own"
