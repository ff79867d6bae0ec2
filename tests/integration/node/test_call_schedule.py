"""A schedule called by hand: one delivery, now, and never beside another one of the same schedule."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from junctor import Flow, Service, every
from junctor.errors import UnknownOperation
from junctor.node.control.wire import CallFailed


class Probe(Service):
    def on_start(self) -> None:
        self.running = self.most = self.done = 0

    @every("1h")
    async def poll(self) -> None:
        self.running += 1
        self.most = max(self.most, self.running)
        await asyncio.sleep(0.01)
        self.running -= 1
        self.done += 1
        self.state["done"] = self.done

    @every("1h")
    def fail(self) -> None:
        raise ValueError("by hand")


@pytest.mark.parametrize("transport", ["memory", "sqlite"])
async def test_a_schedule_ticks_when_it_is_called(tmp_path: Path, transport: str) -> None:
    async with Flow("plant").add(Probe).running(transport=transport, store=tmp_path) as node:
        await asyncio.gather(*(node.call("probe", "poll") for _ in range(5)))
        instance = node.engine.hosts["plant/probe"].slots[0].instance
        assert instance.most == 1
        assert instance.done >= 5  # one more where the first one of its own came before
        assert int(node.engine.transport.state("plant/probe", "")["done"][0]) == instance.done
        with pytest.raises(CallFailed, match="ValueError: by hand"):
            await node.call("probe", "fail")
        with pytest.raises(UnknownOperation, match="takes no arguments"):
            await node.call("probe", "poll", number=1)
        with pytest.raises(UnknownOperation, match='Did you mean "poll"'):
            await node.call("probe", "pol")
