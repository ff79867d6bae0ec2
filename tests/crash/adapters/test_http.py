"""SIGKILL of a node at enumerated packets between it and who calls it, and between it and whom it calls: before one is
passed on, or behind it.

Who calls does so again until it is answered. Each call is handled once, in order; what is called twice has one key.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import signal
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.crash.adapters.test_mqtt import Killer
from tests.crash.campaigns import Campaign, cycles, time_is_up
from tests.crash.history import Faults
from tests.crash.node.node import Node, until
from tests.crash.seeds import repeat, seed_of_this_run
from tests.integration.adapters.http.partner import Partner
from tests.servers.link import Link
from tests.servers.ports import lasting_port

pytestmark = pytest.mark.crash

PLACES = list(itertools.product(["in", "out"], ["sent", "received"], ["before", "behind"]))
"""A link, the way of the packet, and when the kill comes."""

DRIVER = Path(__file__).parent / "drivers" / "webhook.py"


class Called:
    """Whom the node calls, in a thread of its own."""

    def __init__(self) -> None:
        self.partner = Partner()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._run(self.partner.start())

    def _run(self, what: Any) -> None:
        asyncio.run_coroutine_threadsafe(what, self._loop).result(10)

    @property
    def got(self) -> list[dict[str, Any]]:
        return [json.loads(one.body) | {"key": one.headers["Idempotency-Key"]} for one in list(self.partner.asked)]

    def close(self) -> None:
        self._run(self.partner.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class Caller(threading.Thread):
    """Calls with one number after the other, each again until it is taken."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self._address = f"http://127.0.0.1:{port}/in"
        self.wanted = self.taken = 0
        self.ending = False

    def run(self) -> None:
        while not self.ending:
            if self.taken < self.wanted and self._call(self.taken):
                self.taken += 1
            elif self.taken == self.wanted:
                time.sleep(0.005)

    def _call(self, number: int) -> bool:
        body = json.dumps({"n": number}).encode()
        request = urllib.request.Request(self._address, body, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=2) as answer:
                return bool(answer.status == 202)
        except OSError:  # refused, cut, or an error
            time.sleep(0.02)
            return False


class Stand:
    """A node between two links, who calls it, and whom it calls."""

    def __init__(self, folder: Path, link: Any) -> None:
        self.called = Called()
        port = lasting_port()
        self.links: dict[str, Link] = {"in": link(port), "out": link(self.called.partner.port)}
        self.node = Node(folder, port, program=DRIVER, HTTP_OUT=str(self.links["out"].port))
        self.caller = Caller(self.links["in"].port)
        self.caller.start()

    def kill_at(self, place: tuple[str, str, str], number: int) -> None:
        link, way, when = place
        killer = Killer(self.node, self.links[link])
        killer.arm(way, number, when)
        self.node.launch()
        self.caller.wanted += 6
        until(killer.met.is_set, lambda: f"not so many packets\n{self.node.said}")
        assert self.node.wait_for_the_end() == -signal.SIGKILL, self.node.said

    def check(self) -> None:
        """Everything is there, once it has run to the end."""
        self.node.start()
        total = self.caller.wanted
        until(lambda: len({one["n"] for one in self.called.got}) == total, lambda: f"{len(self.called.got)} came")
        self.node.drain()
        self.node.stop()
        got = self.called.got
        first = {one["n"]: one for one in reversed(got)}
        assert list(dict.fromkeys(one["n"] for one in got)) == list(range(total)), "out of order"
        assert all(one == first[one["n"]] for one in got), "handled twice, or a repeat has another key"
        assert [first[n]["count"] for n in range(total)] == list(range(1, total + 1)), "a call was handled twice"
        assert len({one["key"] for one in got}) == total, "two messages have one key"

    def close(self) -> None:
        self.caller.ending = True
        self.node.close()
        self.caller.join()
        self.called.close()


@pytest.fixture
def stand(short_dir: Path, link: Any) -> Iterator[Stand]:
    made = Stand(short_dir, link)
    yield made
    made.close()


def campaign(stand: Stand, seed: int, kills: int) -> None:
    made, chance = Campaign(seed), random.Random(seed)
    places = [PLACES[number % len(PLACES)] for number in range(kills)]
    chance.shuffle(places)
    for place in places:
        number = chance.randrange(1, 5)
        try:
            stand.kill_at(place, number)
        except AssertionError as error:
            raise AssertionError(f"{place} {number}: {error}; {repeat(seed)}") from None
    try:
        stand.check()
    except AssertionError as error:
        raise AssertionError(f"{error}; {repeat(seed)}") from None
    made.ended(kills, stand.caller.wanted, Faults())


@pytest.mark.timeout(120)
def test_kills_at_some_packets(stand: Stand) -> None:
    campaign(stand, seed_of_this_run(), 8)


@pytest.mark.torture
@pytest.mark.timeout(7200)
def test_kills_at_many_packets(stand: Stand) -> None:
    campaign(stand, seed_of_this_run(), 1 if time_is_up() else cycles(80))
