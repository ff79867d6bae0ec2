"""SIGKILL of a node at enumerated packets between it and its brokers: before one is passed on, or behind it.

Each message is handled once, in order; it is published at least once, and what is published twice has one key.
"""

from __future__ import annotations

import itertools
import os
import random
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from junctor import connect
from tests.crash.campaigns import Campaign, cycles, time_is_up
from tests.crash.history import Faults
from tests.crash.node.node import Node, until
from tests.crash.seeds import repeat, seed_of_this_run
from tests.integration.adapters.mqtt.peer import Peer
from tests.servers.link import Link

pytestmark = pytest.mark.crash

PLACES = list(itertools.product(["in", "out"], ["sent", "received"], ["before", "behind"]))
"""A link, the way of the packet, and when the kill comes."""

DRIVER = Path(__file__).parent / "drivers" / "mqtt.py"
KEPT = ["max_queued_messages 100000", "autosave_interval 1"]


class Killer:
    """Kills a node at one packet of a link."""

    def __init__(self, node: Node, link: Link) -> None:
        self._node = node
        self._link = link
        self._left = 0
        self._when = ""
        self.met = threading.Event()

    def arm(self, way: str, number: int, when: str) -> None:
        """:param number: which packet of this way, counted from the next connection's first."""
        self._left, self._when = number, when
        self.met.clear()
        self._link.tap = lambda going, data: self._passes(data) if going == way else None

    def _passes(self, data: bytes) -> None:
        self._left -= 1
        if self._left > 0 or self.met.is_set() or self._node.process is None:
            return
        self._link.tap = None
        if self._when == "before":
            os.killpg(self._node.process.pid, signal.SIGKILL)
            self.met.set()
            raise ConnectionAbortedError
        threading.Timer(0.001, self._kill).start()

    def _kill(self) -> None:
        assert self._node.process is not None
        os.killpg(self._node.process.pid, signal.SIGKILL)
        self.met.set()


class Stand:
    """Two brokers with links to them, a node between, and who publishes and gets at the far ends."""

    def __init__(self, folder: Path, mosquitto: Any, link: Any) -> None:
        brokers = [mosquitto(lines=KEPT) for _ in range(2)]
        self.links: dict[str, Link] = {name: link(each.port) for name, each in zip(("in", "out"), brokers, strict=True)}
        ports = {f"MQTT_{name.upper()}": str(each.port) for name, each in self.links.items()}
        self.node = Node(folder, program=DRIVER, **ports)
        self.peers = Peer(brokers[0].port), Peer(brokers[1].port, "out")
        self.published = 0

    def publish(self, count: int) -> None:
        for number in range(self.published, self.published + count):
            body = msgspec.json.encode({"n": number})
            self.peers[0].publish(f"in/{number % 3}", body, properties={"id": str(number)}, wait=False)
        self.published += count

    @property
    def missing(self) -> set[int]:
        return set(range(self.published)) - {one["n"] for one in self.got}

    @property
    def got(self) -> list[dict[str, int]]:
        return [msgspec.json.decode(payload) for payload in self.peers[1].payloads]

    def is_subscribed(self) -> bool:
        with connect(self.node.store) as client:
            status = client.ask("status", patience=10.0)
        told = {each["service"]: each.get("reason", "") for each in status["services"]}
        return str(told["source"]).startswith("connected")

    def kill_at(self, place: tuple[str, str, str], number: int) -> None:
        link, way, when = place
        killer = Killer(self.node, self.links[link])
        killer.arm(way, number, when)
        self.node.launch()
        self.publish(20)
        until(killer.met.is_set, lambda: f"not so many packets\n{self.node.said}")
        assert self.node.wait_for_the_end() == -signal.SIGKILL, self.node.said

    def check(self) -> None:
        """Everything is there, once it has run to the end."""
        self.node.start()
        until(lambda: not self.missing, lambda: f"missing: {sorted(self.missing)}\n{self.node.said}")
        self.node.drain()
        self.node.stop()
        first = {one["n"]: one for one in reversed(self.got)}
        order = list(dict.fromkeys(one["n"] for one in self.got))
        assert order == list(range(self.published))
        assert all(one == first[one["n"]] for one in self.got), "a message was handled twice"
        assert [first[n]["count"] for n in order] == list(range(1, self.published + 1)), "a message was handled twice"
        keys: dict[int, set[str]] = {}
        for at, one in enumerate(self.got):
            keys.setdefault(one["n"], set()).add(self.peers[1].property_of(at, "key"))
        assert all(len(each) == 1 for each in keys.values()), "a repeat has another key"

    def close(self) -> None:
        self.node.close()
        for peer in self.peers:
            peer.__exit__()


@pytest.fixture
def stand(short_dir: Path, mosquitto: Any, link: Any) -> Iterator[Stand]:
    made = Stand(short_dir, mosquitto, link)
    yield made
    made.close()


def campaign(stand: Stand, seed: int, kills: int) -> None:
    made, chance = Campaign(seed), random.Random(seed)
    stand.node.start()
    until(stand.is_subscribed, stand.node.stacks)
    stand.publish(3)
    until(lambda: len(stand.got) == 3, stand.node.stacks)
    stand.node.stop()
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
        raise AssertionError(f"{error}\n{repeat(seed)}") from None
    made.ended(kills, stand.published, Faults())


@pytest.mark.timeout(120)
def test_kills_at_some_packets(stand: Stand) -> None:
    campaign(stand, seed_of_this_run(), 8)


@pytest.mark.torture
@pytest.mark.timeout(7200)
def test_kills_at_many_packets(stand: Stand) -> None:
    campaign(stand, seed_of_this_run(), 1 if time_is_up() else cycles(80))
