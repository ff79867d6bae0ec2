"""What the doctor of microServiceBus finds, and what it makes of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from junctor.dialects.doctors import Finding, Project, corrected
from junctor.dialects.microservicebus.errata.doctor import DOCTOR
from junctor.flows.code.advice import requirement_of

HEAD = "from base_service import CustomService\n\n\nclass Cpu(CustomService):\n"


def examined(files: dict[str, str]) -> list[Finding]:
    return list(DOCTOR.examine(Project(Path(), files)))


def of(body: str, file: str = "Cpu.py") -> list[tuple[int, str]]:
    return [(each.line, each.code) for each in examined({file: HEAD + body})]


def fixed(body: str) -> str:
    project = Project(Path(), {"Cpu.py": HEAD + body})
    return corrected(project, DOCTOR.examine).files["Cpu.py"].removeprefix(HEAD)


def test_what_is_right_is_left_alone() -> None:
    body = (
        "    def __init__(self, id, queue, config):\n        super().__init__(id, queue, config)\n"
        "    async def Start(self):\n        await self.Debug('x')\n        asyncio.create_task(self.Debug('x'))\n"
        "    def Process(self, message):\n        self.printf('x')\n"
        "    async def Stop(self, *rest): ...\n"
    )
    assert of(body) == []
    assert examined({"flow.py": "class Cpu:\n    def Start(self, a): self.Debug('x')\n"}) == []


@pytest.mark.parametrize(
    ("line", "code", "meant"),
    [
        (
            'await self.SubmitAction("a_py", "b", {"id": 42}})',
            "stray-bracket",
            'await self.SubmitAction("a_py", "b", {"id": 42})',
        ),
        ("x = [1, 2]]", "stray-bracket", "x = [1, 2]"),
        ("x = f(1))", "stray-bracket", "x = f(1)"),
        ("x = (1, 2])", "stray-bracket", "x = (1, 2)"),
        ('await self.Debug("x"', "missing-bracket", 'await self.Debug("x")'),
        ("await self.SubmitMessage({'a': 1)", "missing-bracket", ""),
        ("await self.Debug(\u201cx\u201d)", "quotes", 'await self.Debug("x")'),
    ],
)
def test_lines_that_are_no_python(line: str, code: str, meant: str) -> None:
    body = f"    async def Start(self):\n        {line}\n"
    found = examined({"Cpu.py": HEAD + body})
    if not meant:
        assert [each.code for each in found] == ["syntax"]
        return
    assert [(each.line, each.code) for each in found] == [(6, code)]
    assert fixed(body) == f"    async def Start(self):\n        {meant}\n"
    assert DOCTOR.correction(HEAD + body, 6) == meant


def test_several_of_them_are_corrected_one_after_the_other() -> None:
    body = "    async def Start(self):\n        x = [1]]\n        y = {2}}\n        await self.Debug(f(1)))\n"
    assert (
        fixed(body) == "    async def Start(self):\n        x = [1]\n        y = {2}\n        await self.Debug(f(1))\n"
    )


def test_what_nobody_understands_is_told() -> None:
    (found,) = examined({"Cpu.py": HEAD + "    async def Start(self) await\n"})
    assert (found.code, found.line, found.correctable) == ("syntax", 5, False)
    assert DOCTOR.correction("def f(:\n", 1) == ""
    assert DOCTOR.correction("x" * 5000 + ")", 1) == ""


def test_coroutines_that_are_not_awaited() -> None:
    body = "    async def Start(self):\n        self.Debug('x')\n        if 1: self.SubmitMessage({})\n"
    assert of(body) == [(6, "missing-await"), (7, "missing-await")]
    assert fixed(body) == (
        "    async def Start(self):\n        await self.Debug('x')\n        if 1: await self.SubmitMessage({})\n"
    )
    plain = "    def on_pin(self):\n        self.Debug('x')\n"
    (found,) = examined({"Cpu.py": HEAD + plain})
    assert (found.code, found.correctable) == ("missing-await", False) and "self.printf" in found.fix
    assert of("    def Debug(self, text): ...\n    def Process(self, m):\n        self.Debug('x')\n") == []


def test_functions_that_are_awaited_and_are_no_coroutines() -> None:
    body = "    async def Start(self):\n        pin = await self.GetPropertyValue('static', 'pin')\n"
    assert of(body) == [(6, "awaited-function")]
    assert fixed(body) == "    async def Start(self):\n        pin = self.GetPropertyValue('static', 'pin')\n"


def test_methods_that_are_called_from_outside() -> None:
    head = "        super().__init__(*a)\n"
    body = f"    def __init__(self):\n{head}    def Start(self): ...\n    async def Process(self): ...\n"
    assert of(body) == [(5, "service-arguments"), (7, "not-async"), (8, "service-arguments")]
    assert fixed(body) == (
        "    def __init__(self, id, queue, config):\n        super().__init__(*a)\n    async def Start(self): ...\n"
        "    async def Process(self, message): ...\n"
    )
    (found,) = examined({"Cpu.py": HEAD + "    async def Process(self, a, b): ...\n"})
    assert not found.correctable and found.fix == "Write def Process(self, message):"


def test_methods_that_nobody_calls() -> None:
    body = "    async def start(self): ...\n    async def process(self, message): ...\n    def stop(self): ...\n"
    assert of(body) == [(5, "method-name"), (6, "method-name"), (7, "method-name")]
    assert fixed(body) == (
        "    async def Start(self): ...\n    async def Process(self, message): ...\n    async def Stop(self): ...\n"
    )
    assert of("    async def Start(self):\n        self.stop()\n    def stop(self): ...\n") == []
    assert of("    async def Stop(self): ...\n    def stop(self): ...\n") == []


def test_the_constructor_above() -> None:
    head = "    def __init__(self, id, queue, config):\n"
    for call in ("super().__init__(id, queue{})", "super(Cpu, self).__init__(id, queue{})"):
        body = f"{head}        {call}\n"
        assert of(body.format("")) == [(6, "super-arguments")]
        assert fixed(body.format("")) == body.format(", config")
        assert of(body.format(", config")) == []
    both = "    def __init__(self, id, queue):\n        super().__init__(id, queue)\n"
    assert fixed(both) == f"{head}        super().__init__(id, queue, config)\n"
    named = "    def __init__(self, id, queue, settings):\n        super().__init__(id, queue{})\n"
    assert fixed(named.format("")) == named.format(", settings")
    (found,) = examined({"Cpu.py": HEAD + head + "        self.pin = 4\n"})
    assert (found.code, found.line, found.correctable) == ("super-call", 5, False)
    assert of(f"{head}        CustomService.__init__(self, id, queue, config)\n") == []
    assert of(f"{head}        super().__init__(*[id, queue, config])\n") == []


def test_a_file_has_the_name_of_its_class() -> None:
    assert of("    pass\n", file="gpio.py") == [(4, "class-name")]
    two = HEAD + "    pass\nclass Gpu(Cpu): ...\n"
    assert examined({"both.py": two}) == []
    assert [each.code for each in examined({"Cpu.py": HEAD + "    pass\n", "Gpu.py": "class Other(Cpu): ..."})] == [
        "class-name"
    ]


def test_requirements() -> None:
    (found,) = examined({"requirements.txt": "requests\nmicroservicebus_py==1.0.18\n"})
    assert (found.code, found.line, found.edits[0].lines) == ("original-package", 2, ("junctor-microservicebus",))


def test_a_module_that_is_missing_comes_with_our_package() -> None:
    assert requirement_of("queue_message") == requirement_of("base_service") == "junctor-microservicebus"
    assert requirement_of("base_services") == "base_services"


def test_it_knows_its_projects() -> None:
    assert DOCTOR.knows(Project(Path(), {"a.py": "from base_service import CustomService\n"}))
    assert DOCTOR.knows(Project(Path(), {"a.py": "import queue_message\n"}))
    assert not DOCTOR.knows(Project(Path(), {"a.py": "import base_services\n"}))


@given(
    st.lists(
        st.sampled_from(
            [
                *HEAD.splitlines(),
                "    async def Start(self):",
                "        self.Debug(1)",
                "    }",
                "x = [1]]",
                "((",
                "\u201c",
            ]
        )
    )
)
def test_any_file_is_examined_to_an_end(lines: list[str]) -> None:
    project = Project(Path(), {"Cpu.py": "\n".join(lines)})
    left = corrected(project, DOCTOR.examine)
    assert corrected(left, DOCTOR.examine).files == left.files
