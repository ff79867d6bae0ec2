"""The example of a base and a site: what the files say, and that it runs."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from junctor.core.spec import ServicePlan
from junctor.flows import Overrides, Wiring, load, wire
from junctor.flows.files.written import flow_yaml

PLANT = Path(__file__).resolve().parents[2] / "examples" / "plant"
BERLIN = str(PLANT / "sites" / "berlin")
SITE = Overrides(overlays=(f"{BERLIN}.yaml",), env_files=(f"{BERLIN}.env",), environment=False)
PATIENCE = 45.0


def plans(wiring: Wiring) -> dict[str, ServicePlan]:
    return {plan.spec.name: plan for plan in wiring.plan.services}


@pytest.fixture
def token(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("PAGER_TOKEN", "a-token-of-a-pager")
    return "a-token-of-a-pager"


def test_the_base() -> None:
    found = plans(wire(load(str(PLANT))))
    assert list(found) == ["tanks", "history", "alarm", "pager"]
    assert [wire.to for wire in found["tanks"].connect["readings"]] == ["plant/history", "plant/alarm"]
    assert found["pager"].spec.policies.retry.on == {"OSError": "hold"}
    assert found["alarm"].spec.settings["limit"] == 80.0


def test_the_site(token: str) -> None:
    wiring = wire(load(str(PLANT), SITE))
    found = plans(wiring)
    assert found["tanks"].spec.settings["tanks"] == ["north", "south", "roof"]
    assert [schedule.every for schedule in found["tanks"].spec.schedules] == [5.0]
    assert found["alarm"].spec.settings["limit"] == 84.0
    retry = found["pager"].spec.policies.retry
    assert (retry.attempts, retry.max, retry.on) == (5, 60.0, {"OSError": "hold"})
    assert found["pager"].spec.settings["token"].reveal() == token
    assert token not in flow_yaml(wiring)


@pytest.mark.timeout(90)
def test_it_runs(short_dir: Path, free_port: int) -> None:
    command = [sys.executable, "-m", "junctor", "run", str(PLANT), "--set", "tanks.schedules.read=100ms"]
    environment = {**os.environ, "PORT": str(free_port), "PYTHONPATH": str(PLANT.parents[1] / "src")}
    with (short_dir / "log").open("w+") as log:
        node = subprocess.Popen(command, cwd=short_dir, env=environment, stdout=log, stderr=log)
        try:
            until = time.monotonic() + PATIENCE
            while (answer := fetch(f"http://127.0.0.1:{free_port}/tanks/north")) in ("", "null"):
                assert node.poll() is None and time.monotonic() < until, (short_dir / "log").read_text()
                time.sleep(0.05)
            assert answer.startswith("[")
        finally:
            node.terminate()
            node.wait(PATIENCE)


def fetch(address: str) -> str:
    try:
        with urllib.request.urlopen(address, timeout=PATIENCE) as answer:
            return str(answer.read().decode())
    except OSError:
        return ""
