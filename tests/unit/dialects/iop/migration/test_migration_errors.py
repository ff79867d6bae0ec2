"""Settings files that are wrong: each is told with file, path of keys and fix, and registers nothing."""

from __future__ import annotations

import pytest

from junctor.dialects.iop.migration import Registry, migrate, plan_migration
from junctor.errors import ConfigurationError, ImportFailed

from .conftest import Write

HEAD = """
import bo, msg
from junctor.dialects.iop import BusinessOperation, OperationItem, Production
"""

WRONG: list[tuple[str, str, str, str]] = [
    ("CLASSES = []", "CLASSES", "expected a dictionary, got list", "Write CLASSES = {"),
    ("CLASSES = {3: bo.Store}", "CLASSES", "3 is no name", "Write it as text"),
    ("CLASSES = {'a': msg.Order}", 'CLASSES["a"]', "Order is a message, not a component", "SCHEMAS"),
    ("CLASSES = {'a': dict}", 'CLASSES["a"]', "dict is not a component", "Derive it from"),
    ("CLASSES = {'a': 'bo.Store'}", 'CLASSES["a"]', "expected a class, a module", "Import the class"),
    ("CLASSES = {'a': {}}", 'CLASSES["a"]', "empty dictionary", "Import the class"),
    ("CLASSES = {'a': {'modul': 'bo'}}", 'CLASSES["a"]["modul"]', "means nothing", 'Did you mean "module"?'),
    ("CLASSES = {'a': {'class': 'X'}}", 'CLASSES["a"]', '"module" is missing', 'Add "module"'),
    ("CLASSES = {'a': {'module': 'nope', 'class': 'X'}}", 'CLASSES["a"]["module"]', "no module nope", "path"),
    ("CLASSES = {'a': {'module': 'bo', 'class': 'X'}}", 'CLASSES["a"]["class"]', "there is no X", "There is: "),
    ("CLASSES = {'a': {'path': 'nope'}}", 'CLASSES["a"]["path"]', "there is no folder", "relative to"),
    ("CLASSES = {'a': {'path': '.', 'file': 'no.py'}}", 'CLASSES["a"]["file"]', "no such file", "bo.py"),
    ("CLASSES = {'a': {'path': '.', 'package': 'no'}}", 'CLASSES["a"]["package"]', "there is no package", "its name"),
    ("CLASSES = {'a': type('X', (bo.Store,), {})}", 'CLASSES["a"]', "not found again", "at the top of a file"),
    ("SCHEMAS = msg.Order", "SCHEMAS", "expected a list", "Write SCHEMAS = ["),
    ("SCHEMAS = [bo.Store]", "SCHEMAS[0]", "Store is no message", "derived from Message"),
    ("PRODUCTIONS = {}", "PRODUCTIONS", "expected a list", "Write PRODUCTIONS = ["),
    ("PRODUCTIONS = ['D']", "PRODUCTIONS[0]", "expected a Production", "Production("),
    ("PRODUCTIONS = [Production]", "PRODUCTIONS[0]", "needs a name", "Correct the class"),
    ("PRODUCTIONS = [{'D': 1}]", 'PRODUCTIONS[0]["D"]', "expected a dictionary", "Write {...}"),
    ("PRODUCTIONS = [{'D': {}}, Production('D')]", "PRODUCTIONS[1]", "two productions D", "another name"),
    (
        "PRODUCTIONS = [{'Demo': {'Item': [{'@Name': 'a', '@ClassName': 'b'}, "
        "{'@Name': 'c', '@ClassName': 'd', '@PoolSize': 'x'}]}}]",
        'PRODUCTIONS[0]["Demo"]["Item"][1]["@PoolSize"]',
        "expected a whole number, got 'x'",
        "Write a number",
    ),
    (
        "PRODUCTIONS = [{'D': {'Item': {'@Name': 'a', '@ClassName': {'path': '.'}}}}]",
        'PRODUCTIONS[0]["D"]["Item"]["@ClassName"]',
        "an item has one class",
        '"module"',
    ),
    (
        "PRODUCTIONS = [{'D': {'Item': {'@Name': 'a', '@ClassName': msg.Order}}}]",
        'PRODUCTIONS[0]["D"]["Item"]["@ClassName"]',
        "is a message",
        "Take it out",
    ),
    (
        "p = Production('D')\np.operation('a', bo.Store, class_name='X')\np.service('b', bo.Intake, class_name='X')\n"
        "PRODUCTIONS = [p]",
        'PRODUCTIONS[0]["D"]',
        "two classes are called X",
        "class_name",
    ),
    # Names that have no place in paths, rows of a log, or JSON; a production of such a name would stop its namespace.
    ("PRODUCTIONS = [{'a' * 5000: {}}]", "PRODUCTIONS[0]", "may have 100", "shorter"),
    ("PRODUCTIONS = [Production('a\\nb')]", "PRODUCTIONS[0]", "cannot be shown", "letters"),
    ("CLASSES = {'a\\0': bo.Store}", 'CLASSES["a\0"]', "cannot be shown", "letters"),
    ("CLASSES = {'a\\udc80': bo.Store}", 'CLASSES["a\udc80"]', "cannot be shown", "letters"),
    # Places that cannot be looked for, or would be the whole disk.
    ("CLASSES = {'a': {'path': 'b\\0'}}", 'CLASSES["a"]["path"]', "cannot be looked for", "relative to"),
    ("CLASSES = {'a': {'path': 'b' * 5000}}", 'CLASSES["a"]["path"]', "cannot be looked for", "relative to"),
    ("CLASSES = {'a': {'package': '../..'}}", 'CLASSES["a"]["package"]', "no name of a package", "as it is imported"),
    (
        "class P(Production):\n    name = 'P'\n    def __init__(self):\n        raise KeyError('x')\nPRODUCTIONS = [P]",
        "PRODUCTIONS[0]",
        "P cannot be made: 'x'",
        "Correct the class",
    ),
]


