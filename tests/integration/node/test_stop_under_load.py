"""A stop while the node has more to do than it can: it ends in time, cleanly, and owes what it has not done."""

from __future__ import annotations

import contextlib
import http.client
import re
import signal
import threading
import time

import junctor as public
from junctor.node.node import GRACE
from junctor.node.process.ending import PATIENCE as FORCE
from tests.integration.node.conftest import Junctor

BUSY = """
import asyncio, time
from junctor import Service, get, handler, setting


class Busy(Service):
    @handler
    async def on(self, number: int) -> None:
        await asyncio.sleep(0.02)


class Blocking(Service):
    @handler
    def on(self, number: int) -> None:
        time.sleep(0.05)

    @get("/wait")
    async def wait(self) -> str:
        await asyncio.sleep(0.05)
        return "done"


class Endless(Service):
    @handler
    async def on(self, number: int) -> None:
        await asyncio.sleep(3600)
"""
EACH = 300


def test_a_stop_under_load_ends_in_time_and_keeps_what_is_left(junctor: Junctor) -> None:
    (junctor.folder / "busy.py").write_text(BUSY)
    node = junctor.start("busy.py", "--port", "0")
    found = re.search(r"http http://127.0.0.1:(\d+)", node.said)
    assert found is not None
    asking = [threading.Thread(target=_ask, args=(int(found[1]),)) for _ in range(8)]
    with public.connect(junctor.folder) as client:
        for thread in asking:
            thread.start()
        for number in range(EACH):
            client.send("busy", number)
            client.send("blocking", number)
        client.send("endless", 0)
    node.signal(signal.SIGTERM)
    begun = time.monotonic()
    assert node.process.wait(GRACE + FORCE + 1) == 0, node.said
    assert "stopped" in node.said
    for thread in asking:
        thread.join(10)
    owed = junctor.json("messages", "--status", "open", "--limit", "1000")
    done = junctor.json("messages", "--status", "done", "--limit", "1000")
    assert len(owed) + len(done) == 2 * EACH + 1, f"stopped after {time.monotonic() - begun:.1f} s"
    assert any(one["target"].endswith("endless") for one in owed)


def _ask(port: int) -> None:
    """Ask until nobody answers any more."""
    with contextlib.suppress(OSError, http.client.HTTPException):
        while True:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            connection.request("GET", "/wait")
            connection.getresponse().read()
            connection.close()
