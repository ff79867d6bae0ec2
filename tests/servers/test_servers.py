"""The servers of the tests themselves: they start, keep their ports, and links fail as they should."""

from __future__ import annotations

import socket
from typing import Any

import psycopg
import pytest

from tests.servers.link import Link
from tests.servers.programs import Program


def talk(port: int, data: bytes = b"hello") -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=0.2) as sock:
        sock.sendall(data)
        return sock.recv(100)


@pytest.fixture
def echo() -> Any:
    """A server that says what it hears, one connection at a time, until it is closed."""
    import asyncio
    import threading

    loop = asyncio.new_event_loop()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(100):
            writer.write(data)
        writer.close()

    server = loop.run_until_complete(asyncio.start_server(answer, "127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield server.sockets[0].getsockname()[1]
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    server.close()
    loop.run_until_complete(asyncio.sleep(0))
    for task in asyncio.all_tasks(loop):
        task.cancel()
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()


def test_a_link_passes_cuts_and_heals(echo: int, link: Any) -> None:
    one: Link = link(echo)
    assert talk(one.port) == b"hello" and one.accepted == 1 and one.sent == one.received == 5
    with socket.create_connection(("127.0.0.1", one.port), timeout=2) as sock:
        sock.sendall(b"x")
        assert sock.recv(1) == b"x"
        one.cut()
        with pytest.raises(ConnectionResetError):
            sock.recv(1)
    with pytest.raises(ConnectionRefusedError):
        talk(one.port)
    one.heal()
    assert talk(one.port) == b"hello"


def test_a_half_open_link_accepts_and_swallows(echo: int, link: Any) -> None:
    one: Link = link(echo)
    with socket.create_connection(("127.0.0.1", one.port), timeout=0.1) as sock:
        sock.sendall(b"x")
        assert sock.recv(1) == b"x"
        one.half_open()
        sock.sendall(b"y")
        with pytest.raises(TimeoutError):
            sock.recv(1)
        with pytest.raises(TimeoutError):
            talk(one.port)
        one.heal()
        with pytest.raises(ConnectionResetError):
            sock.recv(1)
    assert talk(one.port) == b"hello"


def test_a_link_answers_nonsense_cuts_in_the_middle_and_is_slow(echo: int, link: Any) -> None:
    one: Link = link(echo)
    one.nonsense(b"what?")
    assert talk(one.port) == b"what?"
    one.heal()
    one.cut_after(5)
    with pytest.raises(ConnectionResetError):
        talk(one.port)
    with pytest.raises(ConnectionRefusedError):
        talk(one.port)
    one.heal()
    one.slow(20)
    assert talk(one.port) == b"h"


def test_a_broker_keeps_its_port(mosquitto: Any) -> None:
    broker = mosquitto(users={"ann": "secret"})
    port = broker.port
    broker.restart()
    assert broker.port == port and broker.running
    broker.stop()
    with pytest.raises(ConnectionRefusedError):
        talk(port)


def test_a_database_is_empty_and_survives_a_crash_of_its_server(postgresql: Any) -> None:
    postgresql.execute("CREATE TABLE t (n integer)")
    postgresql.execute("INSERT INTO t VALUES (7)")
    postgresql.server.stop_immediately()
    with pytest.raises(psycopg.OperationalError):
        postgresql.execute("SELECT n FROM t")
    postgresql.server.start()
    assert postgresql.execute("SELECT n FROM t") == [(7,)]


def test_a_missing_server_fails_the_test_with_the_command() -> None:
    with pytest.raises(pytest.fail.Exception, match="apt-get install unobtainium"):
        Program(("unobtainium-server",), "unobtainium").path()
