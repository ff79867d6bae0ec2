"""Flows with HTTP adapters, for tests."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from junctor import Flow, Service, handler
from junctor.adapters import HttpOut
from junctor.node.node import Node

QUICK: dict[str, Any] = {"initial": "20ms", "max": "50ms"}
"""How an outage, and a failure, is tried again."""


@dataclass(frozen=True)
class Customer:
    id: int
    name: str


class Sink(Service):
    """Takes anything and remembers it, with its headers."""

    taken: list[tuple[Any, dict[str, str]]]

    def on_start(self) -> None:
        self.taken = []
        sinks.append(self)

    @handler
    async def take(self, body: Any) -> None:
        self.note(body)

    def note(self, body: Any) -> None:
        self.taken.append((body, dict(self.message.headers or {})))

    @property
    def bodies(self) -> list[Any]:
        return [body for body, _ in self.taken]


sinks: list[Sink] = []


class Customers(Sink):
    """Takes customers alone."""

    @handler
    async def take(self, body: Customer) -> None:  # type: ignore[override]
        self.note(body)


def outbound(url: str, sink: type[Sink] | None = None, pool: int = 1, hold: Any = QUICK, **settings: Any) -> Flow:
    """``http-out``, with a sink where one is given."""
    settings = {"timeout": "2s", "url": url} | settings
    flow = Flow("shop")
    connect = {"out": "sink"} if sink is not None else {}
    retry = {**QUICK, "attempts": 3}
    flow.add(HttpOut(**settings), name="crm", connect=connect, hold=hold, retry=retry, pool=pool)
    return flow if sink is None else flow.add(sink, name="sink")


async def comes(condition: Callable[[], Any], patience: float = 10.0) -> Any:
    """Wait for a condition while the node runs."""
    async with asyncio.timeout(patience):
        while not (found := condition()):
            await asyncio.sleep(0.005)
    return found


def note_of(node: Node, service: str) -> str:
    """What ``junctor status`` says beside a service."""
    return next(one.reason for one in node.status().services if one.service == service)


def parked(node: Node, service: str = "crm") -> int:
    return next(one.parked for one in node.status().services if one.service == service)
