"""What is public is listed, grouped, importable and described."""

from __future__ import annotations

import ast
import importlib
import inspect

import pytest

import junctor
from tests.architecture.tree import Source, dotted, report, sources

PUBLIC = [source for source in sources() if source.public]
ROOT = next(source for source in sources() if source.name == "junctor")


def declared(source: Source) -> ast.expr | None:
    """The value of ``__all__`` in this file."""
    for node in source.tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if any(isinstance(target, ast.Name) and target.id == "__all__" for target in targets):
            return node.value  # type: ignore[attr-defined, no-any-return]
    return None


def offers_something(source: Source) -> bool:
    """Whether there is more in the file than its docstring: an empty package has nothing to list."""
    return len(source.tree.body) > bool(ast.get_docstring(source.tree))


@pytest.mark.parametrize("source", [s for s in PUBLIC if offers_something(s)], ids=lambda source: source.name)
def test_a_public_module_lists_what_it_offers(source: Source) -> None:
    assert declared(source) is not None, f"{source.place} has no __all__; list what users may import from {source.name}"


@pytest.mark.parametrize("source", [s for s in sources() if declared(s) is not None], ids=lambda source: source.name)
def test_every_listed_name_exists_once(source: Source) -> None:
    module = importlib.import_module(source.name)
    names = list(module.__all__)
    assert len(names) == len(set(names)), f"{source.place}: a name is listed twice"
    missing = [name for name in names if not hasattr(module, name)]
    assert not missing, f"{source.place}: __all__ lists {missing}, which the module does not have"
    private = [name for name in names if name.startswith("_") and name != "__version__"]
    assert not private, f"{source.place}: __all__ lists private names {private}"


def test_the_root_is_grouped_by_comments() -> None:
    """The table of names is also the table of contents: a comment above each group, at most 20 names in one."""
    lines = iter(ROOT.text[ROOT.text.index("_SOURCES = {") :].partition("\n}")[0].splitlines()[1:])
    sizes: list[int] = []
    for line in lines:
        if line.strip().startswith("#"):
            sizes.append(0)
        else:
            sizes[-1] += 1
    assert len(sizes) >= 3
    assert 1 <= min(sizes) <= max(sizes) <= 20, "split the group that is longer than 20 names"


def test_the_root_says_the_same_to_people_tools_and_python() -> None:
    """``__all__``, the imports for type checkers and the lazy table name the same things."""
    checked = {
        alias.name: node.module
        for node in ast.walk(ROOT.tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("junctor.")
        for alias in node.names
    }
    assert checked == junctor._SOURCES
    assert list(junctor.__all__) == sorted(junctor._SOURCES)


def test_the_root_lists_and_answers_lazily() -> None:
    assert set(junctor.__all__) <= set(dir(junctor))
    with pytest.raises(AttributeError, match="no_such_name"):
        junctor.no_such_name  # noqa: B018


def test_every_module_says_what_it_is_for() -> None:
    silent = [source.place for source in sources() if source.text.strip() and not ast.get_docstring(source.tree)]
    assert not silent, report("modules without a docstring:", silent)


def test_every_public_class_and_function_says_what_it_is_for() -> None:
    silent = []
    for source in PUBLIC:
        if declared(source) is None:
            continue
        module = importlib.import_module(source.name)
        for name in module.__all__:
            value = getattr(module, name)
            if (inspect.isclass(value) or inspect.isfunction(value)) and not own_docstring(value):
                silent.append(f"{source.name}.{name}")
    assert not silent, report("public names without a docstring:", sorted(set(silent)))


def own_docstring(value: object) -> str:
    """The docstring, unless it was inherited or written by the dataclass decorator."""
    text = vars(value).get("__doc__") if inspect.isclass(value) else getattr(value, "__doc__", None)
    return "" if not text or text.startswith(f"{getattr(value, '__name__', '')}(") else text


FORBIDDEN_WORDS = ("Manager", "Helper", "Utils", "Util")
FORBIDDEN_FILES = {"internal", "helper", "helpers", "util", "utils", "manager", "managers", "common", "misc"}


def test_names_are_the_products_nouns() -> None:
    """Never Manager, Helper, Utils or _internal: a name says what the thing is."""
    found = []
    for source in sources():
        stem = source.path.parent.name if source.path.stem == "__init__" else source.path.stem
        if FORBIDDEN_FILES & set(stem.split("_")):
            found.append(source.place)
        for node in ast.walk(source.tree):
            if isinstance(node, ast.ClassDef) and node.name.endswith(FORBIDDEN_WORDS):
                found.append(f"{source.at(node)} class {node.name}")
            if isinstance(node, ast.ImportFrom) and "_internal" in (node.module or ""):
                found.append(f"{source.at(node)} from {node.module}")
            if isinstance(node, ast.Attribute) and "_internal" in dotted(node).split("."):
                found.append(f"{source.at(node)} {dotted(node)}")
    assert not found, report("names that say nothing:", found)
