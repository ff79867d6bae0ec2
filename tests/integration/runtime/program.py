"""A node as a process, for tests that kill it: ``python -m tests.integration.runtime.program FOLDER CASE N``.

What its handlers do is appended to ``FOLDER/events`` by single writes, which survive a SIGKILL. It sends N messages in
its first life, handles what it owes, and ends with code 0 when nothing is left.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

from junctor.core.outcome import Hold
from junctor.core.policy import RetryPolicy
from junctor.core.spec import ServiceSpec
from tests.unit.runtime.flowkit import Answer, Item, Me, Store, service, start

KILLER = 13
RETRY = RetryPolicy(attempts=3, initial=0.01, jitter=0)


class Events:
    def __init__(self, folder: Path) -> None:
        self._path = folder / "events"
        self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def count(self, what: str, n: int) -> int:
        """How often it was noted, in all lives."""
        return sum(f" {line}".endswith(f" {what} {n}") for line in self._path.read_text().splitlines())

    def note(self, what: str, n: int) -> None:
        os.write(self._file, f"{os.getpid()} {what} {n}\n".encode())


def services(case: str, events: Events) -> list[ServiceSpec]:
    async def slow(me: Me, item: Item) -> None:
        events.note("begin", item.n)
        await asyncio.sleep(0.01)
        events.note("end", item.n)

    async def deadly(me: Me, item: Item) -> None:
        events.note("begin", item.n)
        if item.n == KILLER:
            os.kill(os.getpid(), signal.SIGKILL)
        events.note("end", item.n)

    def deadly_in_thread(me: Me, item: Item) -> None:
        events.note("begin", item.n)
        if item.n == KILLER:
            os._exit(9)
        events.note("end", item.n)

    async def deadly_later(me: Me, item: Item) -> None:
        """Raises at its first attempt and kills at the second: that one is on record too."""
        events.note("begin", item.n)
        if item.n == KILLER and events.count("begin", KILLER) == 1:
            raise ValueError("first a failure")
        if item.n == KILLER:
            os.kill(os.getpid(), signal.SIGKILL)
        events.note("end", item.n)

    async def deadly_after_hold(me: Me, item: Item) -> None:
        """Says each time that the other side is away, and kills when it is probed."""
        events.note("begin", item.n)
        if item.n == KILLER and events.count(f"{os.getpid()} begin", KILLER) == 1:
            raise Hold("away", delay=0.01)
        if item.n == KILLER:
            os.kill(os.getpid(), signal.SIGKILL)
        events.note("end", item.n)

    async def answers(me: Me, item: Item) -> Answer:
        events.note("asked", item.n)
        await asyncio.sleep(0.02)
        return Answer(item.n)

    async def asks(me: Me, item: Item) -> None:
        """Both the asking and the asked one are suspects after a crash, and neither waits for the other for ever."""
        reply = await me.request("answers", item)
        events.note("end", reply.n)

    match case:
        case "slow":
            return [service("sink", slow, pool=4, retry=RETRY)]
        case "kill":
            return [service("sink", deadly, pool=4, retry=RETRY)]
        case "exit":
            return [service("sink", deadly_in_thread, retry=RETRY)]
        case "later":
            return [service("sink", deadly_later, retry=RETRY)]
        case "hold":
            return [service("sink", deadly_after_hold, retry=RETRY)]
        case "ask":
            asked = service("answers", answers, replies=Answer, retry=RETRY)
            return [service("sink", asks, pool=4, retry=RETRY), asked]
    raise ValueError(case)


async def main(folder: Path, case: str, count: int) -> None:
    first = not (folder / "events").exists()
    node = await start(Store("sqlite", folder / "store"), *services(case, Events(folder)))
    if first:
        await node.send_all("sink", [Item(n) for n in range(count)])
        os.write(1, b"accepted\n")
    while any(host.depth.count for host in node.engine.hosts.values()):
        await asyncio.sleep(0.005)
    await node.engine.stop()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
