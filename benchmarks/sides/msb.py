"""Messages between services of microServiceBus: the same services on our dialect and on the original."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks import memory
from benchmarks.environments import made, python_of
from benchmarks.load import run
from benchmarks.sides.http_get import cpu_seconds
from benchmarks.sides.start import HERE
from junctor import Flow

ENVIRONMENT = "microservicebus"
OURS = HERE.parents[1] / "compat" / "microservicebus" / "src"
PATIENCE = 120.0  # seconds
LOOK = 0.001  # seconds between two looks; a loop that spins would keep other threads from the interpreter lock

Services = Sequence[Sequence[str]]
Params = Mapping[str, Any]


def prepare(params: Params) -> dict[str, float]:
    """Make the environment of the original."""
    made(ENVIRONMENT)
    return {}


def flow_of(services: Services, properties: Params) -> Flow:
    """Services by name, with the name of their class."""
    sys.path.append(str(OURS))
    from benchmarks.sides import msb_services

    flow = Flow("bench")
    for name, of in services:
        flow.add(getattr(msb_services, of), name, settings={"static": properties})
    return flow


@contextmanager
def _launched(script: str, params: Params, python: str, **variables: str) -> Iterator[subprocess.Popen[bytes]]:
    """A script in a process of its own, which is killed at the end."""
    command = [python, str(HERE / script), json.dumps(params)]
    child = subprocess.Popen(command, env=os.environ | variables, cwd=params["folder"], stdout=sys.stderr)
    try:
        yield child
    finally:
        child.kill()
        child.wait()


# Messages --------------------------------------------------------------------------------------------------------


def original(params: Params) -> dict[str, float]:
    """The orchestrator of the original. It does ten things a second, so it gets fewer."""
    params = {**params, "properties": {**params["properties"], **params["original"]}}
    answer = Path(params["folder"]) / "figures.json"
    asked, python = {**params, "answer": str(answer)}, python_of(ENVIRONMENT)
    with _launched("msb_original.py", asked, python, PYTHONPATH="") as child:
        if code := child.wait(PATIENCE):
            raise RuntimeError(f"the original ended with code {code}")
    return dict(json.loads(answer.read_text()))


def in_memory(params: Params) -> dict[str, float]:
    return run(_messages(params, {"transport": "memory"}))


def durable(params: Params) -> dict[str, float]:
    return run(_messages(params, {"transport": "sqlite", "store": params["folder"]}))


async def _messages(params: Params, transport: Mapping[str, str]) -> dict[str, float]:
    flow = flow_of(params["services"], params["properties"])
    from benchmarks.sides.msb_services import MEASURED

    async with flow.running(**transport) as node:
        await asyncio.to_thread(MEASURED.done.wait, PATIENCE)
        while any(service.queued for service in node.status().services):
            await asyncio.sleep(LOOK)
        MEASURED.end = time.perf_counter()  # every message is off the queue, too
    return dict(MEASURED.figures())


def crowd_in_memory(params: Params) -> dict[str, float]:
    return in_memory(_crowd(params))


def crowd_durable(params: Params) -> dict[str, float]:
    return durable(_crowd(params))


def _crowd(params: Params) -> dict[str, Any]:
    """As many services as there would be tasks in one."""
    senders = params["properties"]["tasks"]
    services = [["receiver", "Receiver"], ["starter", "Starter"], *([f"crowd{n}", "Crowd"] for n in range(senders))]
    return {**params, "services": services, "properties": {**params["properties"], "senders": senders}}


# Many services that rest -----------------------------------------------------------------------------------------


def rest_of_original(params: Params) -> dict[str, float]:
    return _rest("msb_original.py", params, python_of(ENVIRONMENT), PYTHONPATH="")


def rest(params: Params) -> dict[str, float]:
    return _rest("msb_node.py", params, sys.executable, PORT="0", JUNCTOR_STORE=params["folder"])


def _rest(script: str, params: Params, python: str, **variables: str) -> dict[str, float]:
    """Seconds from the start of the process until all services have started; memory, and CPU as percent of a core, of
    the time after that."""
    mark = Path(params["folder"]) / "started"
    number = params["number"]
    services = [[f"resting{each}", "Resting"] for each in range(number)]
    asked = {**params, "services": services, "properties": {"services": number, "mark": str(mark)}}
    begin = time.perf_counter()
    with _launched(script, asked, python, **variables) as child:
        seconds = _until(mark, child, begin)
        time.sleep(params["settle"])
        before = cpu_seconds(child.pid)
        time.sleep(params["idle"])
        used = cpu_seconds(child.pid) - before
        return {"seconds": seconds, "cpu_percent": 100 * used / params["idle"]} | memory.of_tree(child.pid)


def _until(mark: Path, child: subprocess.Popen[bytes], begin: float) -> float:
    while not mark.exists():
        if child.poll() is not None:
            raise RuntimeError(f"ended with code {child.returncode} before all services had started")
        if time.perf_counter() - begin > PATIENCE:
            raise RuntimeError(f"not started within {PATIENCE:.0f} s")
        time.sleep(LOOK)
    return time.perf_counter() - begin
