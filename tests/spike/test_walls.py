"""The stand-in dialects have no private door: what they import of Junctor is the public contract, and nothing else.

One program, that of ``iop``, runs on the dialect itself.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PUBLIC = ("junctor.core", "junctor.messages", "junctor.errors")
FILES = sorted((HERE / "dialects").glob("*.py"))


def imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def allowed(module: str) -> bool:
    return module == "junctor" or any(module == public or module.startswith(f"{public}.") for public in PUBLIC)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_only_the_public_contract_is_imported(path: Path) -> None:
    found = [module for module in imported(ast.parse(path.read_text())) if module.split(".")[0] == "junctor"]
    assert not [module for module in found if not allowed(module)]


@pytest.mark.parametrize("path", sorted((HERE / "programs").glob("*.py")), ids=lambda path: path.stem)
def test_programs_know_nothing_of_junctor(path: Path) -> None:
    found = [module for module in imported(ast.parse(path.read_text())) if module.split(".")[0] == "junctor"]
    assert not [module for module in found if not module.startswith("junctor.dialects.")]


def private(names: set[str]) -> set[str]:
    return {name for name in names if name.startswith("_") and not name.startswith("__")}


def test_nothing_reaches_behind_the_port() -> None:
    """Every attribute with an underscore is one that these files make themselves."""
    nodes = [node for path in FILES for node in ast.walk(ast.parse(path.read_text()))]
    attributes = [node for node in nodes if isinstance(node, ast.Attribute)]
    made = {node.attr for node in attributes if isinstance(node.ctx, ast.Store)}
    made |= {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)}
    assert private({node.attr for node in attributes}) <= made
