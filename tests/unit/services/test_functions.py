"""A module with marked functions is a service: the module stands for the instance."""

from __future__ import annotations

import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from junctor.errors import ConfigurationError, SettingError
from junctor.services import current, has_marks, module_spec
from junctor.settings import Secret
from tests.unit.services.ports import TablePort, build

SOURCE = '''
"""Watches things."""
from __future__ import annotations
from dataclasses import dataclass
from junctor.services import Target, action, current, every, handler
from junctor.settings import setting

@dataclass
class Reading:
    value: float

readings: Target[Reading]
judge: Target[Reading] | None
limit: float = setting(80.0, le=100)
token: str = setting("", secret=True)
started = []

def on_start():
    started.append(current().name)

async def loop():
    await current().sleep(0)

@every("2s")
async def poll():
    await readings.send(Reading(limit))

@handler
def on_reading(reading: Reading) -> bool:
    me = current()
    me.state["n"] = me.state.get("n", 0) + 1
    me.log.info("reading %s", reading.value)
    return reading.value > limit

@action
async def who() -> str:
    return f"{current().name} {token}"

def helper(): ...
'''


@pytest.fixture
def module(request: pytest.FixtureRequest) -> Iterator[types.ModuleType]:
    made = written("watch_things", SOURCE)
    yield made
    del sys.modules["watch_things"]


def written(name: str, source: str) -> types.ModuleType:
    module = types.ModuleType(name)
    module.__file__ = f"/code/{name}.py"
    sys.modules[name] = module
    exec(compile(source, module.__file__, "exec"), vars(module))
    return module


def test_the_spec_of_a_module(module: types.ModuleType) -> None:
    spec = module_spec(module)
    assert (spec.name, spec.doc, spec.origin, spec.code) == (
        "watch_things",
        "Watches things.",
        "/code/watch_things.py:1",
        "watch_things",
    )
    assert [(h.name, h.accepts, h.replies, h.blocking) for h in spec.handlers] == [
        ("on_reading", module.Reading, bool, True)
    ]
    assert [s.name for s in spec.schedules] == ["poll"]
    assert [a.name for a in spec.actions] == ["who"]
    assert [(t.name, t.optional) for t in spec.targets] == [("readings", False), ("judge", True)]
    assert spec.settings == {"limit": 80.0, "token": Secret("")}
    assert spec.stateful
    assert spec.start is not None
    assert spec.main is not None
    assert spec.stop is None
    assert has_marks(module)


async def test_an_instance_is_the_module_itself(module: types.ModuleType) -> None:
    spec = module_spec(module, "watcher", settings={"limit": "75", "token": "x"})
    port = TablePort({"readings": ["alarm"]})
    instance = build(spec, port)
    assert (module.limit, module.token, module.judge) == (75.0, "x", None)
    assert spec.start is not None
    spec.start.bind(instance)()
    assert module.started == ["watcher"]
    await spec.schedules[0].bind(instance)()
    assert port.handed == [("flow/alarm", module.Reading(75.0), {})]
    assert spec.handlers[0].bind(instance)(module.Reading(80)) is True
    assert port.state().read("n") == 1
    assert await spec.actions[0].bind(instance)() == "watcher x"


def test_a_module_can_be_built_again(module: types.ModuleType) -> None:
    build(module_spec(module, settings={"limit": 1}))
    build(module_spec(module))
    assert module.limit == 80.0


def test_a_function_can_be_called_without_a_node(module: types.ModuleType) -> None:
    module.limit = 10.0
    before = current().state.get("n", 0)
    assert module.on_reading(module.Reading(11)) is True
    assert current().state["n"] == before + 1


@pytest.mark.parametrize(
    ("source", "settings", "error", "texts"),
    [
        ("x = 1", {}, ConfigurationError, ["broken: the module has no marked function", "Mark one with @handler"]),
        (SOURCE, {"limt": 1}, SettingError, ['broken.limt: there is no such setting. Did you mean "limit"?']),
        (SOURCE, {"limit": "high"}, SettingError, ['broken.limit: expected float, got "high".']),
        (
            SOURCE.replace("limit: float =", "limit ="),
            {},
            ConfigurationError,
            ["broken.limit: the setting has no type"],
        ),
        (
            SOURCE.replace("[Reading]\n", "[Nowhere]\n"),
            {},
            ConfigurationError,
            ["broken.readings:", "'Target[Nowhere]'"],
        ),
        (SOURCE.replace("loop()", "loop(x)"), {}, ConfigurationError, ["loop (broken.py:", "Write def loop()."]),
        (
            SOURCE.replace("reading: Reading)", "reading)"),
            {},
            ConfigurationError,
            ["on_reading (broken.py:", "has no type"],
        ),
    ],
)
def test_what_is_wrong_is_named(
    source: str, settings: dict[str, Any], error: type[Exception], texts: list[str]
) -> None:
    try:
        with pytest.raises(error) as caught:
            module_spec(written("broken", source), settings=settings)
    finally:
        del sys.modules["broken"]
    for text in texts:
        assert text in str(caught.value)


def test_imported_functions_belong_to_their_own_module(module: types.ModuleType) -> None:
    try:
        assert not has_marks(written("importing", "from watch_things import poll, on_reading"))
    finally:
        del sys.modules["importing"]


def test_the_program_that_was_started_is_named_after_its_file() -> None:
    made = types.ModuleType("__main__")
    made.__file__ = str(Path("/code/my.alarm.py"))
    exec("from junctor.services import action\n@action\ndef a(): ...", vars(made))
    made.a.__module__ = "__main__"
    assert module_spec(made).name == "my-alarm"
