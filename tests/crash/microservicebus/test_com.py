"""SIGKILL of a node with a Com service at enumerated packets between it and its hub.

Each message to the device is handled, in order, and each reading that it makes arrives, in order; what arrives twice
has one message id.
"""

from __future__ import annotations

import base64
import itertools
import random
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.crash.adapters.test_mqtt import KEPT, Killer
from tests.crash.campaigns import Campaign, cycles, time_is_up
from tests.crash.history import Faults
from tests.crash.node.node import Node, until
from tests.crash.seeds import repeat, seed_of_this_run
from tests.servers.iot_hub import IotHub
from tests.servers.link import Link

pytestmark = pytest.mark.crash

PLACES = list(itertools.product(["sent", "received"], ["before", "behind"]))
"""The way of the packet, and when the kill comes."""

DRIVER = Path(__file__).parent / "drivers" / "com.py"
KEY = base64.b64encode(b"the key").decode()


class Stand:
    """A hub, a link to it, and a node behind that."""

    def __init__(self, folder: Path, mosquitto: Any, link: Any) -> None:
        self.hub = IotHub(mosquitto(lines=[*KEPT, *IotHub.lines(folder)]), {"dev1": KEY})
        self.link: Link = link(self.hub.port)
        place = {"HUB_PORT": str(self.link.port), "HUB_CA": str(self.hub.ca), "HUB_KEY": KEY}
        self.node = Node(folder, program=DRIVER, **place)
        self.sent = 0

    def send(self, count: int) -> None:
        for number in range(self.sent, self.sent + count):
            self.hub.send("dev1", f'{{"n": {number}}}')
        self.sent += count

    @property
    def got(self) -> list[int]:
        return list(dict.fromkeys(body["n"] for _, body in self.hub.telemetry))

    def kill_at(self, place: tuple[str, str], number: int) -> None:
        killer = Killer(self.node, self.link)
        killer.arm(place[0], number, place[1])
        self.send(10)
        self.node.launch()
        until(killer.met.is_set, lambda: f"not so many packets\n{self.node.said}")
        assert self.node.wait_for_the_end() == -signal.SIGKILL, self.node.said

    def check(self) -> None:
        """Everything is there, once it has run to the end."""
        self.node.start()
        until(lambda: len(self.got) == self.sent, lambda: f"{len(self.got)} of {self.sent} came\n{self.node.said}")
        self.node.drain()
        self.node.stop()
        assert self.got == list(range(self.sent))
        bodies: dict[str, Any] = {}
        for properties, body in self.hub.telemetry:
            assert bodies.setdefault(properties["$.mid"], body) == body, "two readings with one id"

    def close(self) -> None:
        self.node.close()
        self.hub.close()


@pytest.fixture
def stand(short_dir: Path, mosquitto: Any, link: Any) -> Iterator[Stand]:
    made = Stand(short_dir, mosquitto, link)
    yield made
    made.close()


def campaign(stand: Stand, seed: int, kills: int) -> None:
    made, chance = Campaign(seed), random.Random(seed)
    stand.node.start()
    until(lambda: "msb-state" in stand.hub.twin["reported"], lambda: stand.node.said)
    stand.node.stop()
    places = [PLACES[number % len(PLACES)] for number in range(kills)]
    chance.shuffle(places)
    for place in places:
        number = chance.randrange(6, 16)  # behind those of TLS and of the subscriptions
        try:
            stand.kill_at(place, number)
        except AssertionError as error:
            raise AssertionError(f"{place} {number}: {error}; {repeat(seed)}") from None
    stand.check()
    made.ended(kills, stand.sent, Faults())


@pytest.mark.timeout(120)
def test_kills_at_some_packets(stand: Stand) -> None:
    campaign(stand, seed_of_this_run(), 4)


@pytest.mark.torture
@pytest.mark.timeout(7200)
def test_kills_at_many_packets(stand: Stand) -> None:
    campaign(stand, seed_of_this_run(), 1 if time_is_up() else cycles(80))
