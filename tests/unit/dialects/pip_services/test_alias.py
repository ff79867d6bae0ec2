"""Import paths, each tried in a Python of its own that has the compat package on its path."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[4]
ALIASES = ROOT / "compat" / "pip_services3" / "src"


def run(program: str, *folders: Path) -> subprocess.CompletedProcess[str]:
    paths = os.pathsep.join(str(path) for path in (*folders, ALIASES, ROOT / "src"))
    command = [sys.executable, "-c", program]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, env={**os.environ, "PYTHONPATH": paths})


def printed(program: str, *folders: Path) -> str:
    done = run(program, *folders)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


BOTH_STYLES = """
from pip_services3_commons.refer.Descriptor import Descriptor as from_module
import pip_services3_commons.refer.Descriptor
from pip_services3_commons.refer import Descriptor
import pip_services3_commons.refer.Descriptor as renamed
from pip_services3_commons import refer
import importlib
importlib.import_module("pip_services3_commons.refer.References")
assert from_module is Descriptor is renamed is refer.Descriptor is pip_services3_commons.refer.Descriptor
assert isinstance(refer.References, type), "the module must not take the place of the class"
print(Descriptor.__module__)
"""


def test_a_class_is_in_its_package_and_in_a_module_of_its_name() -> None:
    assert printed(BOTH_STYLES) == "junctor.dialects.pip_services.commons.refer.descriptor"


ALL_NAMES = """
import importlib, pkgutil
import junctor.dialects.pip_services.commons as ours
count = 0
for part in pkgutil.iter_modules(ours.__path__):
    if part.ispkg:
        package = importlib.import_module(f"pip_services3_commons.{part.name}")
        exec(f"from pip_services3_commons.{part.name} import *")
        for name in package.__all__:
            module = importlib.import_module(f"pip_services3_commons.{part.name}.{name}")
            assert getattr(module, name) is getattr(package, name)
            count += 1
print(count)
"""


def test_every_exported_name_is_found_both_ways() -> None:
    assert int(printed(ALL_NAMES)) > 100


LAZY = """
import sys
import pip_services3_commons.refer
print([name for name in sys.modules if name.startswith("junctor.dialects.pip_services.rpc")])
"""


def test_only_what_is_asked_for_is_imported() -> None:
    assert printed(LAZY) == "[]"


def test_a_path_that_is_not_there_is_an_import_error() -> None:
    assert "No module named 'pip_services3_commons.nothing'" in run("import pip_services3_commons.nothing").stderr
    assert "No module named 'pip_services3_commons.refer.Nothing'" in (
        run("from pip_services3_commons.refer.Nothing import Nothing").stderr
    )
    assert "cannot import name 'Nothing'" in run("from pip_services3_commons.refer import Nothing").stderr
    # Modules of ours are not part of the interface.
    assert "No module named" in run("import pip_services3_commons.refer.dependency_resolver").stderr


STAND_IN = """
import pip_services3_commons
from pip_services3_mongodb.persistence.IdentifiableMongoDbPersistence import IdentifiableMongoDbPersistence
from pip_services3_mongodb.persistence import IdentifiableMongoDbPersistence as same
assert same is IdentifiableMongoDbPersistence
class Beacons(IdentifiableMongoDbPersistence):
    def __init__(self):
        super().__init__("beacons")
try:
    Beacons()
except Exception as error:
    print(error.code, error)
"""


def test_a_package_that_is_not_offered_can_be_imported_and_inherited_but_not_used() -> None:
    told = printed(STAND_IN)
    assert told.startswith("NOT_OFFERED IdentifiableMongoDbPersistence of pip_services3_mongodb is not offered here.")
    assert "pip_services3_data.persistence" in told and "pip install --no-deps pip_services3_mongodb" in told


def test_a_package_that_is_installed_is_preferred_and_runs_on_these_classes(tmp_path: Path) -> None:
    package = tmp_path / "pip_services3_mongodb" / "persistence"
    package.mkdir(parents=True)
    (package.parent / "__init__.py").touch()
    (package / "__init__.py").write_text("from .Store import Store\n")
    (package / "Store.py").write_text(
        "from pip_services3_commons.config.IConfigurable import IConfigurable\n"
        "class Store(IConfigurable):\n"
        "    def configure(self, config):\n"
        "        self.uri = config.get_as_string_with_default('connection.uri', 'none')\n"
    )
    program = """
from pip_services3_commons.config import ConfigParams
from pip_services3_mongodb.persistence import Store
store = Store()
store.configure(ConfigParams.from_value({"connection": {"uri": "mongodb://db"}}))
print(store.uri)
"""
    assert printed(program, tmp_path) == "mongodb://db"


def test_the_original_beside_this_one_is_refused(tmp_path: Path) -> None:
    info = tmp_path / "pip_services3_commons-3.3.14.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: pip-services3-commons\nVersion: 3.3.14\n")
    refused = run("import pip_services3_commons", tmp_path)
    assert refused.returncode == 1
    assert "the package pip_services3_commons is installed beside junctor-pip-services3" in refused.stderr
    assert "pip uninstall pip_services3_commons" in refused.stderr


PLACES = """
import importlib, pkgutil, sys
from junctor.dialects.pip_services.alias import TABLE
for theirs, ours in TABLE.items():
    package = importlib.import_module(theirs)
    for part in pkgutil.iter_modules(importlib.import_module(ours).__path__):
        if part.ispkg:
            found = importlib.import_module(f"{theirs}.{part.name}")
            for name in getattr(importlib.import_module(f"{ours}.{part.name}"), "__all__", ()):
                assert getattr(importlib.import_module(f"{found.__name__}.{name}"), name) is getattr(found, name)
from pip_services3_components.build.Factory import Factory
from pip_services3_container import ProcessContainer
from pip_services3_container.ProcessContainer import ProcessContainer as from_module
from pip_services3_data.persistence import IdentifiableMemoryPersistence
from pip_services3_expressions.mustache.MustacheTemplate import MustacheTemplate
from pip_services3_rpc.build import DefaultRpcFactory
from pip_services3_swagger.build.DefaultSwaggerFactory import DefaultSwaggerFactory
assert ProcessContainer is from_module
print("all")
"""


def test_all_packages_have_their_place() -> None:
    assert printed(PLACES) == "all"
