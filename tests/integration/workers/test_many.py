"""Many messages through several workers, some of which die at random: each key in order, each message once."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
from collections import defaultdict
from pathlib import Path

from junctor.core.policy import RestartPolicy, RetryPolicy
from junctor.flows.model import FlowModel
from junctor.flows.wiring import wire
from junctor.runtime.engine import Engine
from junctor.transports.base import Query
from junctor.transports.sqlite import SqliteTransport
from tests.integration.workers.many import Counted, Counter, Tally

MESSAGES, KEYS, DEATHS = 600, 7, 6


async def test_order_and_effects_hold_while_workers_die(tmp_path: Path) -> None:
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    flow = FlowModel("w")
    retry = RetryPolicy(attempts=99, initial=0.001, jitter=0)
    restart = RestartPolicy(limit=99, initial=0.001, max=0.01)
    flow.add(Counter, pool=2, key="key", isolate="worker", retry=retry, restart=restart)
    flow.add(Tally)
    engine = Engine(SqliteTransport(tmp_path / "store"))
    await engine.open()
    engine.add(wire(flow).plan)
    await engine.start()
    try:
        port = engine.client()
        link = port.link_to("counter", Counted)
        host = engine.hosts["w/counter"]
        sending = asyncio.gather(*(port.send(link, Counted(f"k{n % KEYS}", n)) for n in range(MESSAGES)))  # type: ignore[call-overload]
        await sending
        for _ in range(DEATHS):
            await asyncio.sleep(chance.random() * 0.1)
            pids = [slot.pid for slot in host.slots if slot.pid]
            if pids:
                with contextlib.suppress(ProcessLookupError):  # it has just ended
                    os.kill(chance.choice(pids), signal.SIGKILL)
        async with asyncio.timeout(40):
            while any(one.depth.count for one in engine.hosts.values()):
                await asyncio.sleep(0.01)
        await engine.committed()
        tallied = sorted(
            (record.message.seq, record.message.body)
            for record in engine.transport.archive.search(Query(service="w/tally", limit=10_000))
        )
        by_key: dict[str, list[int]] = defaultdict(list)
        for _, body in tallied:
            by_key[body["key"]].append(body["number"])
        assert by_key == {f"k{key}": [n for n in range(MESSAGES) if n % KEYS == key] for key in range(KEYS)}
    finally:
        await engine.stop(grace=2)
