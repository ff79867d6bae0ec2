"""The rules of the machine monitor as plain calls: no node, no patching."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

MAIN = Path(__file__).resolve().parents[2] / "examples" / "machine-monitor" / "main.py"


@pytest.fixture(scope="module")
def monitor() -> ModuleType:
    spec = importlib.util.spec_from_file_location("machine_monitor_example", MAIN)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


CASES = [
    ([95] * 5, None, "too few to tell"),
    ([95] * 6, "above 90 for 10 s, now 95", "the first time"),
    ([95] * 7, None, "told already"),
    ([80, *[95] * 6], "above 90 for 10 s, now 95", "again after it was fine"),
    ([95, 95, 95, 89, 95, 95], None, "not all of the time"),
    ([10, 12, 15, 20, 40, 70], "rose from 10 to 70 in 10 s", "a jump"),
    ([9, 10, 12, 15, 20, 40, 71], "rose from 10 to 71 in 10 s", "a jump at the end"),
    ([10, 10, 10, 10, 10, 70, 80], None, "the same jump, told already"),
    ([70, 50, 40, 30, 20, 10], None, "falling is fine"),
]


@pytest.mark.parametrize(("values", "expected", "why"), CASES, ids=[case[2] for case in CASES])
def test_judge(monitor: ModuleType, values: list[float], expected: str | None, why: str) -> None:
    assert monitor.judge(values, limit=90, rise=60) == expected


async def test_the_hour_is_a_ring(monitor: ModuleType) -> None:
    rules = monitor.Rules()
    for second in range(0, 2 * 3600, 2):
        await rules.on_reading(monitor.Reading("cpu", 5.0, 1_000_000.0 + second))
    assert len(rules.state) == 60
    points = [point for minute in rules.state for point in rules.state[minute]]
    assert len(points) in range(1770, 1801) and min(at for at, _ in points) >= 1_000_000 + 3600 - 60


async def test_alerts_go_to_the_target(monitor: ModuleType) -> None:
    rules = monitor.Rules(memory=50)
    for step in range(8):
        await rules.on_reading(monitor.Reading("memory", 60.0, 1_000_000.0 + 2 * step))
    assert [alert.text for alert in rules.alerts.sent] == ["above 50 for 10 s, now 60"]
