"""Whole commands as a user runs them: a process from its start to its exit, the fastest of a few."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

_SERVICES = """
from dataclasses import dataclass

from junctor import Service, Target, every, get, handler, setting


@dataclass(frozen=True)
class Reading{number}:
    sensor: str
    value: float


class Step{number}(Service):
    {target}
    limit: float = setting(80.0, ge=0, le=100)
    label: str = setting("step")

    @handler
    async def on_reading(self, reading: Reading{number}) -> None: ...

    @get("/step{number}/{{sensor}}")
    async def latest(self, sensor: str, count: int = 10) -> list[float]: ...
"""

_ENTRY = """  step{number}:
    class: line.step{number}:Step{number}
    settings: {{limit: {limit}, label: "number {number}"}}
    pool: 4
    key: sensor
    retry: {{attempts: 5, backoff: exponential, initial: 200ms, max: 30s}}
{connect}"""


def write_flow(folder: Path, services: int) -> Path:
    """A flow file of so many services, each a class in a module of its own, in one line with a condition every tenth
    step."""
    package = folder / "line"
    package.mkdir()
    (package / "__init__.py").touch()
    entries = []
    for number in range(services):
        last = number == services - 1
        following = f"from line.step{number + 1} import Reading{number + 1}\n" if not last else ""
        tick = '@every("10s")\n    async def tick(self) -> None: ...'
        target = tick if last else f"out: Target[Reading{number + 1}]"
        text = _SERVICES.format(number=number, target=target)
        (package / f"step{number}.py").write_text(following + text)
        to = f"step{number + 1}"
        when = f'{{to: {to}, when: "body.value > {number}.0"}}' if number % 10 == 0 else to
        connect = "" if last else f"    connect: {{out: {when}}}\n"
        entries.append(_ENTRY.format(number=number, limit=number, connect=connect))
    path = folder / "flow.yaml"
    path.write_text("flow: line\nservices:\n" + "".join(entries))
    return path


def check(params: Mapping[str, Any]) -> dict[str, float]:
    """``junctor check`` of a flow file."""
    folder = Path(params["folder"])
    path = write_flow(folder, params["services"])
    return {"seconds": _fastest(["-m", "junctor", "check", str(path)], folder, params["runs"])}


def help_page(params: Mapping[str, Any]) -> dict[str, float]:
    """``junctor --help``."""
    return {"seconds": _fastest(["-m", "junctor", "--help"], Path(params["folder"]), params["runs"])}


def python(params: Mapping[str, Any]) -> dict[str, float]:
    """An interpreter that does nothing: what every command begins with."""
    return {"seconds": _fastest(["-c", "pass"], Path(params["folder"]), params["runs"])}


def _fastest(words: Sequence[str], folder: Path, runs: int) -> float:
    """Seconds of the fastest run; the first one, which writes byte code, does not count."""
    # As it is for users: byte code is kept, though not among the sources.
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    env["PYTHONPYCACHEPREFIX"] = str(folder / "bytecode")
    times = []
    for _ in range(runs + 1):
        begin = time.perf_counter()
        done = subprocess.run(
            [sys.executable, *words], cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        times.append(time.perf_counter() - begin)
        if done.returncode:
            raise RuntimeError(f"exit code {done.returncode}: {done.stdout.decode()[-2000:]}")
    return min(times[1:])