@pytest.mark.parametrize(("text", "path", "what", "fix"), WRONG)
def test_a_wrong_shape_is_told_with_its_path(text: str, path: str, what: str, fix: str, project: Write) -> None:
    project("shop", HEAD + text)
    with pytest.raises(ConfigurationError) as caught:
        migrate("shop/settings.py")
    assert caught.value.where == f"shop/settings.py: {path}"
    assert what in caught.value.what
    assert fix in caught.value.fix
    assert not Registry.open().path.exists()


@pytest.mark.parametrize("name", ["a\\nb", "a\\udc80", "b" * 101])
def test_an_item_whose_name_cannot_be_one(name: str, project: Write) -> None:
    with pytest.raises(ConfigurationError, match="the name '") as caught:
        migrate(project("shop", f"PRODUCTIONS = [{{'D': {{'Item': {{'@Name': '{name}', '@ClassName': 'X'}}}}}}]"))
    assert str(caught.value.where).endswith("PRODUCTIONS[0]")
    assert not Registry.open().path.exists()


def test_a_text_that_cannot_be_stored_is_told(project: Write) -> None:
    with pytest.raises(ConfigurationError, match="cannot be stored"):
        migrate(project("shop", "PRODUCTIONS = [{'D': {'Description': 'a\\udc80'}}]"))
    assert not Registry.open().path.exists()


def test_a_setting_of_an_unknown_target_is_told(project: Write) -> None:
    item = "{'@Name': 'a', '@ClassName': 'X', 'Setting': {'@Target': 'Hst', '@Name': 'b', '#text': 'c'}}"
    plan = plan_migration(project("shop", f"PRODUCTIONS = [{{'D': {{'Item': {item}}}}}]"))
    assert "Hst is neither Host nor Adapter" in plan.text


def test_messages_in_classes_are_a_value_error(project: Write) -> None:
    with pytest.raises(ValueError, match="is a message"):
        migrate(project("shop", "import msg\nCLASSES = {'a': msg.Order}"))


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("x = 1\n1 / 0", 2, "ZeroDivisionError"),
        ("import nowhere_at_all", 1, "there is no module nowhere_at_all"),
        ("def f(:", 1, "SyntaxError"),
        ("raise SystemExit(3)", 1, "ends the program"),
        ("import bo\nfrom junctor.dialects.iop import Production\nProduction('D').service(bo.Store)", 3, "TypeError"),
    ],
)
def test_a_file_that_fails_is_told_with_its_line(text: str, line: int, what: str, project: Write) -> None:
    file = project("shop", text)
    with pytest.raises(ImportFailed) as caught:
        migrate(file)
    assert str(caught.value.where).endswith(f"shop/settings.py:{line}")
    assert what in caught.value.what


@pytest.mark.parametrize(
    ("path", "what", "fix"),
    [
        ("shop/setings.py", "there is no such file", 'Did you mean "settings.py"?'),
        ("shop", "it is a folder", "Name the settings file: shop/settings.py."),
        ("shop/notes.txt", "it is not a Python file", ".py"),
        ("nowhere/settings.py", "there is no such file", "Check the path"),
    ],
)
def test_a_path_that_is_no_settings_file(path: str, what: str, fix: str, project: Write) -> None:
    project("shop", "CLASSES = {}").with_name("notes.txt").write_text("")
    with pytest.raises(ImportFailed) as caught:
        migrate(path)
    assert (caught.value.what, caught.value.where) == (what, path)
    assert fix in caught.value.fix


def test_a_misspelt_attribute_is_told(project: Write) -> None:
    with pytest.raises(ConfigurationError, match="Rename CLASES to CLASSES"):
        migrate(project("shop", "CLASES = {}"))


def test_an_import_that_fails_half_way_leaves_all_as_it_was(project: Write) -> None:
    file = project("shop", "import bo\nCLASSES = {'Python.Store': bo.Store}\nPRODUCTIONS = [{'D': {}}]")
    migrate(file)
    registry = Registry.open()
    before, store = registry.path.read_bytes(), registry.component("Python.Store")
    broken = "CLASSES = {'New': {'module': 'bo', 'class': 'Store'}, 'Bad': {'module': 'bad', 'class': 'X'}}"
    project("shop", broken, {"bad.py": "import bo\n1 / 0"})
    with pytest.raises(ImportFailed, match=r"bad\.py:2"):
        migrate(file)
    assert registry.path.read_bytes() == before
    assert Registry.open().component("Python.Store") is store


def test_a_bad_production_behind_good_ones_registers_none(project: Write) -> None:
    with pytest.raises(ConfigurationError):
        migrate(project("shop", "PRODUCTIONS = [{'A': {}}, {'B': {'ActorPoolSize': 'x'}}]"))
    assert not Registry.open().path.exists()
