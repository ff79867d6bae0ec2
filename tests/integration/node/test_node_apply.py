"""``Node.apply`` inside a program, on both transports and with worker processes."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from junctor import Flow, Service, Target, action, every, handler, setting
from junctor.errors import ConfigurationError, NotRunning
from junctor.flows import wire
from junctor.node.apply import sources_of


@dataclass(frozen=True)
class Count:
    n: int


got: list[int] = []


class Sink(Service):
    step: int = setting(1)

    @handler
    async def on_count(self, count: Count) -> int:
        await asyncio.sleep(0)
        got.append(count.n)
        return count.n * self.step


class Source(Service):
    counts: Target[Count, int]
    ticks = 0

    @every("5ms")
    async def tick(self) -> None:
        self.ticks += 1

    @action
    async def ask(self, n: int) -> int:
        return await self.counts.request(Count(n))


def flow(step: int = 1, **sink: Any) -> Flow:
    return Flow("plant").add(Source()).add(Sink(step=step), **sink)


def running(transport: str, folder: Path, plant: Flow) -> Any:
    return plant.running(transport=transport, store=folder / "store")


@pytest.fixture(autouse=True)
def fresh() -> None:
    got.clear()


@pytest.mark.parametrize("transport", ["memory", "sqlite"])
async def test_twenty_changes_under_load(short_dir: Path, transport: str) -> None:
    async with running(transport, short_dir, flow()) as node:
        source = node.engine.hosts["plant/source"]
        instance = source.slots[0].instance
        target = node.target("sink", Count)
        answers: list[int] = []
        sent = 0
        enough = asyncio.Event()

        async def stream() -> None:
            nonlocal sent
            while not enough.is_set():
                await target.send(Count(sent))
                sent += 1
                await asyncio.sleep(0)

        async def ask() -> None:
            while not enough.is_set():
                answers.append(await node.call("source", "ask", n=1_000_000))
                await asyncio.sleep(0)

        work = [asyncio.ensure_future(stream()), asyncio.ensure_future(ask())]
        for number in range(2, 22):
            changes = await node.apply([wire(flow(number, pool=1 + number % 2))], who="test")
            assert [service.kind for service in changes[0].services] == ["same", "changed"]
            before = sent
            while sent < before + 5:
                await asyncio.sleep(0.001)
        enough.set()
        await asyncio.gather(*work)
        while node.engine.hosts["plant/sink"].depth.count:
            await asyncio.sleep(0.001)
        assert sorted(n for n in got if n < 1_000_000) == list(range(sent))
        assert answers[-1] == 21_000_000
        assert source.slots[0].instance is instance
        assert node.engine.hosts["plant/source"] is source
        assert source.restarts == 0


async def test_one_at_a_time_and_to_its_end(short_dir: Path) -> None:
    async with running("memory", short_dir, flow()) as node:
        several = [node.apply([wire(flow(step))], who="test") for step in (2, 3, 4)]
        first = asyncio.ensure_future(node.apply([wire(flow(9))], who="test"))
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.gather(*several)
        assert await node.call("source", "ask", n=10) == 40
        assert node.engine.hosts["plant/sink"].spec.settings["step"] == 4


async def test_a_dry_run_only_tells(short_dir: Path) -> None:
    async with running("memory", short_dir, flow()) as node:
        (changes,) = await node.apply([wire(flow(5))], who="test", dry_run=True)
        assert list(changes.lines()) == [
            "flow plant",
            "  ~ sink: step 1 -> 5  (restarts)",
            "  = source untouched",
        ]
        assert await node.call("source", "ask", n=10) == 10


async def test_a_flow_made_in_python_cannot_be_loaded_again(short_dir: Path) -> None:
    async with running("memory", short_dir, flow()) as node:
        with pytest.raises(ConfigurationError, match=r"flow plant: this flow was not loaded from a file"):
            sources_of(node)


async def test_a_stopped_node_does_not_change(short_dir: Path) -> None:
    async with running("memory", short_dir, flow()) as node:
        pass
    with pytest.raises(NotRunning):
        await node.apply([wire(flow(5))], who="test")


async def test_services_in_workers_are_replaced_too(short_dir: Path) -> None:
    async with running("sqlite", short_dir, flow(isolation="worker")) as node:
        assert await node.call("source", "ask", n=10) == 10
        await node.apply([wire(flow(3, isolation="worker"))], who="test")
        assert await node.call("source", "ask", n=10) == 30
        await node.apply([wire(flow(3))], who="test")
        assert await node.call("source", "ask", n=10) == 30
