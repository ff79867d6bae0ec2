"""What a user names on a command line: files, modules, classes, flows; and code that does not import."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from junctor.errors import ConfigurationError, ImportFailed
from junctor.flows import flow_of_module, load, loading, wire

Write = Callable[..., Path]

TWO = """
    from dataclasses import dataclass
    from junctor.services import Service, Target, every, handler
    from junctor.settings import setting

    @dataclass
    class Reading:
        value: float

    class Monitor(Service):
        readings: Target[Reading]

        @every("2s")
        async def poll(self): ...

    class Alarm(Service):
        limit: float = setting(80.0)

        @handler
        def on_reading(self, reading: Reading): ...
"""


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Writes a file below a folder of its own, which is the working folder. Imports leave nothing behind."""
    folder = tmp_path / "app"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    before = dict(sys.modules)

    def writer(name: str, source: str) -> Path:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(source))
        return path

    yield writer
    for name in set(sys.modules) - set(before):
        if not name.startswith("junctor."):  # a part that is loaded twice has two classes of one name
            del sys.modules[name]


def names(text: str) -> list[str]:
    return [item.name for item in load(text).services]


# Found --------------------------------------------------------------------------------------------------------


def test_a_file_of_classes_is_a_flow(write: Write) -> None:
    write("plant_watch.py", TWO)
    flow = load("plant_watch.py")
    assert flow.name == "plant_watch"
    assert wire(flow).explain() == ["monitor.readings -> alarm (Reading, by type)"]
    assert sys.path[0] == str(Path.cwd())


def test_a_file_elsewhere_imports_what_lies_beside_it(write: Write, tmp_path: Path) -> None:
    write("deep/beside_it.py", "LIMIT = 75")
    path = write("deep/main-flow.py", "import beside_it\n" + textwrap.dedent(TWO))
    flow = load(str(path))
    assert flow.name == "main-flow"
    assert sys.path[0] == str(path.parent)


def test_loading_twice_is_one_module(write: Write) -> None:
    write("once.py", TWO)
    assert load("once.py").services[0].source is load("once.py").services[0].source
    assert load("once:Alarm").services[0].source is load("once.py:Alarm").services[0].source


def test_a_file_named_like_another_module_replaces_nothing(write: Write) -> None:
    import json

    write("json.py", TWO)
    assert names("json.py") == ["monitor", "alarm"]
    assert sys.modules["json"] is json


def test_a_package_and_a_class_in_it(write: Write) -> None:
    write("plant/__init__.py", "")
    write("plant/line.py", TWO)
    flow = load("plant.line")
    assert flow.name == "line"
    assert names("plant.line:Alarm") == ["alarm"]


def test_objects_stand_for_their_classes(write: Write) -> None:
    write(
        "made.py", TWO + "\n    hall_alarm = Alarm(limit=75)\n    yard_alarm = Alarm(limit=60)\n    _spare = Alarm()\n"
    )
    flow = load("made.py")
    assert [(item.name, dict(item.spec().settings)) for item in flow.services] == [
        ("hall-alarm", {"limit": 75.0}),
        ("yard-alarm", {"limit": 60.0}),
        ("monitor", {}),
    ]
    assert load("made.py:hall_alarm").services[0].spec().settings == {"limit": 75.0}


def test_what_cannot_run_is_left_out(write: Write) -> None:
    write(
        "mixed.py",
        """
        import abc
        from junctor.services import Service, action, handler
        from textwrap import dedent

        class Empty(Service):
            pass

        class _Hidden(Service):
            @action
            def a(self): ...

        class Base(Service, abc.ABC):
            @action
            @abc.abstractmethod
            def a(self): ...

        class Real(Base):
            def a(self): ...

        class Looping(Service):
            def loop(self): ...
        """,
    )
    assert names("mixed.py") == ["real", "looping"]


def test_functions_with_marks_are_a_service_beside_the_classes(write: Write) -> None:
    write("cpu_watch.py", TWO + "\n    @every(1)\n    def tick(): ...\n")
    assert names("cpu_watch.py") == ["monitor", "alarm", "cpu_watch"]


def test_a_flow_in_the_file_wins(write: Write) -> None:
    flows = TWO + '\n    from junctor.flows import FlowModel\n    one = FlowModel("one").add(Alarm)\n'
    write("with_flow.py", flows)
    assert load("with_flow.py").name == "one"
    write("with_two.py", flows + '    flow = FlowModel("two").add(Monitor)\n    same = flow\n')
    assert load("with_two.py").name == "two"
    assert load("with_two.py:one").name == "one"
    write("unclear.py", flows + '    other = FlowModel("two").add(Monitor)\n')
    with pytest.raises(
        ConfigurationError, match=r"unclear.py: there are several flows: one, other. Name one: unclear.py:one"
    ):
        load("unclear.py")


