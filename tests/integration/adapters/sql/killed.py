"""A flow from one database into another that is killed at a point: a program for ``test_kill``.

Points are before and after each commit of the store, and before and after each call of a database. The program is
given FOLDER WAY STEP FIRST: for every STEP-th point from FIRST on it makes a run that is killed there and one that goes
on, until a run ends without having come to its point. Each is a process, forked from this one, which has no threads.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

from junctor import Flow
from junctor.adapters import SqlIn, SqlOut
from junctor.adapters.sql import by_cursor, by_status, database, once, selection, statements  # noqa: F401 - loaded once
from junctor.core.records import Commit
from junctor.transports.sqlite import SqliteTransport

ROWS = 5
WAYS: dict[str, dict[str, Any]] = {
    "cursor": {"cursor": ["id"]},
    "status": {"status": "state", "id": ["id"]},
    "claim": {"status": "state", "id": ["id"], "claim": "taken"},
    "delete": {"delete": True, "id": ["id"]},
}


class Points:
    """Counts them, and ends the process at one."""

    def __init__(self, last: int) -> None:
        self.last = last
        self.passed = 0

    def here(self) -> None:
        self.passed += 1
        if self.passed == self.last:
            os.kill(os.getpid(), signal.SIGKILL)

    def enter(self) -> None:
        commit, call = SqliteTransport.commit, database.Database.call

        def commit_watched(transport: SqliteTransport, given: Commit) -> None:
            done = given.done

            def done_watched(own: Commit, error: Exception | None) -> None:
                self.here()  # it is on the disk, and nobody knows
                done(own, error)

            given.done = done_watched
            self.here()
            commit(transport, given)

        def call_watched(base: Any, *given: Any) -> Any:
            self.here()
            try:
                return call(base, *given)
            finally:
                self.here()

        SqliteTransport.commit = commit_watched  # type: ignore[method-assign]
        database.Database.call = call_watched  # type: ignore[method-assign,assignment]


def make(folder: Path) -> None:
    folder.mkdir()
    with closing(sqlite3.connect(folder / "a.db")) as a, closing(sqlite3.connect(folder / "b.db")) as b:
        a.execute("CREATE TABLE rows (id integer PRIMARY KEY, state text)")
        a.executemany("INSERT INTO rows VALUES (?, 'new')", [(n,) for n in range(ROWS)])
        b.execute("CREATE TABLE copies (id integer)")
        a.commit()
        b.commit()


def copies(folder: Path) -> list[int]:
    with closing(sqlite3.connect(folder / "b.db", timeout=5)) as b:
        return [n for (n,) in b.execute("SELECT id FROM copies ORDER BY rowid")]


def states(folder: Path) -> set[str]:
    with closing(sqlite3.connect(folder / "a.db", timeout=5)) as a:
        return {state for (state,) in a.execute("SELECT state FROM rows")}


async def run(folder: Path, way: str) -> None:
    """Until all is copied and marked."""
    rows = SqlIn(url=f"sqlite:///{folder}/a.db", table="rows", batch=2, interval="5ms", **WAYS[way])
    insert = "insert into copies values (:id)"
    copy = SqlOut(url=f"sqlite:///{folder}/b.db", statement=insert, once="done_here", create=True)
    flow = Flow("shop").add(rows, "rows", connect={"out": "copy"}).add(copy, "copy", retry={"deaths": 5})
    left = {"cursor": {"new"}, "delete": set()}.get(way, {"done"})
    async with flow.running(transport="sqlite", store=folder / "store") as node, asyncio.timeout(20):
        while len(copies(folder)) < ROWS or states(folder) != left or any(one.queued for one in node.status().services):
            await asyncio.sleep(0.005)


def forked(folder: Path, way: str, last: int) -> int:
    """Its end: 0, or the signal."""
    child = os.fork()
    if child == 0:
        try:
            Points(last).enter()
            asyncio.run(run(folder, way))
            os._exit(0)
        except BaseException as error:  # whatever it is, it must not go on as the parent
            print(repr(error), flush=True)
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def main(folder: Path, way: str, step: int, first: int) -> int:
    """How many kills there were."""
    kills = 0
    while True:
        own = folder / str(kills)
        make(own)
        end = forked(own, way, first + kills * step)
        if end == -signal.SIGKILL:
            end = forked(own, way, 0)
        elif end == 0:
            return kills
        found = copies(own)
        if end != 0 or found != list(range(ROWS)):
            sys.exit(f"{way}, killed at point {first + kills * step}: ended with {end}, copied {found}, {states(own)}")
        kills += 1


if __name__ == "__main__":
    print(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
