"""Many rows in flat memory, with the node's own clock; and what stops it at once."""

from __future__ import annotations

import asyncio
import gc
import sqlite3
import tracemalloc
from contextlib import closing
from pathlib import Path
from typing import Any

from junctor import Flow, Service, handler
from junctor.adapters import SqlIn


class Counter(Service):
    seen = 0
    last = -1

    @handler
    async def on_row(self, row: Any) -> None:
        assert row["id"] == Counter.last + 1, "in order, and each once"
        Counter.last = row["id"]
        Counter.seen += 1


def flow_of(url: str, **settings: Any) -> Flow:
    rows = SqlIn(url=url, table="rows", cursor=["id"], batch=500, interval="5ms", **settings)
    return Flow("shop").add(rows, "rows", connect={"out": "sink"}).add(Counter(), "sink", trace="off")


async def seen(count: int) -> None:
    async with asyncio.timeout(60):
        while Counter.seen < count:
            await asyncio.sleep(0.005)


def fill(file: Path, count: int) -> None:
    with closing(sqlite3.connect(file)) as base:
        base.execute("CREATE TABLE rows (id integer PRIMARY KEY, text text)")
        base.executemany("INSERT INTO rows VALUES (?, ?)", ((n, "x" * 1000) for n in range(count)))
        base.commit()


async def test_memory_does_not_grow_with_the_table(tmp_path: Path) -> None:
    """20,000 rows are 20 MB."""
    fill(tmp_path / "shop.db", 20_000)
    Counter.seen, Counter.last = 0, -1
    tracemalloc.start()
    try:
        url = f"sqlite:///{tmp_path}/shop.db"
        async with flow_of(url).running(transport="sqlite", store=tmp_path / "store"):
            await seen(5_000)
            gc.collect()
            tracemalloc.reset_peak()
            before = tracemalloc.get_traced_memory()[0]
            await seen(20_000)
            peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak - before < 10_000_000


async def test_nodes_that_stop_in_the_middle(tmp_path: Path) -> None:
    fill(tmp_path / "shop.db", 3_000)
    Counter.seen, Counter.last = 0, -1
    for stop in (1, 400, 900, 2_000, 3_000):
        async with flow_of(f"sqlite:///{tmp_path}/shop.db").running(transport="sqlite", store=tmp_path / "store"):
            await seen(stop)
    assert Counter.seen == 3_000
