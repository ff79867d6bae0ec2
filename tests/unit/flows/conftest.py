"""Folders with flow files and the modules they name."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

Write = Callable[..., Path]

MONITOR = '''
    """A sensor."""
    from dataclasses import dataclass
    from junctor import Service, Target, cron, every, setting

    @dataclass
    class Reading:
        sensor: str
        value: float

    class Monitor(Service):
        readings: Target[Reading]
        names: list[str] = setting(["cpu"])

        @every("2s")
        async def poll(self): ...

        @cron("0 6 * * *")
        async def report(self): ...
'''

ALARM = '''
    """An alarm."""
    from pathlib import Path
    from typing import Any, Literal
    from junctor import Service, handler, setting
    from junctor.settings import Duration, Secret
    from monitor import Reading

    class Alarm(Service):
        limit: float = setting(80.0, ge=0, le=100, unit="percent", doc="When to tell")
        label: str = setting("none")
        token: str = setting("", secret=True)
        key: Secret = setting(Secret(""))
        wait: Duration = setting("2s")
        mode: Literal["on", "off", "auto"] = setting("auto")
        file: Path | None = setting(None)
        count: int = setting(1)
        loud: bool = setting(False)
        anything: Any = setting(None)
        names: dict[str, list[str]] = setting({})

        @handler
        def on_reading(self, reading: Reading): ...
'''

FLOW = """
    flow: machine-monitor
    services:
      monitor: {class: monitor:Monitor, connect: {readings: alarm}}
      alarm:
        class: alarm:Alarm
        settings: {limit: 75}
        pool: 4
        key: sensor
        retry: {attempts: 5, backoff: exponential, initial: 200ms, max: 30s, on: {ConnectionError: hold}}
    alerts: [{when: {parked: 1}, send: {webhook: "${ALERT_URL:-http://localhost}"}}]
    http: {host: 127.0.0.1, port: 8080}
"""


@pytest.fixture
def plant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Writes a file below the working folder, which has ``monitor.py``, ``alarm.py`` and ``flow.yaml``.

    Imports leave nothing behind, and no variable of this process counts as a setting.
    """
    folder = tmp_path / "plant"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    before = dict(sys.modules)

    def writer(name: str, source: str) -> Path:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(source))
        return path

    for name, source in (("monitor.py", MONITOR), ("alarm.py", ALARM), ("flow.yaml", FLOW)):
        writer(name, source)
    yield writer
    for name in set(sys.modules) - set(before):
        if str(getattr(sys.modules[name], "__file__", None)).startswith(str(tmp_path)):
            del sys.modules[name]
