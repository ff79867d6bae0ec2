"""A node with two workers that never end by themselves, for a test that kills it: ``python -m ... FOLDER``."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from junctor.flows.model import FlowModel
from junctor.flows.wiring import wire
from junctor.runtime.engine import Engine
from junctor.transports.sqlite import SqliteTransport
from tests.integration.workers.deadly import Deadly, Deed


async def main(folder: Path) -> None:
    flow = FlowModel("w")
    flow.add(Deadly, pool=2, isolate="worker")
    engine = Engine(SqliteTransport(folder))
    await engine.open()
    engine.add(wire(flow).plan)
    await engine.start()
    port = engine.client()
    for _ in range(2):
        await port.send(port.link_to("deadly", Deed), Deed("spin"))
    while engine.hosts["w/deadly"].in_flight < 2:
        await asyncio.sleep(0.01)
    print(*(slot.pid for slot in engine.hosts["w/deadly"].slots), flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
