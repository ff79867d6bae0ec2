"""What ``junctor new`` makes runs: as the README of the project says, and as its launch file does."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator

import pytest

from tests.integration.node.conftest import PATIENCE, Junctor


@pytest.fixture
def project(junctor: Junctor, request: pytest.FixtureRequest) -> Iterator[Junctor]:
    junctor.here("new", "plant-watch", "--template", request.param)
    made = Junctor(junctor.folder / "plant-watch")
    yield made
    for process in made.processes:
        process.kill()
        process.wait()


@pytest.mark.parametrize("project", ["flow"], indirect=True)
def test_a_project_with_a_flow_runs_and_answers(project: Junctor) -> None:
    assert "all is well" in project.here("check", "flow.yaml")
    node = project.start("--reload", "--port", "0")  # this folder
    assert project.here("call", "monitor", "measure", "value=99").strip() == "sent 99"
    until = time.monotonic() + PATIENCE
    while "test is 99, above 75" not in project.here("logs"):
        assert time.monotonic() < until
        time.sleep(0.02)
    node.signal(signal.SIGTERM)
    node.ends(0)


@pytest.mark.parametrize("project", ["minimal"], indirect=True)
def test_a_project_with_one_service_runs_in_both_ways(project: Junctor) -> None:
    (launch, _) = json.loads((project.folder / ".vscode" / "launch.json").read_text())["configurations"]
    started = (("-m", launch["module"], *launch["args"], "--port", "0"), ("plant_watch.py",))
    for command in started:
        node = project.start(command=command, env={"PORT": "0"})
        assert float(project.here("call", "load", "measure")) >= 0
        assert "limit=8" in node.said
        node.signal(signal.SIGTERM)
        node.ends(0)
