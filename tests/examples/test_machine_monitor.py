"""The example of `make run`: real readings, every route, an alert from the rule to the file, and a kill in between."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "machine-monitor"
SENSORS = {"cpu", "memory", "disk", "network"}
PATIENCE = 45.0


class Monitor:
    """The example as a process, with its data in a folder."""

    def __init__(self, folder: Path, port: int, *command: str) -> None:
        self.folder = folder
        self.port = port
        self._environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "PORT": str(port)}
        self._command = command or ("-m", "junctor", "run", str(EXAMPLE), "--set", "rules.memory=0.01")
        self.process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, *self._command], cwd=self.folder, env=self._environment, stdout=log, stderr=log
            )

    def kill_and_start(self) -> None:
        self.process.kill()
        self.process.wait()
        self.process = self._start()

    def fetch(self, path: str, method: str = "GET") -> Any:
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", method=method)
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            body = answer.read().decode()
        return json.loads(body) if "json" in answer.headers["content-type"] else body

    def tell(self, *words: str) -> str:
        command = [sys.executable, "-m", "junctor", *words]
        done = subprocess.run(command, cwd=self.folder, env=self._environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def until(self, found: Callable[[], Any]) -> Any:
        """What ``found`` answers, when it is something at last."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            assert self.process.poll() is None, (self.folder / "log").read_text()
            with contextlib.suppress(OSError):
                if value := found():
                    return value
            time.sleep(0.1)
        raise AssertionError(f"not within {PATIENCE:g} s:\n{(self.folder / 'log').read_text()}")

    @property
    def written(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / "alerts.jsonl").read_text().splitlines()]

    def close(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def monitor(short_dir: Path, free_port: int) -> Iterator[Monitor]:
    one = Monitor(short_dir, free_port)
    yield one
    one.close()


@pytest.mark.timeout(180)
def test_from_readings_to_an_alert_and_over_a_kill(monitor: Monitor) -> None:
    latest = monitor.until(lambda: (got := monitor.fetch("/readings")).keys() == SENSORS and got)
    assert 0 < latest["memory"]["value"] <= 100 and abs(time.time() - latest["cpu"]["time"]) < 60
    assert latest["memory"]["limit"] == 0.01

    raised = monitor.until(lambda: [one for one in monitor.fetch("/alerts") if one["sensor"] == "memory"])[-1]
    assert "above 0.01 for 10 s" in raised["text"]
    assert raised in monitor.written
    trace = monitor.tell("trace", raised["id"], "--tree")
    hops = re.findall(r"machine-monitor/(\w+) (?:tick|->) (\S+)", trace)
    assert ("sensors", "poll") in hops and ("sensors", "machine-monitor/rules") in hops
    assert ("rules", "machine-monitor/alerts") in hops and "warning: memory above 0.01" in trace

    before = monitor.fetch("/history/memory")
    monitor.kill_and_start()
    monitor.until(lambda: monitor.fetch("/history/memory")[: len(before)] == before)
    monitor.until(lambda: len(monitor.fetch("/history/memory")) > len(before))
    assert raised in monitor.fetch("/alerts")

    numbers = [alert["id"] for alert in monitor.written]
    assert len(numbers) == len(set(numbers)), "an alert was written twice"
    assert monitor.tell("parked").strip() == "nothing is parked"

    monitor.process.send_signal(signal.SIGINT)
    assert monitor.process.wait(PATIENCE) == 0


@pytest.mark.timeout(120)
def test_the_action_the_page_and_wrong_names(monitor: Monitor) -> None:
    page = monitor.until(lambda: monitor.fetch("/"))
    assert page.startswith("<!doctype html>")
    elsewhere = re.findall(r"""(?:src|href|url\()\s*=?\s*["']?https?:""", page)
    assert not elsewhere, "the page needs something from another place"

    receipt = monitor.fetch("/rules/drill", method="POST")
    alert = monitor.until(lambda: [one for one in monitor.fetch("/alerts") if one["id"] == receipt["id"]])[0]
    assert alert in monitor.written and alert["text"].startswith("test alert")
    assert json.loads(monitor.tell("call", "rules", "drill", "sensor=disk", "--json"))["session"]
    monitor.until(lambda: [one for one in monitor.fetch("/alerts") if one["sensor"] == "disk"])

    with pytest.raises(urllib.error.HTTPError) as wrong:
        monitor.fetch("/history/gpu")
    with wrong.value as answer:
        assert answer.code == 422 and b"cpu" in answer.read()


@pytest.mark.timeout(120)
def test_as_a_script_from_an_editor(short_dir: Path, free_port: int) -> None:
    monitor = Monitor(short_dir, free_port, str(EXAMPLE / "main.py"))
    try:
        monitor.until(lambda: monitor.fetch("/readings").keys() == SENSORS)
        monitor.process.send_signal(signal.SIGTERM)
        assert monitor.process.wait(PATIENCE) == 0
    finally:
        monitor.close()


def test_it_is_as_short_as_it_says() -> None:
    files = [file for file in EXAMPLE.rglob("*") if file.suffix in (".py", ".yaml", ".toml")]
    assert sum(len(file.read_text().splitlines()) for file in files) < 150
