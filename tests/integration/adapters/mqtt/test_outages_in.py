"""mqtt-in where the broker or the way to it fails: nothing of QoS 1 is lost, the order stays, and it is told."""

from __future__ import annotations

import asyncio
import random
import signal
from pathlib import Path
from typing import Any

import pytest

from junctor.adapters.mqtt.broker import Address, Broker
from junctor.adapters.mqtt.connection import Connection
from tests.crash.seeds import repeat, seed_of_this_run
from tests.integration.adapters.mqtt.flows import Sink, comes, connected, inbound, note_of, sinks, url
from tests.integration.adapters.mqtt.peer import Peer

MANY = ["max_queued_messages 20000", "max_inflight_messages 200"]


@pytest.fixture(autouse=True)
def _no_sinks() -> None:
    sinks.clear()


def first_ones(sink: Sink) -> list[Any]:
    """What was handled, each at its first time."""
    return list(dict.fromkeys(sink.bodies))


async def test_the_broker_comes_after_the_node_and_is_restarted(mosquitto: Any) -> None:
    broker = mosquitto()
    broker.stop()
    async with inbound(broker.port).running(transport="memory") as node:
        await comes(lambda: "Connection refused" in note_of(node, "source"))
        broker.start()
        await connected(node, "source")
        with Peer(broker.port) as peer:
            peer.publish("in/a", "1")
        await comes(lambda: sinks[0].bodies == [1])
        broker.restart()
        await comes(lambda: node.status().services[0].away or True)
        await connected(node, "source")
        with Peer(broker.port) as peer:
            peer.publish("in/a", "2")
        await comes(lambda: sinks[0].bodies == [1, 2])


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
async def test_a_backlog_of_a_cut_link_comes_whole_and_in_order(mosquitto: Any, link: Any, protocol: str) -> None:
    broker = mosquitto(lines=MANY)
    way = link(broker.port)
    async with inbound(way.port, protocol=protocol).running(transport="memory") as node:
        await connected(node, "source")
        with Peer(broker.port) as peer:
            peer.publish("in/a", "-1")
            await comes(lambda: sinks[0].bodies == [-1])
            way.cut()
            await comes(lambda: "away" in note_of(node, "source"))
            await asyncio.to_thread(peer.publish_all, "in/a", range(1000))
            way.heal()
            await comes(lambda: len(sinks[0].bodies) > 300)
            way.drop()  # in the middle of it
            await comes(lambda: set(sinks[0].bodies) == set(range(-1, 1000)))
        assert first_ones(sinks[0]) == list(range(-1, 1000))


async def test_a_half_open_link_is_given_up(mosquitto: Any, link: Any) -> None:
    broker = mosquitto()
    way = link(broker.port)
    async with inbound(way.port, keepalive="1s", timeout="500ms").running(transport="memory") as node:
        await connected(node, "source")
        way.half_open()
        with Peer(broker.port) as peer:
            peer.publish("in/a", "1")
            await comes(lambda: "away" in note_of(node, "source"))
            await comes(lambda: "does not answer" in note_of(node, "source"))
            way.heal()
            await comes(lambda: sinks[0].bodies == [1])


async def test_a_slow_link_delivers_all(mosquitto: Any, link: Any) -> None:
    broker = mosquitto()
    way = link(broker.port)
    async with inbound(way.port).running(transport="memory") as node:
        await connected(node, "source")
        way.slow(4000)
        with Peer(broker.port) as peer:
            peer.publish_all("in/a", range(30))
        await comes(lambda: sinks[0].bodies == list(range(30)))


@pytest.mark.parametrize(
    "answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x20\x03\x00", b"\x20\xff\xff\xff\xff\xff\xff"]
)
async def test_nonsense_is_an_outage(mosquitto: Any, link: Any, answer: bytes) -> None:
    broker = mosquitto()
    way = link(broker.port)
    way.nonsense(answer)
    async with inbound(way.port, timeout="300ms").running(transport="memory") as node:
        await comes(lambda: note_of(node, "source").startswith("away: Connection"))
        way.heal()
        await connected(node, "source")


async def test_what_came_while_the_node_was_down_is_there(mosquitto: Any, short_dir: Path) -> None:
    broker = mosquitto()
    flow = inbound(broker.port)
    with Peer(broker.port) as peer:
        for number in range(2):
            async with flow.running(store=short_dir / "store") as node:
                await connected(node, "source")
                await comes(lambda number=number: len(sinks[-1].bodies) == number)
            peer.publish("in/a", str(number), qos=1)
    async with flow.running(store=short_dir / "store"):
        await comes(lambda: sinks[-1].bodies == [1])


async def test_a_lost_session_is_told(mosquitto: Any, short_dir: Path, caplog: Any) -> None:
    broker = mosquitto(persistence=False)
    flow = inbound(broker.port)
    async with flow.running(store=short_dir / "store") as node:
        await connected(node, "source")
        await comes(lambda: node.status().services[0].done == 2)
    assert "session" not in caplog.text
    broker.restart(signal.SIGKILL)
    async with flow.running(store=short_dir / "store") as node:
        await connected(node, "source")
        assert node.status().services[0].counts["sessions-lost"] == 1
    assert "has not kept the session" in caplog.text


