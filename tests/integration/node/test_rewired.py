"""A delivery that is interrupted goes on under other connections: what it had asked for already is asked once."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from junctor import Flow, Service, Target, connect, handler


@dataclass(frozen=True)
class Order:
    n: int


@dataclass(frozen=True)
class Copy:
    n: int


@dataclass(frozen=True)
class Quote:
    n: int


done: dict[str, list[int]] = {}


class Intake(Service):
    copies: Target[Copy]
    quotes: Target[Quote, int]

    @handler
    async def on_order(self, order: Order) -> None:
        await self.copies.send(Copy(order.n))
        await self.quotes.request(Quote(order.n))
        await self.copies.send(Copy(-order.n))


class Log(Service):
    @handler
    async def on_copy(self, copy: Copy) -> None:
        done.setdefault(self.name, []).append(copy.n)


class Pricing(Service):
    @handler
    async def on_quote(self, quote: Quote) -> int:
        done.setdefault(self.name, []).append(quote.n)
        return quote.n


def flow(isolation: Any, *logs: str) -> Flow:
    made = Flow("shop").add(Intake(), connect={"copies": list(logs)}, isolate=isolation).add(Pricing())
    for name in ("first", "second"):
        made.add(Log(), name=name)
    return made


async def until(condition: Any) -> None:
    async with asyncio.timeout(15):
        while not condition():
            await asyncio.sleep(0.005)


@pytest.mark.parametrize("isolation", ["node", "worker"])
@pytest.mark.parametrize("after", [("second", "first"), ("first", "second"), ("second",)])
async def test_what_was_asked_is_not_asked_again(short_dir: Path, isolation: str, after: tuple[str, ...]) -> None:
    done.clear()
    async with flow(isolation, "first").running(store=short_dir / "store") as node:
        async with connect(short_dir / "store") as client:
            await client.ask("pause", service="pricing")
        await node.target("intake", Order).send(Order(7))
        await until(lambda: node.engine.hosts["shop/pricing"].depth.count)
    async with (
        flow(isolation, *after).running(store=short_dir / "store") as node,
        connect(short_dir / "store") as client,
    ):
        await client.ask("resume", service="pricing")
        await until(lambda: not any(host.depth.count for host in node.engine.hosts.values()))
    assert done["pricing"] == [7]
    wanted = {"first": [7, -7] if "first" in after else [7], "second": [7, -7]}
    assert {name: done.get(name) for name in ("first", "second")} == wanted
