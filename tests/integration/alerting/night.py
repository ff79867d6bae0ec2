"""A node with alerts in time that the test moves: real store, real web server, nobody waits."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from junctor.clock import VirtualClock
from junctor.flows import FlowModel, wire
from junctor.node.node import Node, Plan
from junctor.runtime.host import Host
from junctor.runtime.scheduler import _turns
from junctor.services import Service, handler
from junctor.store.reader import open_archive

PATIENCE = 10.0


class Sale(msgspec.Struct, frozen=True):
    number: int


class Partner:
    """The other side, which may be away."""

    away = False


class Crm(Service):
    """Hands sales to a partner; some sales nobody can hand on."""

    @handler
    async def take(self, sale: Sale) -> None:
        if sale.number < 0:
            raise ValueError(f"sale {sale.number}")
        if Partner.away:
            raise ConnectionError("refused")


class Night:
    """``async with Night(folder, rules) as night``: ``night.passes("1h")``."""

    def __init__(
        self, folder: Path, rules: Sequence[Mapping[str, Any]] | FlowModel, start: datetime | None = None
    ) -> None:
        self.clock = VirtualClock(start)
        model = rules if isinstance(rules, FlowModel) else flow(rules)
        plan = Plan(flows=[wire(model)], directory=folder, clock=self.clock)
        self.node = Node(plan)

    async def __aenter__(self) -> Night:
        starting = asyncio.ensure_future(self.node.start())
        while not starting.done():
            await asyncio.sleep(0.001)
        starting.result()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.node.stop(grace=1.0)

    async def send(self, *numbers: int) -> None:
        target = self.node.target("crm", Sale)
        for number in numbers:
            await target.send(Sale(number))
        await self.settled()

    async def passes(self, seconds: float) -> None:
        """Let time pass; between two instants everything runs that can."""
        await self.clock.advance(seconds, self.settled)

    def sets_clock(self, days: int) -> None:
        """Somebody sets the clock of the machine; the monotonic one goes on."""
        self.clock._begin += days * 86_400_000_000_000

    async def apply(self, rules: Sequence[Mapping[str, Any]]) -> list[str]:
        changes = await self.node.apply([wire(flow(rules))], who="test")
        return [line.strip() for change in changes for line in change.lines()]

    async def settled(self) -> None:
        """Wait for handlers and commits, in real time."""
        until = time.monotonic() + PATIENCE
        calm = 0
        while calm < 2:
            await self.node.engine.committed(durability="written")
            busy = any(map(_is_busy, self.node.engine.hosts.values()))
            calm = 0 if busy else calm + 1
            await asyncio.sleep(0.002 if busy else 0)
            assert time.monotonic() < until, "a handler does not come to its end"

    async def kinds(self) -> list[str]:
        """What is open."""
        return sorted(f"{alert.kind} {alert.service}" for alert in await self.node.alerting.open())


def _is_busy(host: Host) -> bool:
    ticks = any(turn.locked() for turn in _turns.get(host, {}).values())
    return ticks or bool(host.in_flight or (host.mailbox.ready and host.mailbox.flowing))


def flow(rules: Sequence[Mapping[str, Any]]) -> FlowModel:
    model = FlowModel("shop", alerts=rules)
    return model.add(Crm, retry={"attempts": 1, "on": {"ConnectionError": "hold"}}, hold={"max": "30s"})


def later(night: Night, **more: float) -> datetime:
    """An instant after, or before, what the clock of a night shows."""
    return night.clock.now + timedelta(**more)


def stored(folder: Path) -> str:
    """All that a node has kept, as text."""
    archive = open_archive(folder)
    try:
        data = b"".join(file.read_bytes() for file in folder.rglob("*") if file.is_file() and file.name != "reserve")
    finally:
        archive.close()
    return data.decode("latin-1")
