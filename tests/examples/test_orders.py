"""Orders from files, over HTTP, into PostgreSQL and out over MQTT, while each partner and the node are killed."""

from __future__ import annotations

import contextlib
import json
import signal
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from junctor import connect
from tests.crash.node.node import Node, until
from tests.readme.pages import Desk
from tests.servers.ports import lasting_port
from tests.servers.process import Server

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "orders"
PORTS = ("22432", "22883", "22080")
ROWS = 12
NAMES = {"anna": "Anna Berg", "bert": "Bert Vos", "chen": "Chen Li"}
ALREADY = 4
"""Announcements of a phase after which somebody is killed: most of it is under way."""


class Example:
    """The example in a folder of its own, at ports of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.chmod(0o711)  # root is another user for PostgreSQL
        self.ports = {port: str(lasting_port()) for port in PORTS}
        for file in EXAMPLE.glob("*.*"):
            text = file.read_text()
            for port, own in self.ports.items():
                text = text.replace(port, own)
            (folder / file.name).write_text(text)

    def partner(self, name: str, port: str) -> Server:
        command = [sys.executable, str(self.folder / "partners.py"), name]
        return Server(command, int(self.ports[port]), self.folder / f"{name}.log")


@pytest.fixture
def example(short_dir: Path) -> Example:
    return Example(short_dir)


class Listener:
    """A client of the broker whose session lasts. ``keys``: those under which each order was announced."""

    def __init__(self, port: int) -> None:
        self.keys: defaultdict[str, list[str]] = defaultdict(list)
        self._client = Client(CallbackAPIVersion.VERSION2, client_id="listener", protocol=MQTTProtocolVersion.MQTTv5)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_message = self._heard
        self._client.on_connect = lambda client, *_: client.subscribe("orders/#", 1)
        subscribed: list[int] = []
        self._client.on_subscribe = lambda *_: subscribed.append(1)
        lasting = Properties(PacketTypes.CONNECT)
        lasting.SessionExpiryInterval = 600
        self._client.connect("127.0.0.1", port, clean_start=False, properties=lasting)
        self._client.loop_start()
        until(lambda: subscribed, "the listener is not subscribed")

    def _heard(self, client: Client, data: Any, message: MQTTMessage) -> None:
        key = dict(message.properties.UserProperty)["idempotency-key"]
        self.keys[json.loads(message.payload)["id"]].append(key)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


class Shop:
    """The node, its partners and who listens."""

    def __init__(self, example: Example) -> None:
        self.folder = example.folder
        self.postgresql = example.partner("postgresql", "22432")
        self.mosquitto = example.partner("mosquitto", "22883")
        self.customers = example.partner("customers", "22080")
        self.node = Node(self.folder, program=self.folder / "flow.yaml")
        self.expected: dict[str, tuple[str, Decimal]] = {}
        self._files = 0

    def open(self) -> None:
        (self.folder / "in").mkdir()
        for partner in (self.customers, self.mosquitto, self.postgresql):
            partner.start()
        until(self.answers, "PostgreSQL takes no statements")
        self.execute("ALTER TABLE orders DROP CONSTRAINT orders_pkey")  # what is stored twice is to be seen
        self.listener = Listener(self.mosquitto.port)
        self.start()

    def start(self) -> None:
        self.node.start("--set", "files.interval=50ms")

    def close(self) -> None:
        self.node.close()
        if hasattr(self, "listener"):
            self.listener.close()
        for partner in (self.customers, self.mosquitto, self.postgresql):
            if partner.running:
                partner.stop(signal.SIGQUIT if partner is self.postgresql else signal.SIGTERM)

    # PostgreSQL -----------------------------------------------------------------------------------------------

    def execute(self, statement: str) -> list[tuple[Any, ...]]:
        url = f"postgresql://shop@127.0.0.1:{self.postgresql.port}/postgres"
        with psycopg.connect(url, autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def answers(self) -> bool:
        with contextlib.suppress(psycopg.OperationalError):
            return bool(self.execute("SELECT 1"))
        return False

    # Work -----------------------------------------------------------------------------------------------------

    def feed(self, files: int = 2, **wrong: str) -> None:
        """Put files into the folder. ``wrong``: what the first row has in place of a good value."""
        for _ in range(files):
            self._files += 1
            rows = [self._row(number) for number in range(ROWS)]
            rows[0] |= wrong
            lines = [",".join(rows[0]), *(",".join(row.values()) for row in rows)]
            file = self.folder / "in" / f".{self._files}"
            file.write_text("\n".join(lines) + "\n")
            file.rename(self.folder / "in" / f"{self._files}.csv")

    def _row(self, number: int) -> dict[str, str]:
        row = {"id": f"{self._files}-{number}", "customer": list(NAMES)[number % 3], "item": "a 'lamp'"}
        self.expected[row["id"]] = NAMES[row["customer"]], (number + 1) * Decimal("0.10")
        return row | {"count": str(number + 1), "price": "0.10"}

    def amid(self, **wrong: str) -> None:
        """Files arrive, and some of their orders have come to the end."""
        before = len(self.listener.keys)
        self.feed(**wrong)
        until(lambda: len(self.listener.keys) >= before + ALREADY, self.told)

    def killed(self, partner: Server, holds: str, **wrong: str) -> None:
        """A partner dies in the middle of it, files arrive nevertheless, and it comes back when it is missed."""
        self.amid(**wrong)
        partner.stop(signal.SIGKILL)
        self.feed()
        until(lambda: self.states()[holds] == "held", self.told)
        partner.start()

    def states(self) -> dict[str, str]:
        with connect(self.node.store) as client:
            return {each["service"]: each["state"] for each in client.ask("status", patience=10.0)["services"]}

    def told(self) -> str:
        return f"{len(self.listener.keys)} of {len(self.expected)} were announced\n{self.node.said}"


@pytest.fixture
def shop(example: Example) -> Iterator[Shop]:
    shop = Shop(example)
    try:
        shop.open()
        yield shop
    finally:
        shop.close()


@pytest.mark.crash
@pytest.mark.timeout(90)
def test_everybody_is_killed_once_and_each_order_is_stored_once_and_announced(shop: Shop) -> None:
    shop.killed(shop.postgresql, "table", count="many")
    shop.killed(shop.customers, "customers", customer="dora")
    shop.killed(shop.mosquitto, "announce")
    shop.amid()
    shop.node.kill()
    shop.feed()
    shop.start()
    assert "the store was not closed by a clean stop" in shop.node.said
    until(lambda: len(shop.listener.keys) == len(shop.expected) - 4, shop.told)

    with connect(shop.node.store) as client:
        parked = {group["service"]: (group["count"], group["text"]) for group in client.ask("parked")}
        assert {service: count for service, (count, _) in parked.items()} == {"shop/orders": 2, "shop/customers": 2}
        assert "Order.count: the body is not a valid Order" in parked["shop/orders"][1]
        assert "it answered 404" in parked["shop/customers"][1]
        client.resend(service="orders", changes={"count": 1})
        client.resend(service="customers", changes={"customer": "anna"})
    until(lambda: len(shop.listener.keys) == len(shop.expected), shop.told)
    shop.node.stop()

    rows = shop.execute("SELECT id, customer, total FROM orders")
    assert Counter(row[0] for row in rows) == Counter(list(shop.expected)), "each order once"
    assert {order: (customer, total) for order, customer, total in rows} == shop.expected
    keys = {order: set(keys) for order, keys in shop.listener.keys.items()}
    assert all(len(each) == 1 for each in keys.values()), "what was announced again has the key of the first time"
    assert len(set.union(*keys.values())) == len(shop.expected)


@pytest.mark.timeout(90)
def test_every_snippet_of_its_page_works(example: Example, free_port: int) -> None:
    page = example.folder / "README.md"
    with Desk(example.folder, free_port) as desk:
        desk.play(page)