async def test_a_topic_that_is_gone_from_the_settings_is_gone_at_the_broker(mosquitto: Any, short_dir: Path) -> None:
    broker = mosquitto()
    for topics, taken in [(["in/a", "in/b"], [1, 2]), (["in/b"], [2])]:
        async with inbound(broker.port, topics=topics).running(store=short_dir / "store") as node:
            await connected(node, "source")
            with Peer(broker.port) as peer:
                peer.publish("in/a", "1")
                peer.publish("in/b", "2")
            await comes(lambda taken=taken: sinks[-1].bodies == taken)
            await comes(lambda: not node.status().services[0].queued)


async def test_another_client_with_the_same_name_is_told(mosquitto: Any) -> None:
    broker = mosquitto()
    async with inbound(broker.port, client_id="twin").running(transport="memory") as node:
        await connected(node, "source")
        with Peer(broker.port, name="twin"):
            await comes(lambda: 'another client is called "twin"' in note_of(node, "source"))


class TestTrust:
    """TLS, users and certificates."""

    async def test_a_trusted_certificate(self, mosquitto: Any) -> None:
        broker = mosquitto(host="localhost")
        settings = {"url": url(broker.port, "mqtts", "localhost"), "ca": broker.authority.ca}
        async with inbound(0, **settings).running(transport="memory") as node:
            await connected(node, "source")

    @pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
    async def test_a_certificate_of_another_host_is_refused(self, mosquitto: Any, host: str) -> None:
        broker = mosquitto(host="elsewhere.example")
        settings = {"url": url(broker.port, "mqtts", host), "ca": broker.authority.ca}
        async with inbound(0, **settings).running(transport="memory") as node:
            await comes(lambda: "is not trusted" in note_of(node, "source"))
            assert "certificate is not valid for" in note_of(node, "source")

    async def test_an_unknown_authority_is_refused(self, mosquitto: Any) -> None:
        broker = mosquitto(host="localhost")
        async with inbound(0, url=url(broker.port, "mqtts", "localhost")).running(transport="memory") as node:
            await comes(lambda: "is not trusted" in note_of(node, "source"))

    async def test_a_certificate_of_ones_own(self, mosquitto: Any) -> None:
        broker = mosquitto(host="localhost", client_certificates=True)
        certificate, key = broker.authority.issue("node-7")
        settings = {"url": url(broker.port, "mqtts", "localhost"), "ca": broker.authority.ca}
        own = {"certificate": certificate, "key_file": key}
        async with inbound(0, **settings, **own).running(transport="memory") as node:
            await connected(node, "source")
        async with inbound(0, **settings).running(transport="memory") as node:
            await comes(lambda: note_of(node, "source").startswith("away: Connection"))

    @pytest.mark.parametrize("protocol", ["5", "3.1.1"])
    async def test_a_wrong_password_is_told(self, mosquitto: Any, protocol: str) -> None:
        broker = mosquitto(users={"ann": "right"})
        wrong = {"user": "ann", "password": "wrong-one", "protocol": protocol}
        async with inbound(broker.port, **wrong).running(transport="memory") as node:
            await comes(lambda: "refuses the connection: Not authorized" in note_of(node, "source"))
            assert "wrong-one" not in str(node.status())
        async with inbound(broker.port, user="ann", password="right").running(transport="memory") as node:
            await connected(node, "source")


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (b"\x20\x03\x00\x00\x00" + b"\x90\x04\x00\x01\x00\x87", 'refuses a subscription to "in/#": Not authorized'),
        (b"\x20\x03\x00\x00\x00" + b"\xe0\x02\x8e\x00", 'gave the session to another client that is called "twin"'),
        (b"\x20\x03\x00\x88\x00", "refuses the connection: Server unavailable"),
    ],
    ids=["SUBACK", "DISCONNECT", "CONNACK"],
)
async def test_what_a_broker_says_no_with(mosquitto: Any, link: Any, answer: bytes, told: str) -> None:
    """Byte for byte what other brokers answer; Mosquitto closes connections without a word."""
    way = link(mosquitto().port)
    way.nonsense(answer)
    async with inbound(way.port, client_id="twin").running(transport="memory") as node:
        await comes(lambda: told in note_of(node, "source"))


async def test_whatever_a_broker_sends_ends_in_a_connection_error() -> None:
    """Random bytes behind a good CONNACK: they are messages, or the connection is over."""
    seed = seed_of_this_run()
    chance = random.Random(seed)
    sent = b""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(b"\x20\x03\x00\x00\x00" + sent)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    for _ in range(200):
        kind = chance.choice([b"\x30", b"\x32", b"\x90", b"\x40", b"\xe0", b"\xd0", b"\x62", b"\x00", b"\x20"])
        body = chance.randbytes(chance.randrange(40))
        sent = kind + bytes([chance.choice([len(body), chance.randrange(256)])]) + body
        connection = Connection(Broker(Address("127.0.0.1", port), "me", timeout=2.0))
        try:
            await connection.open()
            while True:
                await connection.rest(1.0)
                connection.take()
        except ConnectionError:
            pass
        except BaseException as error:
            raise AssertionError(f"{sent!r}; {repeat(seed)}") from error
        finally:
            connection.close()
    server.close()
    await server.wait_closed()
