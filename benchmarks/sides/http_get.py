"""HTTP GET with a typed query parameter: the server in a process of its own, the client in this one."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.http_load import take
from benchmarks.load import Load
from benchmarks.sides.start import HERE, answers, free_port

PATIENCE = 15.0
REQUEST = b"GET /square?n=12 HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\nUser-Agent: bench\r\n\r\n"
ANSWER = b'{"n":12,"square":144}'
BUSY = 0.9
"""Share of a core from which the client itself would be measured."""


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def served(
    script: str, folder: str, probe: bytes, python: str = sys.executable, **variables: str
) -> Iterator[tuple[int, int]]:
    """A server in a process of its own, once it answers the probe: its port and its process number.

    :param python: the interpreter that runs it.
    :param variables: of its environment, beside those of this process.
    """
    port = free_port()
    env = os.environ | {"PORT": str(port), "JUNCTOR_STORE": folder} | variables
    server = subprocess.Popen([python, str(HERE / script)], env=env, cwd=folder, stdout=sys.stderr)
    try:
        _wait(server, port, probe)
        yield port, server.pid
    finally:
        server.terminate()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _serve(script: str, params: Mapping[str, Any]) -> dict[str, float]:
    with served(script, str(params["folder"]), b"/square?n=1") as (port, pid):
        before = cpu_seconds(pid)
        load = Load(**params["load"])
        taken = take(port, REQUEST, ANSWER, load)
        used = cpu_seconds(pid) - before
        if taken.busy > BUSY:
            raise RuntimeError(f"the client used {taken.busy:.0%} of its core: it is too slow for this server")
        share = taken.seconds / (taken.seconds + load.warm_up.seconds)
        return {"rate": taken.rate, "cpu_us": 1e6 * used * share / taken.answers, "client_busy": taken.busy}


def _wait(server: subprocess.Popen[bytes], port: int, probe: bytes) -> None:
    until = time.perf_counter() + PATIENCE
    while not answers(port, probe):
        if server.poll() is not None:
            raise RuntimeError(f"the server ended with code {server.returncode} before it answered")
        if time.perf_counter() > until:
            raise RuntimeError(f"no 200 within {PATIENCE:.0f} s")
        time.sleep(0.005)


def starlette(params: Mapping[str, Any]) -> dict[str, float]:
    return _serve("http_starlette.py", params)


def fastapi(params: Mapping[str, Any]) -> dict[str, float]:
    return _serve("http_fastapi.py", params)


def node(params: Mapping[str, Any]) -> dict[str, float]:
    from junctor import Service, get, run  # noqa: F401 - "not there yet" is another answer than "failed"

    return _serve("http_service.py", params)
