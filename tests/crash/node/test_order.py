"""Order at the seams of the window, each found by the campaign and made to happen here every time."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from junctor import Flow, Service, handler
from junctor.runtime import engine
from junctor.transports.base import Commit


@dataclass(frozen=True)
class Item:
    n: int


class Line(Service):
    """Notes what comes, behind a gate."""

    gate = asyncio.Event()
    seen: list[int] = []

    @handler
    async def on_item(self, item: Item) -> None:
        await Line.gate.wait()
        Line.seen.append(item.n)


async def test_what_comes_while_the_backlog_is_claimed_stays_behind_it(
    short_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commit that hands the end of the backlog out, and the one that accepts the next message, are one group."""
    monkeypatch.setattr(engine, "WINDOW", 2)
    Line.gate, Line.seen = asyncio.Event(), []
    async with Flow("lines").add(Line()).running(store=short_dir / "store") as node:
        line = node.target("line", Item)
        sent: list[Any] = [line.send(Item(n)) for n in range(6)]
        transport: Any = node.engine.transport
        commit = transport.commit

        def and_send(given: Commit) -> None:
            commit(given)
            if given.claims and len(sent) < 20:
                sent.append(line.send(Item(len(sent))))

        monkeypatch.setattr(transport, "commit", and_send)
        for each in sent[:6]:
            await each
        Line.gate.set()
        async with asyncio.timeout(10):
            while len(Line.seen) < len(sent):
                await asyncio.sleep(0.005)
        assert len(sent) > 6
        assert Line.seen == sorted(Line.seen)
