"""Files of a dialect in a flow file, and properties that are set one by one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from junctor.errors import ConfigurationError
from junctor.flows.code.source import load
from junctor.flows.overrides import Overrides

HEAD = "from junctor.dialects.microservicebus import CustomService\n"


def planted(folder: Path, monkeypatch: pytest.MonkeyPatch, **files: str) -> None:
    for name, text in files.items():
        (folder / f"{name}.py").write_text(HEAD + text)
    monkeypatch.chdir(folder)


def properties(target: str, *changes: str) -> Any:
    item = load(target, Overrides(set=changes)).items[0]
    return {entry["id"]: entry["value"] for entry in _config(item)["staticConfig"]}


def _config(item: Any) -> Any:
    return item.spec().build.args[1]


FLOW = "flow: f\nservices:\n  pump: {class: Pump71.py, settings: {static: {gpio: 4, calm: {low: 1}}}}\n"


@pytest.mark.parametrize(
    ("change", "came"),
    [
        ("pump.static.interval=2", {"gpio": 4, "calm": {"low": 1}, "interval": 2}),
        ("pump.static.gpio=17", {"gpio": 17, "calm": {"low": 1}}),
        ("pump.static.gpio=blue", {"gpio": "blue", "calm": {"low": 1}}),
        ("pump.static.calm.high=[1, 2]", {"gpio": 4, "calm": {"low": 1, "high": [1, 2]}}),
        ("pump.settings.static.gpio=5", {"gpio": 5, "calm": {"low": 1}}),
        ('pump.static={"a": 1}', {"a": 1}),
    ],
)
def test_one_property_is_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str, came: Any) -> None:
    planted(tmp_path, monkeypatch, Pump71="class Pump71(CustomService): ...\n")
    (tmp_path / "flow.yaml").write_text(FLOW)
    assert properties("flow.yaml", change) == came


def test_of_a_single_file_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    planted(tmp_path, monkeypatch, Pump72="class Pump72(CustomService): ...\n")
    changes = ("pump72.static.interval=0.5", "pump72.static.on=true", "pump72.static.sensor=boiler-1")
    assert properties("Pump72.py", *changes) == {"interval": 0.5, "on": True, "sensor": "boiler-1"}
    assert properties("Pump72.py", 'pump72.static={"a": 1}', "pump72.static.b=2") == {"a": 1, "b": 2}


def test_other_settings_have_no_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    planted(tmp_path, monkeypatch, Pump73="class Pump73(CustomService): ...\n")
    with pytest.raises(ConfigurationError, match="a setting has no parts"):
        load("Pump73.py", Overrides(set=("pump73.packages.allow=[]",)))


def test_a_file_is_its_class(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    planted(
        tmp_path,
        monkeypatch,
        Relay74="class Other74(CustomService): ...\nclass Relay74(CustomService): ...\n",
        only75="class Only75(CustomService): ...\n",
        both76="class One76(CustomService): ...\nclass Two76(CustomService): ...\n",
    )
    flow = tmp_path / "flow.yaml"
    flow.write_text("flow: f\nservices:\n  relay: {class: Relay74.py}\n  only: {class: only75.py}\n")
    assert [item.source.__name__ for item in load("flow.yaml").items] == ["Relay74", "Only75"]
    flow.write_text("flow: f\nservices:\n  both: {class: both76.py}\n")
    with pytest.raises(ConfigurationError, match="there are several services in it: One76, Two76. Name one"):
        load("flow.yaml")
