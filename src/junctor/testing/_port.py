"""The port of a service under test: what goes over a captured target takes another way, and waiting can be seen."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Mapping
from types import CodeType
from typing import Any

import msgspec

from junctor.core.port import Link, Pending, Port, Receipt
from junctor.core.run import Asker, RunPort

__tracebackhide__ = True  # of pytest: a failure is shown where the test is


class _Killed(BaseException):
    """Ends code in a thread that outlives its node, at its next word to it: a killed process would not have gone on."""


class Life:
    """One run of the node, from its start to its end or to its death."""

    def __init__(self) -> None:
        self.dead = False

    def check(self) -> None:
        if self.dead:
            raise _Killed


class Captures:
    """Which targets are captured, by ``service.target``, and what their requests are answered. ``life`` is the run of
    the node that ports are made for."""

    def __init__(self) -> None:
        self.life = Life()
        self.address = ""
        self._replies: dict[str, tuple[bool, Any]] = {}
        self._names: dict[int, tuple[Link, str]] = {}

    def add(self, target: str, answers: bool, reply: Any) -> None:
        self._replies[target] = (answers, reply)

    def __contains__(self, target: str) -> bool:
        return target in self._replies

    def answer(self, target: str) -> tuple[bool, Any]:
        """Whether a reply was prepared, and which."""
        return self._replies.get(target, (False, None))

    def name(self, link: Link, target: str) -> None:
        """Remember to which target a link belongs. The link is kept, so that nothing else gets its number."""
        self._names[id(link)] = (link, target)

    def way(self, link: Link) -> Link:
        """The link itself, or the one to where its target is captured."""
        _, target = self._names.get(id(link), (link, ""))
        if target not in self._replies and link.address != self.address:
            return link
        return msgspec.structs.replace(link, address=self.address, handler=target or "any", by_reference=False)


class Watched:
    """A result that is waited for: the kit sees from the stack that its waiter is at rest."""

    __slots__ = ("_life", "_pending")

    def __init__(self, pending: Pending[Any], life: Life | None = None) -> None:
        self._pending = pending
        self._life = life
        if life is not None:
            life.check()

    def __await__(self) -> Generator[Any, Any, Any]:
        return (yield from self._pending.__await__())

    def when_done(self, call: Callable[[Any], object]) -> None:
        """As of the result itself."""
        self._pending.when_done(call)  # type: ignore[attr-defined]

    def result(self, timeout: float | None = None) -> Any:
        try:
            return self._pending.result(timeout)
        finally:
            if self._life is not None:
                self._life.check()


class KitRuns:
    """The runs of a service under test: what they ask over a captured target takes the other way too."""

    def __init__(self, runs: RunPort, captures: Captures) -> None:
        self._runs = runs
        self._captures = captures

    def __getattr__(self, name: str) -> Any:
        return getattr(self._runs, name)

    def ask(self, link: Link, body: Any, asker: Asker, **options: Any) -> None:
        self._captures.life.check()
        self._runs.ask(self._captures.way(link), body, asker, **options)


WAITING: CodeType = Watched.__await__.__code__
"""The code that is on the stack of a coroutine that waits for a result of the node."""


class KitPort:
    """A :class:`~junctor.core.port.Port` in front of the engine's."""

    def __init__(self, port: Port, captures: Captures) -> None:
        self.flow = port.flow
        self.service = port.service
        self.log: logging.Logger | logging.LoggerAdapter[logging.Logger] = port.log
        self._port = port
        self._captures = captures
        self._life = captures.life

    def __getattr__(self, name: str) -> Any:
        # What a dialect asks of the engine's port beyond the contract.
        return getattr(self._port, name)

    def links(self, target: str) -> tuple[Link, ...]:
        links = self._port.links(target)
        for link in links:
            self._captures.name(link, f"{self.service}.{target}")
        return links

    def link_to(self, service: str, request: Any, reply: Any = None, *, handler: str | None = None) -> Link:
        return self._port.link_to(service, request, reply, handler=handler)

    def send(self, link: Link, body: Any, **options: Any) -> Pending[Receipt | None]:
        self._life.check()
        return Watched(self._port.send(self._captures.way(link), body, **options), self._life)

    def request(self, link: Link, body: Any, **options: Any) -> Pending[Any]:
        self._life.check()
        return Watched(self._port.request(self._captures.way(link), body, **options), self._life)

    def publish(self, body: Any, *, key: str | None = None, headers: Mapping[str, str] | None = None) -> Pending[int]:
        return Watched(self._port.publish(body, key=key, headers=headers))

    def broadcast(
        self, body: Any, *, handler: str | None = None, headers: Mapping[str, str] | None = None
    ) -> Pending[int]:
        return Watched(self._port.broadcast(body, handler=handler, headers=headers))

    def message(self) -> Any:
        return self._port.message()

    @property
    def runs(self) -> KitRuns:
        return KitRuns(self._port.runs, self._captures)

    def state(self, key: str | None = None) -> Any:
        return self._port.state(key)

    @property
    def stopping(self) -> bool:
        return self._port.stopping

    def time_ns(self) -> int:
        return self._port.time_ns()

    def count(self, what: str, amount: int = 1) -> None:
        self._port.count(what, amount)

    def reached(self) -> None:
        self._port.reached()

    def sleep(self, seconds: float) -> Pending[bool]:
        return Watched(self._port.sleep(seconds), self._life)
