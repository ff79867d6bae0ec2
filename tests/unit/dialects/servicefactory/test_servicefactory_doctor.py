"""The doctor of Service Factory: what it corrects, and what it leaves alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from junctor.dialects.doctors import Finding, Project, corrected
from junctor.dialects.servicefactory.doctor import DOCTOR
from tests.seeds.pages import blocks

HEAD = "from servicefactory import Service\n"


def found(given: Project) -> list[Finding]:
    return [finding for finding in DOCTOR.examine(given) if finding.file]


def project(**files: str) -> Project:
    return Project(Path("/nowhere"), {name.replace("_", "."): text for name, text in files.items()})


def codes(text: str) -> list[tuple[str, int]]:
    return [(finding.code, finding.line) for finding in found(project(a_py=HEAD + text))]


def test_the_page_is_well() -> None:
    page = Project(Path("/nowhere"), dict(blocks("servicefactory")))
    assert DOCTOR.knows(page)
    assert not found(page)
    assert not DOCTOR.knows(project(a_py="from junctor import Service\n"))


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("def loop(): pass", "def loop(self): pass"),
        ("def loop(self): pass\n    def finalize(): pass", "def loop(self): pass\n    def finalize(self): pass"),
        (
            "def loop(self): pass\n    @Service.API.handle('a')\n    def a(self):\n        return 1",
            "def loop(self): pass\n    @Service.API.handle('a')\n    def a(self, data):\n        return 1",
        ),
        (
            "def loop(self): pass\n    @Service.API.handle('a')\n    def a(data): return data",
            "def loop(self): pass\n    @Service.API.handle('a')\n    def a(self, data): return data",
        ),
    ],
)
def test_arguments_that_a_service_needs(wrong: str, right: str) -> None:
    text = HEAD + "class A(Service.base):\n    {}\n"
    assert corrected(project(a_py=text.format(wrong)), found).files["a.py"] == text.format(right)


@pytest.mark.parametrize(
    "text",
    [
        "class A(Service.base):\n    def loop(self, *args): pass\n    def finalize(self, now=1): pass",
        "class A(Service.base):\n    def helper(self, one, two): pass\nclass B(A):\n    def loop(self): pass",
        "class A(Service.base, Looping): pass",
        "class A(Service.base):\n    @staticmethod\n    def loop(): pass",
        "class A(Service.base):\n    def loop(self): pass\n    @timed\n    @Service.API.handle('a')\n    def a(): ...",
        "class A(Other):\n    def loop(): pass",
    ],
)
def test_what_may_be_right_is_left_alone(text: str) -> None:
    assert codes(text) == []


def test_what_only_a_person_can_correct() -> None:
    assert codes("class A(Service.base): pass") == [("missing-loop", 2)]
    assert codes("class A(Service.base):\n    def loop(self, a, b): pass") == [("service-arguments", 3)]
    assert codes("class A(Service.base:\n") == [("syntax", 2)]
    derived = "class A(Service.base):\n    def loop(self): pass\nclass B(A):\n    def finalize(self, a): pass"
    assert codes(derived) == [("service-arguments", 5)]


def test_requirements_of_the_original() -> None:
    made = corrected(project(requirements_txt="Servicefactory==1.0.3\nWerkzeug==0.14.1\nrequests\n"), found)
    assert made.files["requirements.txt"] == "junctor-servicefactory\nrequests\n"
    kept = project(requirements_txt="servicefactory\nwerkzeug\n", a_py="import werkzeug\n")
    assert corrected(kept, found).files["requirements.txt"] == "junctor-servicefactory\nwerkzeug\n"