def test_a_module_that_is_imported_already(write: Write) -> None:
    write("imported.py", TWO)
    import importlib

    sys.path.insert(0, str(Path.cwd()))
    assert flow_of_module(importlib.import_module("imported")).name == "imported"


def test_code_can_tell_that_it_is_being_loaded(write: Write) -> None:
    write("tells.py", TWO + "\n    from junctor.flows import loading\n    told = loading()\n")
    load("tells.py")
    assert sys.modules["tells"].told == str(Path.cwd() / "tells.py")
    assert loading() == ""


# Not found ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plnt.py", 'plnt.py: there is no such file. Did you mean "plant.py"?'),
        ("nowhere/plant.py", "nowhere/plant.py: there is no folder nowhere. There is: sub."),
        ("plnt", "plnt: there is no module plnt. Give a file (cpu.py) or a module that Python finds from this folder."),
        ("plant.py:Alrm", 'plant.py: there is no Alrm. Did you mean "Alarm"?'),
        ("plant:Alarm.xyz", "plant: there is no xyz."),
        ("plant.py:Reading", "is not a service. Add an object or class derived from Service"),
        ("empty.py", "empty.py: there is no service in it. Write a class derived from Service with @handler"),
        ("sub", "sub: the folder has no flow.yaml, and several files. Name one: sub/a.py, sub/b.py."),
    ],
)
def test_a_wrong_name_answers_with_the_right_one(write: Write, text: str, expected: str) -> None:
    write("plant.py", TWO)
    write("empty.py", "x = 1")
    write("sub/a.py", "")
    write("sub/b.py", "")
    with pytest.raises(ConfigurationError) as caught:
        load(text)
    assert expected in str(caught.value)


# Not importable -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "expected", "cause"),
    [
        ("x = 1\ny = 1 / 0\n", "bad.py:2: ZeroDivisionError: division by zero. Correct the line", ZeroDivisionError),
        ("import json\njson.loads('{')\n", "bad.py:2: JSONDecodeError: Expecting property name", ValueError),
        ("def f():\n    return nope\n\n\nf()\n", "bad.py:2: NameError: name 'nope' is not defined", NameError),
        ("import helper_module\n", "helper_module.py:3: KeyError: 'x'", KeyError),
        ("x = (\n", "bad.py:1: SyntaxError: '(' was never closed. Correct the line.", SyntaxError),
        (
            "import no_such_lib.part\n",
            "bad.py:1: there is no module no_such_lib. Install it, for example: pip install no_such_lib.",
            ModuleNotFoundError,
        ),
        (
            "import sys\nsys.exit(3)\n",
            "bad.py:2: the file ends the program while it is imported. Put what runs the program under if __name__",
            SystemExit,
        ),
        ("raise RuntimeError\n", "bad.py:1: RuntimeError. Correct the line", RuntimeError),
    ],
)
def test_code_that_fails_names_the_users_own_line(
    write: Write, source: str, expected: str, cause: type[BaseException]
) -> None:
    write("bad.py", source)
    write("helper_module.py", "\n\n{}['x']\n")
    for text in ("bad.py", "bad"):
        with pytest.raises(ImportFailed) as caught:
            load(text)
        assert str(caught.value).startswith(expected)
        assert isinstance(caught.value.__cause__, cause)
    assert "bad" not in sys.modules


@pytest.mark.parametrize("kind", ["KeyboardInterrupt", "GeneratorExit", "asyncio.CancelledError"])
def test_what_a_file_raises_in_a_thread_ends_no_more_than_its_import(write: Write, kind: str) -> None:
    """A running node loads user code in a thread; let through, it would end the node's loop."""
    write("bad.py", f"import asyncio\nraise {kind}\n")
    with ThreadPoolExecutor(1) as pool, pytest.raises(ImportFailed, match=r"bad\.py:2: "):
        pool.submit(load, "bad.py").result()


def test_ctrl_c_while_a_file_is_imported_is_ctrl_c(write: Write) -> None:
    write("slow.py", "import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n")
    with pytest.raises(KeyboardInterrupt):
        load("slow.py")


def test_a_service_that_is_declared_wrongly_keeps_its_own_error(write: Write) -> None:
    write("wrong.py", "from junctor.services import Service\nclass Line(Service):\n    state = 1\n")
    with pytest.raises(ConfigurationError, match=r'Line.state \(wrong.py:2\): the name "state" is taken by Service'):
        load("wrong.py")
    with pytest.raises(ConfigurationError, match="taken by Service"):
        load("wrong.py")


def test_an_error_that_has_no_text_is_told_all_the_same(write: Write) -> None:
    write(
        "mute.py",
        """
        class Mute(Exception):
            def __str__(self):
                raise SystemExit(9)

        raise Mute
        """,
    )
    with pytest.raises(ImportFailed, match="Mute"):
        load("mute.py")
