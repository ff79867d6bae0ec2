"""A file of JSON Lines until every record is durably processed: ``file-in``, and a bare loop that does the same.

The loop reads, decodes, and commits a group with the place in the file; a group is handled when it is on the disk, and
what was handled is committed with the next one, as in ``durable_bare``. So both sides store a record with where it is
from, and then that it was processed. ``rss_mb`` is the most memory
that the node had meanwhile.
"""

from __future__ import annotations

import asyncio
import os
import resource
import time
from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import apsw
import msgspec

from benchmarks.load import run
from benchmarks.sides.durable_bare import INSERT, UPDATE, WAITING, open_store
from junctor import Flow, Service, handler
from junctor.adapters import FileIn

GROUP = 1000
WITH_PLACE = INSERT.replace("?)", "?,?,?)")
LOOK = 0.001  # seconds between two looks; a loop that spins would keep other threads from the interpreter lock
NAME = "orders.jsonl"


@dataclass(frozen=True, slots=True)
class Order:
    id: int
    customer: str
    amount: float
    note: str


def write(params: Mapping[str, Any]) -> dict[str, float]:
    """The file that both sides read: some 120 bytes a line, or ``note`` more."""
    with open(Path(params["prepared"]) / NAME, "wb") as file:
        for n in range(params["lines"]):
            file.write(
                msgspec.json.encode(Order(n, f"customer-{n % 1000:04}", n / 4, "x" * params.get("note", 50))) + b"\n"
            )
    return {}


def on_order(order: Order) -> None:
    return None


def _groups(path: Path) -> Iterator[tuple[list[bytes], int]]:
    with open(path, "rb") as file:
        while lines := list(islice(file, GROUP)):
            yield lines, file.tell()


def bare(params: Mapping[str, Any]) -> dict[str, float]:
    folder = Path(params["folder"])
    db = open_store(folder)
    db.execute("CREATE TABLE place (at INTEGER); INSERT INTO place VALUES (0)")
    db.execute("ALTER TABLE message ADD COLUMN file TEXT; ALTER TABLE message ADD COLUMN line INTEGER")
    decode = msgspec.json.Decoder(Order).decode
    session, seq, handled = os.urandom(16), 0, array("q")
    begin = time.perf_counter()
    for lines, place in _groups(Path(params["prepared"]) / NAME):
        orders, rows = [], []
        for line in lines:
            seq += 1
            orders.append((seq, decode(line)))
            rows.append((seq, session, 0, "bench/in", "bench/sink", "Order", time.time_ns(), WAITING, line, NAME, seq))
        with db:
            db.executemany(WITH_PLACE, rows)
            db.execute(UPDATE, (apsw.carray(handled),)) if handled else None
            db.execute("UPDATE place SET at = ?", (place,))
        handled = array("q")
        for number, order in orders:
            on_order(order)
            handled.append(number)
    db.execute(UPDATE, (apsw.carray(handled),))
    rate = seq / (time.perf_counter() - begin)
    db.close()
    return {"rate": rate}


class Sink(Service):
    handled = 0  # of this class, not of the instance: the node runs a copy of the blueprint

    @handler
    async def on(self, body: Order) -> None:
        Sink.handled += 1


def _flow(arrivals: Path) -> Flow:
    arrivals.mkdir()
    files = FileIn(folder=arrivals, format="json-lines", ready="none", after="leave", interval=0.01, batch=GROUP)
    return Flow("bench").add(files, "orders-in", connect={"out": "sink"}).add(Sink(), "sink")


async def _processed(node: Any, lines: int) -> None:
    while Sink.handled < lines:
        await asyncio.sleep(LOOK)
    while any(service.queued for service in node.status().services):
        await asyncio.sleep(LOOK)
    if Sink.handled != lines:
        raise RuntimeError(f"{lines} lines, {Sink.handled} handled")


async def _measure(folder: Path, prepared: Path, lines: int) -> dict[str, float]:
    async with _flow(folder / "in").running(transport="sqlite", store=folder / "store") as node:
        begin = time.perf_counter()
        if lines:
            os.link(prepared / NAME, folder / "in" / NAME)
        await _processed(node, lines)
        seconds = time.perf_counter() - begin
    return {"rate": lines / seconds, "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def adapter(params: Mapping[str, Any]) -> dict[str, float]:
    return run(_measure(Path(params["folder"]), Path(params["prepared"]), params["lines"]))


def idle(params: Mapping[str, Any]) -> dict[str, float]:
    return run(_measure(Path(params["folder"]), Path(params["prepared"]), 0))
