"""Start to the first HTTP 200, and what the idle process occupies; both sides are launched and asked alike."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks import memory

HERE = Path(__file__).parent
PATIENCE = 15.0  # seconds until a start counts as failed
REQUEST = b"GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(port: int, path: bytes = b"/hello") -> bool:
    """Whether a GET of the path is answered with 200."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as client:
            client.sendall(REQUEST % path)
            status = client.recv(64)
            return status[:5] == b"HTTP/" and status[8:12] == b" 200"
    except OSError:
        return False


def _wait(server: subprocess.Popen[bytes], port: int, begin: float) -> float:
    while not answers(port):
        if server.poll() is not None:
            raise RuntimeError(f"the server ended with code {server.returncode} before it answered")
        if time.perf_counter() - begin > PATIENCE:
            raise RuntimeError(f"no 200 within {PATIENCE:.0f} s")
        time.sleep(0.001)
    return time.perf_counter() - begin


def _launch(script: str, params: Mapping[str, Any]) -> dict[str, float]:
    port = free_port()
    env = os.environ | {"PORT": str(port), "JUNCTOR_STORE": str(params["folder"])}
    begin = time.perf_counter()
    server = subprocess.Popen([sys.executable, str(HERE / script)], env=env, cwd=params["folder"], stdout=sys.stderr)
    try:
        seconds = _wait(server, port, begin)
        time.sleep(params["settle"])  # what start-up leaves to the first idle second belongs to the idle figure
        return {"seconds": seconds} | memory.of_tree(server.pid)
    finally:
        server.terminate()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def starlette(params: Mapping[str, Any]) -> dict[str, float]:
    return _launch("start_app.py", params)


def node(params: Mapping[str, Any]) -> dict[str, float]:
    from junctor import Service, get, handler, run  # noqa: F401 - "not there yet" is another answer than "failed"

    return _launch("start_service.py", params)
