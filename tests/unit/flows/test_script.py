"""``junctor run cpu.py`` runs what ``python cpu.py`` runs, without executing the call."""

from __future__ import annotations

import logging
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from junctor.errors import SettingError
from junctor.flows import load

HEAD = """
    import junctor
    from junctor import Flow, RetryPolicy, Service, action, handler, run, setting

    class Cpu(Service):
        limit: float = setting(80.0)
        names: list[str] = setting([])

        @action
        def reset(self): ...

    class Log(Service):
        @action
        def reset(self): ...

    shared = Flow("shared").add(Log)
    LIMIT = 60

    def effect(*args):
        raise AssertionError("called")

    if __name__ == "__main__":
"""

Shown = Callable[[str], list[str]]


@pytest.fixture
def shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shown]:
    """Loads the head with this main block: the flow and its services, as text."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.chdir(tmp_path)
    before = set(sys.modules)

    def show(block: str) -> list[str]:
        sys.modules.pop("machine", None)
        Path("machine.py").write_text(
            textwrap.dedent(HEAD) + textwrap.indent(textwrap.dedent(block).strip(), "    ") + "\n"
        )
        flow = load("machine.py")
        return [flow.name, *(f"{item.name} {item.spec().settings.get('limit', '')}".strip() for item in flow.services)]

    yield show
    for name in set(sys.modules) - before:
        if not name.startswith("junctor"):
            del sys.modules[name]


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        ("run(Cpu(limit=75))", ["machine", "cpu 75.0"]),
        ("junctor.run(Cpu(limit=75, names=['a']), Log, name='plant')", ["plant", "cpu 75.0", "log"]),
        ("cpu = Cpu(limit=LIMIT)\nrun(cpu)", ["machine", "cpu 60.0"]),
        ("run(shared)", ["shared", "log"]),
        ("run(shared.add(Cpu(limit=-1), 'first'), port=8080)", ["shared", "log", "first -1.0"]),
        (
            "run(Flow('own').add(Cpu, retry={'attempts': 2}).add(Log, retry=RetryPolicy(attempts=1)))",
            ["own", "cpu 80.0", "log"],
        ),
        ("flow = Flow('own')\nflow.add(Cpu(limit=1)).add(Log)\nrun(flow)", ["own", "cpu 1.0", "log"]),
        ("import sys\neffect('starting')\nx = effect()\nrun(Cpu(limit=2))", ["machine", "cpu 2.0"]),
        ("'''A text.'''\nrun(Cpu(limit=3))\neffect()", ["machine", "cpu 3.0"]),
    ],
)
def test_the_call_is_read(shown: Shown, block: str, expected: list[str], caplog: pytest.LogCaptureFixture) -> None:
    assert shown(block) == expected
    assert shown(block) == expected
    assert not caplog.records


@pytest.mark.parametrize("block", ["run()", "pass", "effect(Cpu())", "setting(1.0)", "print(run)"])
def test_a_script_that_names_nothing_leaves_all_to_its_file(shown: Shown, block: str) -> None:
    assert shown(block) == ["shared", "log"]


@pytest.mark.parametrize(
    "block",
    [
        "run(Cpu(limit=effect()))",
        "run(*[Cpu()])",
        "run(Cpu(**{}))",
        "run(effect(Cpu()))",
        "run([Cpu()][0])",
        "run(unknown)",
        "Cpu = effect()\nrun(Cpu())",
        "if LIMIT:\n    effect()\nrun(Cpu())",
        "for n in 'ab':\n    shared.add(Cpu, n)\nrun(shared)",
        "shared.add(effect())\nrun(shared)",
    ],
)
def test_what_only_running_could_tell_is_said(shown: Shown, block: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    assert shown(block) == ["shared", "log"]
    (record,) = caplog.records
    assert record.name == "junctor.flows"
    assert "machine.py:" in record.getMessage()
    assert "make the flow a variable of the file" in record.getMessage()


def test_a_wrong_setting_in_the_call_is_an_error(shown: Shown) -> None:
    with pytest.raises(SettingError, match=r"Cpu.limt \(machine.py:23\): there is no such setting. Did you mean"):
        shown("run(Cpu(limt=75))")
