"""The quickstart of Pip.Services: the same program on our dialect and on the original, each with its own Python."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from time import perf_counter
from typing import Any

from benchmarks.environments import made, python_of
from benchmarks.load import Load, run
from benchmarks.sides.http_get import served

ROOT = Path(__file__).parents[2]
ENVIRONMENT = "pip-services"
OURS = ROOT / "compat" / "pip_services3" / "src"
PATH = "/hello_world/greeting?name=John"
REQUEST = f"GET {PATH} HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\nUser-Agent: bench\r\n\r\n".encode()
ANSWER = b'"Hello, John !"'


class Caller(asyncio.Protocol):
    """One connection, one request outstanding. The original closes connections, so it connects anew where that
    happens."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.waits: list[float] = []
        self._asked = 0.0
        self._had = b""
        self._going = True
        self._write: Any = None
        self._connecting: asyncio.Task[Any] | None = None
        self._transport: asyncio.BaseTransport | None = None

    def connect(self) -> None:
        self._asked = perf_counter()
        loop = asyncio.get_running_loop()
        self._connecting = loop.create_task(loop.create_connection(lambda: self, "127.0.0.1", self.port))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport, self._had = transport, b""
        self._write = transport.write  # type: ignore[attr-defined]
        self._write(REQUEST)

    def data_received(self, data: bytes) -> None:
        data = self._had + data
        if not data.endswith(ANSWER):
            self._had = data
            return
        now, self._had = perf_counter(), b""
        self.waits.append(now - self._asked)
        if self._going:
            self._asked = now
            self._write(REQUEST)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._going:
            began = self._asked
            self.connect()
            self._asked = began  # the same request waits on

    def end(self) -> None:
        """Stop, and count how long the request that is still outstanding has waited."""
        self._going = False
        self.waits.append(perf_counter() - self._asked)
        if self._transport is not None:
            self._transport.close()


async def _drive(port: int, load: Load) -> dict[str, float]:
    callers = [Caller(port) for _ in range(load.callers)]
    for caller in callers:
        caller.connect()
    await asyncio.sleep(load.warm_up.seconds)
    for caller in callers:
        caller.waits.clear()
    begin = perf_counter()
    await asyncio.sleep(load.seconds)
    answers, seconds = sum(len(caller.waits) for caller in callers), perf_counter() - begin
    for caller in callers:
        caller.end()
    waits = sorted(wait for caller in callers for wait in caller.waits)
    return {"rate": answers / seconds, "p99_ms": 1000 * waits[len(waits) * 99 // 100], "worst_ms": 1000 * waits[-1]}


def prepare(params: Mapping[str, Any]) -> dict[str, float]:
    """Make the environment of the original."""
    made(ENVIRONMENT)
    return {}


def original(params: Mapping[str, Any]) -> dict[str, float]:
    python = python_of(ENVIRONMENT)
    with served("pip_greeting.py", str(params["folder"]), PATH.encode(), python, PYTHONPATH="") as (port, _):
        return run(_drive(port, Load(**params["load"])))


def junctor(params: Mapping[str, Any]) -> dict[str, float]:
    with served("pip_greeting.py", str(params["folder"]), PATH.encode(), PYTHONPATH=_path()) as (port, _):
        return run(_drive(port, Load(**params["load"])))


def _path() -> str:
    return f"{OURS}:{ROOT / 'src'}"
