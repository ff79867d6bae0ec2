"""Projects with modules of the same names, in one namespace and one process."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from junctor.dialects.iop.components import dispatch_of
from junctor.dialects.iop.migration import Registry, migrate, plan_migration, read_file
from junctor.messages import type_name

from .conftest import Write

SETTINGS = """
import bo, msg
CLASSES = {{"Python.{name}": bo.Store}}
SCHEMAS = [msg.Order]
PRODUCTIONS = [{{"Demo.{name}": {{"Item": {{"@Name": "Python.{name}", "@ClassName": "Python.{name}"}}}}}}]
"""

COMPOSED = """
import bo
from junctor.dialects.iop import Production
prod = Production("Demo.{name}")
prod.operation("Store", bo.Store)
PRODUCTIONS = [prod]
"""

LOAD = """
import sys
from junctor.dialects.iop.migration import Registry
from junctor.messages import type_name
registry = Registry.open()
for name in sys.argv[1:]:
    cls = registry.component(name)
    order = sys.modules[cls.__module__].Order
    print(name, type_name(order), order.__annotations__)
"""


def _order(cls: type) -> type:
    found = sys.modules[cls.__module__].Order
    assert isinstance(found, type)
    return found


def test_two_projects_keep_their_classes_and_the_names_of_their_messages(project: Write) -> None:
    for name in ("shop", "bank"):
        migrate(project(name, SETTINGS.format(name=name)))
    registry = Registry.open()
    shop, bank = registry.component("Python.shop"), registry.component("Python.bank")
    assert shop is not bank
    assert [type_name(_order(shop)), type_name(_order(bank))] == ["msg.Order", "bank:msg.Order"]
    assert [list(_order(cls).__dataclass_fields__) for cls in (shop, bank)] == [["shop"], ["bank"]]  # type: ignore[attr-defined]
    assert list(registry.schemas) == ["msg.Order", "bank:msg.Order"]


def test_the_names_of_messages_do_not_depend_on_what_is_loaded_first(project: Write) -> None:
    for name in ("shop", "bank"):
        migrate(project(name, SETTINGS.format(name=name)))
    found = []
    for names in (["Python.shop", "Python.bank"], ["Python.bank", "Python.shop"], ["Python.bank"]):
        done = subprocess.run([sys.executable, "-c", LOAD, *names], capture_output=True, text=True, check=True)
        found.append(sorted(done.stdout.splitlines()))
    assert found[0] == found[1]
    assert found[2][0].startswith("Python.bank bank:msg.Order")


def test_to_migrate_the_first_again_gives_the_names_no_other_way(project: Write) -> None:
    files = [project(name, SETTINGS.format(name=name)) for name in ("shop", "bank")]
    for file in (*files, *files):
        migrate(file)
    assert {name: Path(folder).name for name, folder in Registry.open().types.items()} == {
        "msg.Order": "shop",
        "bank:msg.Order": "bank",
    }


def test_a_name_stays_when_the_project_that_it_was_told_apart_from_is_gone(project: Write, tmp_path: Path) -> None:
    files = [project(name, SETTINGS.format(name=name)) for name in ("shop", "bank")]
    for file in files:
        migrate(file)
    shutil.rmtree(tmp_path / "shop")
    migrate(files[1])
    assert list(Registry.open().types) == ["bank:msg.Order"]
    assert type_name(_order(Registry.open().component("Python.bank"))) == "bank:msg.Order"


def test_a_third_project_in_a_folder_of_the_same_name(project: Write) -> None:
    for folder, name in (("shop", "A"), ("one/src", "B"), ("two/src", "C")):
        migrate(project(folder, SETTINGS.format(name=name)))
    registry = Registry.open()
    assert [type_name(_order(registry.component(f"Python.{name}"))) for name in "ABC"] == [
        "msg.Order",
        "src:msg.Order",
        "src-2:msg.Order",
    ]


@pytest.mark.parametrize("old_stays", [True, False])
def test_the_next_release_of_a_project_has_the_names_of_the_one_before(
    old_stays: bool, project: Write, tmp_path: Path
) -> None:
    migrate(project("releases/r1", SETTINGS.format(name="shop")))
    file = project("releases/r2", SETTINGS.format(name="shop"))
    if not old_stays:
        shutil.rmtree(tmp_path / "releases" / "r1")
    plan = plan_migration(file)
    assert any("it is registered from" in warning for warning in plan.warnings)
    plan.apply()
    registry = Registry.open()
    assert registry.types == {"msg.Order": str(file.parent)}
    assert type_name(_order(registry.component("Python.shop"))) == "msg.Order"


def test_names_that_nobody_chose_keep_apart_too(project: Write) -> None:
    files = [project(name, COMPOSED.format(name=name)) for name in ("shop", "bank")]
    for file in (*files, *files):
        migrate(file)
    registry = Registry.open()
    assert sorted(registry.registrations) == ["Python.bank.bo.Store", "Python.bo.Store"]
    assert registry.production("Demo.bank").items[0].class_name == "Python.bank.bo.Store"
    assert registry.registrations["Python.bo.Store"].folder == str(files[0].parent)


def test_two_folders_in_one_file_that_is_not_migrated(project: Write) -> None:
    for name in ("shop", "bank"):
        project(name, "")
    classes = {name: {"path": f"../{name}", "module": "bo", "class": "Store"} for name in ("shop", "bank")}
    read = read_file(project("both", f"CLASSES = {classes}"))
    assert [type_name(_order(read.component(name))) for name in ("shop", "bank")] == ["msg.Order", "bank:msg.Order"]


BY_NAME = """
import msg
from junctor.dialects.iop import BusinessOperation, handler

class Listed(BusinessOperation):
    DISPATCH = [("msg.Order", "listed")]

    def listed(self, order): ...

class Marked(BusinessOperation):
    def typed(self, order: msg.Order): ...

    @handler("msg.Order")
    def marked(self, order): ...
"""


def test_a_name_in_a_dispatch_table_is_that_of_its_own_project(project: Write) -> None:
    text = 'import bo\nCLASSES = {{"{name}.Listed": bo.Listed, "{name}.Marked": bo.Marked}}\n'
    for name in ("shop", "bank"):
        file = project(name, text.format(name=name))
        (file.parent / "bo.py").write_text(BY_NAME)
        migrate(file)
    registry = Registry.open()
    orders = {name: sys.modules[registry.component(f"{name}.Listed").__module__].msg.Order for name in ("shop", "bank")}
    made = {name: order() for name, order in orders.items()}
    taken = {
        (name, other, cls): dispatch_of(registry.component(f"{name}.{cls}")).method_for(made[other])
        for name in orders
        for other in orders
        for cls in ("Listed", "Marked")
    }
    assert taken == {(name, other, cls): "on_message" if name != other else cls.lower() for name, other, cls in taken}
