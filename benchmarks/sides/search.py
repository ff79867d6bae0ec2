"""What an operator waits for in a store of many records: the messages of a session, of a type, of an error.

The store is written once through the transport, in sessions of three hops. One type in twenty is common; one record in
all has a type of its own. Figures are the 95th percentile of many questions, in milliseconds.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import apsw

from benchmarks.load import run
from junctor.core.outcome import Failure
from junctor.core.records import Archive, Commit, Insert, Query, Settle
from junctor.messages import Kind, Message, Status
from junctor.store.identity import DATABASE
from junctor.store.reader import open_archive
from junctor.transports.sqlite import SqliteTransport

HOPS, TYPES, SERVICES, GROUP = 3, 20, 10, 2000
BODY = b'{"number":%d,"customer":"somebody","lines":[1,2,3],"text":"' + b"x" * 200 + b'"}'
BEGIN = 1_800_000_000_000_000_000


def _record(seq: int, rare: bool) -> Insert:
    session = (seq - 1) // HOPS
    message = Message(
        seq,
        "bench",
        (1 << 127) | session,
        Kind.SEND,
        f"bench/service{seq % SERVICES}",
        f"bench/service{(seq + 1) % SERVICES}",
        "Rare" if rare else f"Type{seq % TYPES}",
        BODY % seq,
        BEGIN + seq * 1_000_000,
        cause=seq - 1 if (seq - 1) % HOPS else 0,
    )
    return Insert(message, Status.DONE)


async def _write(folder: str, stored: int) -> dict[str, float]:
    transport = SqliteTransport(Path(folder))
    await transport.open(lambda error: None)
    loop = asyncio.get_running_loop()
    for first in range(1, stored + 1, GROUP):
        told: asyncio.Future[None] = loop.create_future()
        inserts = [
            _record(transport.number(), seq == stored // 3) for seq in range(first, min(first + GROUP, stored + 1))
        ]
        failed = inserts[0].message.seq  # one of each group
        failure = Failure("TimeoutError" if first % 7 else "ValueError", f"order {failed} is broken", fingerprint="0a")
        settle = Settle(failed, Status.PARKED, 5, failure=failure)
        transport.commit(Commit(lambda commit, error: told.set_result(None), inserts, (settle,)))  # noqa: B023
        await told
    await transport.aclose()
    return {"records": stored}


def write(params: Mapping[str, Any]) -> dict[str, float]:
    return run(_write(params["prepared"], params["stored"]))


def _worst(ask: Callable[[], object], times: int) -> float:
    """The 95th percentile in milliseconds."""
    taken = []
    for _ in range(times):
        begin = time.perf_counter()
        ask()
        taken.append((time.perf_counter() - begin) * 1000)
    return sorted(taken)[int(len(taken) * 0.95)]


def _session(archive: Archive, sessions: int) -> list[Any]:
    found = archive.search(Query(session=(1 << 127) | random.randrange(sessions)))
    assert found, "a session was not found"
    return found


def archive(params: Mapping[str, Any]) -> dict[str, float]:
    stored, times = params["stored"], params["times"]
    found = open_archive(Path(params["prepared"]))
    try:
        assert len(found.search(Query(type="Rare"))) == 1
        return {
            "session_ms": _worst(lambda: _session(found, stored // HOPS), times),
            "type_ms": _worst(lambda: found.search(Query(type=f"Type{random.randrange(TYPES)}")), times),
            "rare_ms": _worst(lambda: found.search(Query(type="Rare")), times),
            "error_ms": _worst(lambda: found.search(Query(error="ValueError")), times),
        }
    finally:
        found.close()


def lookup(params: Mapping[str, Any]) -> dict[str, float]:
    """The yardstick: 50 rows of the same file by their numbers."""
    db = apsw.Connection(str(Path(params["prepared"]) / DATABASE), flags=apsw.SQLITE_OPEN_READONLY)
    sql = "SELECT * FROM message WHERE seq BETWEEN ?1 AND ?1 + 49"
    worst = _worst(lambda: db.execute(sql, (random.randrange(params["stored"]),)).fetchall(), params["times"])
    db.close()
    return dict.fromkeys(("session_ms", "type_ms", "rare_ms", "error_ms"), worst)
