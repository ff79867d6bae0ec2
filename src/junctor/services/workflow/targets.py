"""The targets of a run: what goes through them is a call in its history."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from typing import Any

from junctor.clock import SECOND, parse_duration
from junctor.core.history import digest
from junctor.core.port import Link, Port
from junctor.core.run import Asker
from junctor.messages import MessageType, type_name
from junctor.services.target import Ready, Target
from junctor.services.workflow.driver import Driver
from junctor.services.workflow.steps import Step


@functools.lru_cache(maxsize=512)
def named(cls: Any) -> str:
    """The name of a type, which is made anew each time otherwise."""
    return type_name(cls)


class RunTarget(Target[Any, Any]):
    """A target of one run. In the history it has its own name and not that of the service that it leads to, so that a
    flow can be wired otherwise while runs wait."""

    __slots__ = ("_driver", "_name", "_port", "_replies")

    def __init__(
        self,
        port: Port,
        links: tuple[Link, ...],
        kind: Any,
        where: str,
        *,
        name: str,
        driver: Driver,
        replies: MessageType | None,
    ) -> None:
        super().__init__(port, links, kind, where)
        self._port = port
        self._name = name
        self._driver = driver
        self._replies = replies

    def send(self, body: Any, **options: Any) -> Ready:
        """Hand a message over together with the turn."""
        if not isinstance(body, self._class):
            raise self._wrong(body)
        if options.get("delay") is not None:
            options["delay"] = parse_duration(options["delay"])
        self._driver.call(
            "send",
            lambda step: Target.send(self, body, **options),
            to=self._name,
            type=named(body.__class__),
            digest=digest(body),
        )
        return Ready(None)

    def request(
        self,
        body: Any,
        *,
        key: str | None = None,
        timeout: float | str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Step[Any]:
        """Hand a request over together with the turn. The run goes on when its end comes, however long that takes.

        :param timeout: seconds, or a text, for the reply to come; without it there is no limit.
        """
        if not isinstance(body, self._class):
            raise self._wrong(body)
        seconds = None if timeout is None or timeout == math.inf else parse_duration(timeout)
        wait = 0 if seconds is None else max(1, int(seconds * SECOND))
        driver = self._driver

        def ask(step: int) -> None:
            link, given = self._link, headers
            if link is None:
                link, given = self._route(body, key, headers)
            address = f"{self._port.flow}/{self._port.service}"
            asker = Asker(address, driver.number, step)
            self._port.runs.ask(link, body, asker, timeout=seconds, key=key, headers=given)
            if wait:
                self._port.runs.wake(driver.number, step, driver.time + wait)

        kind = named(body.__class__)
        return driver.begin(
            "request", ask, to=self._name, type=kind, digest=digest(body), wait=wait, replies=self._replies
        )
