"""Rows into a database, a transaction each: ``sql-out`` from a durable queue, and a bare loop of SQLAlchemy."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text

from benchmarks.load import run
from junctor import Flow
from junctor.adapters import SqlOut

TABLE = "CREATE TABLE orders (id INTEGER PRIMARY KEY, customer TEXT NOT NULL, total REAL, note TEXT)"
INSERT = "insert into orders (id, customer, total, note) values (:id, :customer, :total, :note)"
LOOK = 0.002  # seconds between two looks


def order(number: int) -> dict[str, Any]:
    return {"id": number, "customer": f"customer-{number % 1000:04}", "total": number / 4, "note": "x" * 50}


def _made(params: Mapping[str, Any]) -> str:
    url = f"sqlite:///{Path(params['folder'])}/shop.db"
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("PRAGMA journal_mode = wal"))
        connection.execute(text(TABLE))
    engine.dispose()
    return url


def _stored(url: str) -> int:
    engine = create_engine(url)
    with engine.connect() as connection:
        found = int(connection.execute(text("SELECT count(*) FROM orders")).scalar_one())
    engine.dispose()
    return found


def bare(params: Mapping[str, Any]) -> dict[str, float]:
    url, rows = _made(params), params["rows"]
    engine, insert = create_engine(url), text(INSERT)
    begin = time.perf_counter()
    for number in range(rows):
        with engine.begin() as connection:
            connection.execute(insert, order(number))
    rate = rows / (time.perf_counter() - begin)
    engine.dispose()
    return {"rate": rate}


async def _measure(params: Mapping[str, Any], url: str) -> dict[str, float]:
    rows = params["rows"]
    flow = Flow("bench").add(SqlOut(url=url, statement=INSERT, **params.get("settings", {})), "crm")
    async with flow.running(transport="sqlite", store=Path(params["folder"]) / "store") as node:
        target = node.target("bench/crm", Any)
        begin = time.perf_counter()
        for first in range(0, rows, 100):
            await asyncio.gather(*(target.send(order(number)) for number in range(first, min(first + 100, rows))))
        while any(service.queued or service.running for service in node.status().services):
            await asyncio.sleep(LOOK)
        rate = rows / (time.perf_counter() - begin)
    if _stored(url) != rows:
        raise RuntimeError(f"{rows} sent, {_stored(url)} stored")
    return {"rate": rate}


def adapter(params: Mapping[str, Any]) -> dict[str, float]:
    return run(_measure(params, _made(params)))
