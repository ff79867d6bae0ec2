"""Errors are interface: each class has a code that never changes, each instance says what to do."""

from __future__ import annotations

import ast
import importlib
import re

import pytest

from junctor.errors import JunctorError
from tests.architecture.tree import ROOT, report, sources

FOREIGN = {"Exception", "BaseException", "RuntimeError", "ValueError", "TypeError", "OSError", "LookupError"}
# Exceptions that are not errors of ours: most steer the engine and never leave it. Each with its reason.
SIGNALS = {
    "Hold": "raised by a handler to settle its delivery",
    "Retry": "raised by a handler to settle its delivery",
    "Park": "raised by a handler to settle its delivery",
    "Continue": "raised by continue_as_new() to leave the code of a run, and caught where that is driven",
    "Left": "leaves the code of a run that cannot be gone on with, past every except Exception in it",
    "ClientGone": "ends a route whose caller left; nobody is there to be told",
    "MustWait": "gives up a call on the event loop that is about to wait; it is made again in a thread",
    "NotSent": "tells the client of Pip.Services, which raises errors of that system, that it may ask again",
    "TimedOut": "tells the client of Pip.Services, which raises errors of that system, that it may not",
    "Unreadable": "tells file-in that it is to put a file aside, which is told as that",
    "Changed": "tells file-in that a file is another one than at its cursor, which is told as that",
    "ApplicationException": "the root of the errors of Pip.Services, which its programs raise, catch and send as JSON",
}
PAGE = ROOT / "docs" / "reference" / "errors.md"
ROLE = re.compile(r":\w+:`~?(?:[\w.]+\.)?(\w+)`")
CODE = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


def error_classes() -> list[type[JunctorError]]:
    """The root and all its descendants in Junctor, wherever they are defined."""
    for source in sources():
        if "(JunctorError)" in source.text or "errors import" in source.text:
            importlib.import_module(source.name)
    found: list[type[JunctorError]] = []
    queue = [JunctorError]
    while queue:
        kind = queue.pop()
        queue += kind.__subclasses__()
        if kind.__module__.startswith("junctor") and kind not in found:
            found.append(kind)
    return sorted(found, key=lambda kind: kind.__qualname__)


@pytest.mark.parametrize("kind", error_classes(), ids=lambda kind: kind.__name__)
def test_an_error_says_what_where_and_what_to_do(kind: type[JunctorError]) -> None:
    assert "code" in vars(kind), f"{kind.__name__} inherits its code; give it one of its own"
    assert CODE.fullmatch(kind.code), f"{kind.__name__}.code is {kind.code!r}; write small words joined by hyphens"
    assert kind.__doc__, f"{kind.__name__} does not say when it is raised"
    error = kind("the value is wrong", where="alarm.limit (flow.yaml:12)")
    assert error.fix.strip(), f"{kind.__name__} does not say what to do"
    assert error.fix.rstrip().endswith((".", "?", "!")), f"the fix of {kind.__name__} is not a sentence"
    text = str(error)
    assert text.index("alarm.limit") < text.index("the value is wrong") < text.index(error.fix)
    assert kind("no", fix="Give a number.").fix == "Give a number."


@pytest.mark.parametrize("kind", error_classes(), ids=lambda kind: kind.__name__)
def test_the_reference_lists_its_code(kind: type[JunctorError]) -> None:
    """Clients go by codes: the page has each with its HTTP status and its meaning, in the words of the class."""
    if kind.__name__.startswith("_"):
        return
    row = row_of(kind)
    assert row in PAGE.read_text().splitlines(), f"docs/reference/errors.md has not this row:\n{row}"


def test_the_reference_lists_no_code_that_is_gone() -> None:
    known = {row_of(kind) for kind in error_classes()}
    stale = [line for line in PAGE.read_text().splitlines() if line.startswith("| `") and line not in known]
    assert not stale, report("codes in docs/reference/errors.md that no class has:", stale)


def row_of(kind: type[JunctorError]) -> str:
    meaning = " ".join((kind.__doc__ or "").partition("\n\n")[0].split()).replace("|", "\\|")
    meaning = ROLE.sub(r"`\1`", meaning)
    return f"| `{kind.code}` | {kind.status} | `{kind.__name__}` | {meaning} |"


def test_codes_are_unique() -> None:
    by_code: dict[str, list[str]] = {}
    for kind in error_classes():
        by_code.setdefault(kind.code, []).append(kind.__name__)
    twice = [f"{code}: {', '.join(names)}" for code, names in by_code.items() if len(names) > 1]
    assert not twice, report("one code, several classes:", twice)


def test_every_error_class_has_our_root() -> None:
    """An exception that leaves Junctor is caught by ``except JunctorError``. Private ones (``_Name``) never leave."""
    known = {kind.__name__ for kind in error_classes()} | set(SIGNALS)
    found = []
    for source in sources():
        for node in ast.walk(source.tree):
            if not isinstance(node, ast.ClassDef) or node.name.startswith("_") or node.name in known:
                continue
            bases = {ast.unparse(base).rpartition(".")[2] for base in node.bases}
            if bases & FOREIGN:
                found.append(f"{source.at(node)} class {node.name}")
    assert not found, report("exceptions without our root; derive them from JunctorError or make them private:", found)
