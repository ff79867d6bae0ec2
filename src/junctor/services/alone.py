"""The port of a service that no node hosts: a unit test, a notebook. It records and keeps state in memory."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Generator, Mapping
from typing import Any

from junctor.core.port import Link, Pending, Receipt
from junctor.core.run import RunPort
from junctor.errors import JunctorError, NotRunning, SendError
from junctor.messages import Message
from junctor.services.state import LocalState
from junctor.services.target import Ready


class Alone:
    """A :class:`~junctor.core.port.Port` without an engine behind it.

    ``published`` has what was published and broadcast, ``handled`` the message that a test lets its handlers see,
    ``counted`` the sums of what was counted.
    Targets of such a service are :class:`~junctor.services.target.RecordingTarget` and never get here.
    """

    flow = ""
    stopping = False

    def __init__(self, service: str) -> None:
        self.service = service
        self.log: logging.Logger | logging.LoggerAdapter[logging.Logger] = logging.getLogger(service)
        self.published: list[Any] = []
        self.handled: Message | None = None
        self.counted: Counter[str] = Counter()
        self._states: dict[str, LocalState] = {}

    def links(self, target: str) -> tuple[Link, ...]:
        return ()

    def link_to(self, service: str, request: Any, reply: Any = None, *, handler: str | None = None) -> Link:
        raise self._no_node()

    def send(self, link: Link, body: Any, **options: Any) -> Pending[Receipt | None]:
        raise self._no_node()

    def request(self, link: Link, body: Any, **options: Any) -> Pending[Any]:
        raise self._no_node()

    def publish(self, body: Any, *, key: str | None = None, headers: Mapping[str, str] | None = None) -> Pending[int]:
        self.published.append(body)
        return Ready(0)

    def broadcast(
        self, body: Any, *, handler: str | None = None, headers: Mapping[str, str] | None = None
    ) -> Pending[int]:
        self.published.append(body)
        return Ready(0)

    @property
    def runs(self) -> RunPort:
        raise self._no_node()

    def message(self) -> Message | None:
        return self.handled

    def state(self, key: str | None = None) -> LocalState:
        return self._states.setdefault(key or "", LocalState())

    def time_ns(self) -> int:
        return time.time_ns()

    def count(self, what: str, amount: int = 1) -> None:
        self.counted[what] += amount

    def reached(self) -> None:
        pass

    def sleep(self, seconds: float) -> Pending[bool]:
        if _on_a_loop():
            return _Nap(seconds)
        time.sleep(seconds)
        return Ready(False)

    def _no_node(self) -> SendError:
        return NotRunning("no node hosts this service", where=self.service, fix="Run it: junctor.run(...).")


class _Nap:
    """A pause on the running event loop."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def __await__(self) -> Generator[Any, Any, bool]:
        import asyncio

        yield from asyncio.sleep(self._seconds).__await__()
        return False

    def result(self, timeout: float | None = None) -> bool:
        raise JunctorError("sleep() was not awaited", fix="In async code write: await self.sleep(...).")


def _on_a_loop() -> bool:
    import asyncio

    return asyncio._get_running_loop() is not None
