"""What tests get of servers: ``mosquitto``, ``postgresql``, ``link``. Each starts where a test asks for it."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.servers.link import Link
from tests.servers.ports import lasting_port

if TYPE_CHECKING:
    from tests.servers.mosquitto import Mosquitto
    from tests.servers.postgresql import Database, PostgreSQL


@pytest.fixture
def mosquitto() -> Iterator[Callable[..., Mosquitto]]:
    """Makes and starts brokers: ``mosquitto(users={"ann": "secret"})``, with the parameters of ``Mosquitto``."""
    from tests.servers.mosquitto import Mosquitto

    folder = Path(tempfile.mkdtemp(prefix="jn-mq-", dir="/tmp"))
    brokers: list[Mosquitto] = []

    def start(**settings: Any) -> Mosquitto:
        own = folder / str(len(brokers))
        own.mkdir()
        broker = Mosquitto(own, lasting_port(), **settings)
        brokers.append(broker)
        broker.start()
        return broker

    yield start
    for broker in brokers:
        broker.stop()
    shutil.rmtree(folder, ignore_errors=True)


_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def _postgresql_server() -> Iterator[PostgreSQL]:
    from tests.servers.postgresql import PostgreSQL

    server = PostgreSQL(lasting_port())
    yield server
    server.close()


@pytest.fixture
def postgresql(_postgresql_server: PostgreSQL) -> Iterator[Database]:
    """An empty database; ``postgresql.server`` may be stopped and started by the test."""
    from tests.servers.postgresql import Database

    _postgresql_server.start()
    name = f"test_{next(_numbers)}"
    _postgresql_server.execute(f"CREATE DATABASE {name}")
    yield Database(_postgresql_server, name)
    _postgresql_server.start()
    _postgresql_server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def link() -> Iterator[Callable[[int], Link]]:
    """Makes links: ``link(broker.port)``."""
    links: list[Link] = []

    def make(target: int) -> Link:
        links.append(Link(target))
        return links[-1]

    yield make
    for one in links:
        one.close()
