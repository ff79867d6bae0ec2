"""What else happens while ``Node.apply`` changes a service: an operator pauses it, senders go on without end."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from junctor import Flow, Service, handler, setting
from junctor.core.lifecycle import State
from junctor.flows import wire
from tests.integration.node.conftest import PATIENCE


@dataclass(frozen=True)
class Count:
    n: int


got: list[int] = []


class Sink(Service):
    step: int = setting(1)

    @handler
    async def on_count(self, count: Count) -> None:
        await asyncio.sleep(0)
        got.append(count.n)


def flow(step: int = 1, **sink: Any) -> Flow:
    return Flow("plant").add(Sink(step=step), **sink)


@pytest.mark.parametrize("transport", ["memory", "sqlite"])
async def test_a_pause_in_the_middle_of_a_change_counts_for_the_new_one(short_dir: Path, transport: str) -> None:
    """The one that is paused is about to go, and so is the pause of one that is resumed."""
    async with flow().running(transport=transport, store=short_dir / "store") as node:
        for number, wish in enumerate(("paused", "running") * 3):
            old = node.engine.hosts["plant/sink"]
            change = asyncio.ensure_future(node.apply([wire(flow(number + 2))], who="test"))
            while old.lifecycle.state is not State.STOPPING:
                await asyncio.sleep(0)
            if wish == "paused":
                await node.switches.pause(old, "anna", "pump repair")
            else:
                await node.switches.resume(old, "anna")
            await change
            new = node.engine.hosts["plant/sink"]
            assert new is not old
            assert new.lifecycle.state.value == wish
            assert ("plant/sink" in node.switches.paused) is (wish == "paused")


async def test_the_lines_of_a_queue_change_under_load_without_end(short_dir: Path) -> None:
    """Each group of commits has something for the service whose lines change."""
    got.clear()
    async with flow().running(store=short_dir / "store") as node:
        target = node.target("sink", Count)
        sent = 0
        enough = asyncio.Event()

        async def stream() -> None:
            nonlocal sent
            while not enough.is_set():
                sent += 1
                await target.send(Count(sent))

        work = [asyncio.ensure_future(stream()) for _ in range(8)]
        async with asyncio.timeout(PATIENCE):
            for number in range(8):
                await node.apply([wire(flow(pool=2 - number % 2))], who="test")
        enough.set()
        await asyncio.gather(*work)
        while node.engine.hosts["plant/sink"].depth.count:
            await asyncio.sleep(0.01)
        assert sorted(got) == list(range(1, sent + 1))
