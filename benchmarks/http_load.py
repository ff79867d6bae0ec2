"""A lean HTTP client for load: bare protocols on uvloop, one request outstanding on each kept connection.

It must cost far less than any server that it drives, so it does not parse: the answers to one request are all of one
length, which is learned from the first; every further one is checked for its status line and that length.
"""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from benchmarks.load import Load, run

OK = b"HTTP/1.1 200 "


@dataclass(frozen=True, slots=True)
class Taken:
    """What a load took: answers, seconds, and the share of one core that the client itself used."""

    answers: int
    seconds: float
    busy: float

    @property
    def rate(self) -> float:
        return self.answers / self.seconds


class Wrong(Exception):
    """The server answered something else."""


class _Caller(asyncio.Protocol):
    """One connection: the next request goes out when the last is answered, until it is told to stop."""

    def __init__(self, request: bytes, expects: bytes) -> None:
        self.answers = 0
        self.going = True
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._request = request
        self._expects = expects
        self._length = 0
        self._had = b""
        self._write: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._write = transport.write  # type: ignore[attr-defined]
        self._write(self._request)

    def data_received(self, data: bytes) -> None:
        if len(data) != self._length or not data.startswith(OK):
            data, self._had = self._had + data, b""
            if not self._whole(data):
                self._had = data
                return
        self.answers += 1
        if self.going:
            self._write(self._request)
        elif not self.ended.done():
            self.ended.set_result(None)

    def _whole(self, data: bytes) -> bool:
        """Whether this is one answer; learns its length, and checks its body."""
        head, blank, body = data.partition(b"\r\n\r\n")
        if not blank:
            return False
        lines = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        if len(body) < int(lines[b"content-length"]):
            return False
        if not head.startswith(OK) or body != self._expects:
            self.connection_lost(Wrong(data[:500].decode("latin-1")))
        self._length = len(data)
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_exception(exc or Wrong("the server closed the connection"))


async def _take(port: int, request: bytes, expects: bytes, load: Load) -> Taken:
    loop = asyncio.get_running_loop()
    made = [
        await loop.create_connection(lambda: _Caller(request, expects), "127.0.0.1", port) for _ in range(load.callers)
    ]
    callers = [caller for _, caller in made]
    await asyncio.sleep(load.warm_up.seconds)
    before, begin, used = sum(caller.answers for caller in callers), perf_counter(), _used()
    await asyncio.sleep(load.seconds)
    answers, seconds, busy = sum(caller.answers for caller in callers) - before, perf_counter() - begin, _used() - used
    for caller in callers:
        caller.going = False
    await asyncio.gather(*(caller.ended for caller in callers))
    for transport, _ in made:
        transport.close()
    return Taken(answers, seconds, busy / seconds)


def _used() -> float:
    times = os.times()
    return times.user + times.system


def take(port: int, request: bytes, expects: bytes, load: Load) -> Taken:
    """Drive the server on this port of 127.0.0.1 with one request, again and again.

    :param expects: the body of the right answer.
    """
    return run(_take(port, request, expects, load))
