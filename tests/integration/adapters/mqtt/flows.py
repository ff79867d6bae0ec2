"""Flows with MQTT adapters, for tests."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from junctor import Flow, Service, handler
from junctor.adapters import MqttIn, MqttOut
from junctor.node.node import Node

QUICK: dict[str, Any] = {"initial": "20ms", "max": "50ms"}
"""How an outage is tried again."""


@dataclass(frozen=True)
class Reading:
    line: str
    value: float


class Sink(Service):
    """Takes anything and remembers it, with its headers."""

    taken: list[tuple[Any, dict[str, str]]]
    keys: list[str | None]

    def on_start(self) -> None:
        self.taken, self.keys = [], []
        sinks.append(self)

    @handler
    async def take(self, body: Any) -> None:
        self.note(body)

    def note(self, body: Any) -> None:
        self.taken.append((body, dict(self.message.headers or {})))
        self.keys.append(self.message.key)

    @property
    def bodies(self) -> list[Any]:
        return [body for body, _ in self.taken]


sinks: list[Sink] = []


class Typed(Sink):
    """Takes readings alone."""

    @handler
    async def take(self, body: Reading) -> None:  # type: ignore[override]
        self.note(body)


def url(port: int, scheme: str = "mqtt", host: str = "127.0.0.1") -> str:
    return f"{scheme}://{host}:{port}"


def inbound(port: int, sink: type[Sink] = Sink, **settings: Any) -> Flow:
    """``mqtt-in`` that sends to a sink."""
    settings = {"url": url(port), "topics": ["in/#"], "timeout": "2s"} | settings
    source = MqttIn(**settings)
    return Flow("plant").add(source, name="source", connect={"out": "sink"}, hold=QUICK).add(sink, name="sink")


def isolated(port: int) -> Flow:
    """Out to the broker and in again, each adapter in a worker process, with settings of all kinds."""
    out = MqttOut(url=url(port), topic="in/{body.line}", payload="body.value", properties={"at": "{body.line}"})
    source = MqttIn(url=url(port), topics=["in/#"], key="topic")
    made = Flow("plant").add(out, name="announce", isolate="worker", hold=QUICK)
    made.add(source, name="source", isolate="worker", connect={"out": "sink"}, hold=QUICK)
    return made.add(Sink, name="sink")


def outbound(port: int, pool: int = 1, **settings: Any) -> Flow:
    """``mqtt-out`` alone."""
    settings = {"url": url(port), "topic": "out/{body.line}", "timeout": "2s"} | settings
    return Flow("plant").add(MqttOut(**settings), name="announce", hold=QUICK, pool=pool)


async def comes(condition: Callable[[], Any], patience: float = 10.0) -> Any:
    """Wait for a condition while the node runs."""
    async with asyncio.timeout(patience):
        while not (found := condition()):
            await asyncio.sleep(0.005)
    return found


def note_of(node: Node, service: str) -> str:
    """What ``junctor status`` says beside a service."""
    return next(one.reason for one in node.status().services if one.service == service)


async def connected(node: Node, service: str) -> None:
    await comes(lambda: note_of(node, service).startswith("connected to"))
