"""The example in virtual time: an hour of readings, its rules and alerts, a full disk, a kill."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from junctor import Service, Target, every
from junctor.testing import Running, running

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "machine-monitor"


@pytest.fixture
def main() -> Iterator[Any]:
    """The module of the example, whose folder is on the path as when it is run."""
    before = list(sys.path), set(sys.modules)
    from junctor.flows import load

    flow = load(str(EXAMPLE))
    yield sys.modules[flow.services[0].source.__module__]
    sys.path[:] = before[0]
    for name in set(sys.modules) - before[1]:
        if getattr(sys.modules[name], "__file__", None) == str(EXAMPLE / "main.py"):
            del sys.modules[name]


def example(main: Any, folder: Path, **options: Any) -> Running:
    """The example with a sensor of our own: cool for half an hour, hot for a minute, then cool again."""

    class Scripted(Service):
        readings: Target[main.Reading]  # type: ignore[name-defined]
        seconds = 0

        @every("2s")
        async def poll(self) -> None:
            at, self.seconds = self.seconds, self.seconds + 2
            await self.readings.send(main.Reading("cpu", 95.0 if 1800 <= at < 1860 else 20.0, float(at)))

    settings = {"alerts.file": str(folder / "alerts.jsonl")}
    return running(main.flow, replace={"sensors": Scripted()}, set=settings, **options)


def written(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "alerts.jsonl").read_text().splitlines()]


def test_an_hour_raises_what_it_should(main: Any, tmp_path: Path) -> None:
    with example(main, tmp_path) as plant:
        plant.advance("1h")
        texts = [alert["text"] for alert in written(tmp_path)]
        assert texts == ["rose from 20 to 95 in 10 s", "above 90 for 10 s, now 95"]
        assert [alert.time for alert in plant.sent("rules.alerts")] == [1800.0, 1810.0]
        assert plant.http.get("/alerts").json() == written(tmp_path)[::-1]
        minutes = plant.state("rules", "cpu")
        assert sum(len(points) for points in minutes.values()) == 59 * 30 + 1  # the ring of an hour, begun again
        assert [log.text for log in plant.logs if log.service == "rules"] == [f"cpu {text}" for text in texts]


def test_a_full_disk_delays_alerts_and_loses_none(main: Any, tmp_path: Path) -> None:
    with example(main, tmp_path) as plant:
        plant.fail("alerts", OSError(28, "No space left on device"), times=6)
        plant.advance("30m30s")
        assert not (tmp_path / "alerts.jsonl").exists()
        plant.advance("2m")
        assert len(written(tmp_path)) == 2


def test_a_kill_between_two_readings_loses_nothing(main: Any, tmp_path: Path) -> None:
    with example(main, tmp_path, store=tmp_path / "store") as plant:
        plant.advance("29m")
        for _ in range(4):
            plant.restart()
        plant.send("rules", main.Reading("disk", 99.0, 1.0))
        assert sum(len(points) for points in plant.state("rules", "disk").values()) == 1
        assert not (tmp_path / "alerts.jsonl").exists()
