"""What is different between two readings of a flow: by value, with nothing secret in it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from junctor.flows import FlowModel, Overrides, Wiring, load, wire
from junctor.flows.code.modules import changed_modules
from junctor.flows.comparison import compare, same
from junctor.http.settings import ApiKey, HttpSettings

CODE = """
from dataclasses import dataclass
from junctor import Service, Target, every, get, handler, setting

@dataclass
class Reading:
    value: float

class Monitor(Service):
    readings: Target[Reading]

    @every("2s")
    async def poll(self): ...

class Alarm(Service):
    limit: float = setting(80.0)
    password: str = setting("old", secret=True)
    places: list[str] = setting([])

    @handler
    async def on_reading(self, reading: Reading): ...

    @get("/limit")
    async def read(self) -> float:
        return self.limit

class Other(Alarm): ...
"""


@pytest.fixture
def module(tmp_path: Path, request: pytest.FixtureRequest) -> Any:
    name = f"compared_{abs(hash(request.node.name))}"
    path = tmp_path / f"{name}.py"
    path.write_text(CODE)
    load(f"{path}:Alarm")
    yield sys.modules[name]
    sys.modules.pop(name, None)


def flow(module: Any, http: HttpSettings | None = None, alarm: Any = None, **more: Any) -> Wiring:
    model = FlowModel("plant", http=http).add(module.Monitor)
    return wire(model.add(alarm or module.Alarm(), "alarm", **more))


def details(before: Wiring, after: Wiring) -> list[str]:
    changes = compare(before, after)
    return [str(service) for service in changes.of("changed")]


def test_equal_flows_are_the_same(module: Any) -> None:
    found = compare(flow(module), flow(module))
    assert found.kind == "same"
    assert [service.kind for service in found.services] == ["same", "same"]
    assert list(found.lines()) == ["flow plant", "  = monitor, alarm untouched"]


def test_each_difference_is_named(module: Any) -> None:
    base = flow(module)
    assert details(base, flow(module, alarm=module.Alarm(limit=90))) == ["alarm: limit 80.0 -> 90.0"]
    assert details(base, flow(module, settings={"limit": "90"})) == ["alarm: limit 80.0 -> 90.0"]
    assert details(base, flow(module, alarm=module.Alarm(places=["a"]))) == ["alarm: places [] -> ['a']"]
    assert details(base, flow(module, pool=4, key="value")) == ["alarm: pool 1 -> 4, key none -> value"]
    assert details(base, flow(module, retry={"attempts": 3})) == ["alarm: retry.attempts 5 -> 3"]
    assert details(base, flow(module, timeout="5s")) == ["alarm: timeout 30.0 -> 5.0"]
    assert details(base, flow(module, loop="own")) == ["alarm: loop shared -> own"]
    (code,) = details(base, flow(module, alarm=module.Other()))
    assert code.endswith(":Other") and "Alarm -> " in code


def test_wires_and_schedules_are_named(module: Any) -> None:
    def two(to: str, every: float) -> Wiring:
        model = FlowModel("plant").add(module.Monitor, connect={"readings": to})
        model.add(module.Alarm, "alarm").add(module.Other, "other")
        return wire(model)

    before, after = two("alarm", 2.0), two("other", 2.0)
    assert details(before, after) == ["monitor: readings leads to plant/other instead of plant/alarm"]


def test_a_secret_is_named_and_not_shown(module: Any) -> None:
    after = flow(module, alarm=module.Alarm(password="new"))
    assert details(flow(module), after) == ["alarm: password (secret)"]


def test_services_come_and_go(module: Any) -> None:
    one = flow(module)
    two = wire(FlowModel("plant").add(module.Alarm(), "alarm").add(module.Other, "siren"))
    found = compare(one, two)
    assert [(service.service, service.kind) for service in found.services] == [
        ("monitor", "removed"),
        ("alarm", "same"),
        ("siren", "added"),
    ]
    assert compare(None, two).kind == "added"
    assert {service.kind for service in compare(one, None).services} == {"removed"}


def test_http_is_of_the_flow_and_shows_no_keys(module: Any) -> None:
    before = flow(module, http=HttpSettings(port=8080))
    after = flow(module, http=HttpSettings(port=9000, keys=(ApiKey(name="a", secret="s3cret-and-more-of-it"),)))
    found = compare(before, after)
    assert found.kind == "changed"
    assert found.http == ("port 8080 -> 9000", "keys")
    assert not found.of("changed")


def test_a_module_that_was_loaded_anew_has_other_code(module: Any) -> None:
    before = flow(module)
    path = Path(module.__file__)
    path.write_text(CODE + "\n# changed\n")
    with changed_modules() as names:
        again = sys.modules.get(module.__name__)
        assert names and again is None
        load(str(path) + ":Alarm")
    assert details(before, flow(sys.modules[module.__name__])) == ["monitor: code", "alarm: code"]


def test_the_same_file_read_twice_is_the_same(module: Any) -> None:
    path = str(module.__file__)
    found = compare(wire(load(path + ":Other")), wire(load(path + ":Other")))
    assert found.kind == "same"
    limited = wire(load(path + ":Other", Overrides(set=("other.limit=5",))))
    assert [str(one) for one in compare(wire(load(path + ":Other")), limited).services] == ["other: limit 80.0 -> 5.0"]


def test_functions_are_the_same_by_code_and_what_they_hold() -> None:
    def make(value: Any) -> Any:
        return lambda: value

    assert same(make([1, {"a": 2}]), make([1, {"a": 2}]))
    assert not same(make(1), make(2))
    assert not same(make(1), make(True))
    assert not same(int, str)
