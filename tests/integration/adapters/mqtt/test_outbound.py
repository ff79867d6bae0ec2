"""mqtt-out against Mosquitto: what is published, what is refused, and what becomes of messages while it is away."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.typing import Subprotocol

from tests.integration.adapters.mqtt.flows import comes, connected, isolated, note_of, outbound, sinks, url
from tests.integration.adapters.mqtt.peer import Peer


async def send(node: Any, *bodies: Any) -> None:
    for body in bodies:
        await node.target("announce", Any).send(body)


async def test_a_message_is_published_with_its_key(mosquitto: Any) -> None:
    broker = mosquitto()
    settings = {
        "topic": "out/{body.line}/{type}",
        "properties": {"unit": "{body.unit}"},
        "content_type": "application/json",
        "expiry": "1h",
        "retain": True,
    }
    async with outbound(broker.port, **settings).running(transport="memory") as node:
        with Peer(broker.port, "out/#") as peer:
            await send(node, {"line": "a", "unit": "°C", "value": 1})
            await comes(lambda: peer.got)
            assert peer.got == [("out/a/any", b'{"line":"a","unit":"\xc2\xb0C","value":1}')]
            properties = peer.messages[0].properties
            assert peer.property_of(0, "unit") == "°C" and properties.ContentType == "application/json"
            assert 0 < properties.MessageExpiryInterval <= 3600
            assert peer.property_of(0).rpartition("-")[2].isdigit()
        with Peer(broker.port, "out/#") as late:
            await comes(lambda: late.got)
            assert late.messages[0].retain


async def test_what_nobody_has_subscribed_to_is_counted(mosquitto: Any) -> None:
    broker = mosquitto()
    async with outbound(broker.port).running(transport="memory") as node:
        await send(node, {"line": "a"})
        await comes(lambda: node.status().services[0].counts == {"messages": 1, "unheard": 1})
        with Peer(broker.port, "out/#") as peer:
            await send(node, {"line": "b"})
            await comes(lambda: peer.got)
            await comes(lambda: node.status().services[0].counts == {"messages": 2, "unheard": 1})


@pytest.mark.parametrize(
    ("form", "payload", "written"),
    [("text", "body.value", b"1.5"), ("json", "{'v': body.value}", b'{"v":1.5}'), ("bytes", "body.raw", b"\x00\xff")],
)
async def test_payloads(mosquitto: Any, form: str, payload: str, written: bytes) -> None:
    broker = mosquitto()
    flow = outbound(broker.port, format=form, payload=payload, protocol="3.1.1", qos=0)
    async with flow.running(transport="memory") as node:
        with Peer(broker.port, "out/#") as peer:
            await send(node, {"line": "a", "value": 1.5, "raw": "AP8="})
            await comes(lambda: peer.payloads == [written])


@pytest.mark.parametrize("line", ["a/b", "+", "#", "x\x00", "", "x\n", "y" * 70_000])
async def test_a_value_that_would_leave_its_level_is_parked(mosquitto: Any, line: str) -> None:
    broker = mosquitto()
    async with outbound(broker.port).running(transport="memory") as node:
        with Peer(broker.port, "#") as peer:
            await send(node, {"line": line}, {"line": "good"})
            await comes(lambda: peer.got == [("out/good", b'{"line":"good"}')])
            assert node.status().services[0].parked == 1


async def test_the_whole_topic_may_be_a_value(mosquitto: Any) -> None:
    broker = mosquitto()
    async with outbound(broker.port, topic="{body.to}").running(transport="memory") as node:
        with Peer(broker.port, "#") as peer:
            await send(node, {"to": "$SYS/broker"}, {"to": "a/#"}, {"to": "a/b/c"})
            await comes(lambda: [topic for topic, _ in peer.got] == ["a/b/c"])
            assert node.status().services[0].parked == 2


async def test_what_the_broker_refuses_is_parked_and_the_next_goes_out(mosquitto: Any, tmp_path: Any) -> None:
    allowed = tmp_path / "acl"
    allowed.write_text("topic readwrite out/good\ntopic read #\n")
    broker = mosquitto(lines=[f"acl_file {allowed}", "max_packet_size 2000"])
    async with outbound(broker.port).running(transport="memory") as node:
        with Peer(broker.port, "out/good") as peer:
            await send(node, {"line": "bad"}, {"line": "good", "x": "x" * 3000}, {"line": "good"})
            await comes(lambda: peer.payloads == [b'{"line":"good"}'])
            assert node.status().services[0].parked == 2
            assert "connected" in note_of(node, "announce") or "last error" in note_of(node, "announce")


async def test_messages_wait_while_the_broker_is_away(mosquitto: Any) -> None:
    broker = mosquitto()
    broker.stop()
    async with outbound(broker.port).running(transport="memory") as node:
        await send(node, {"line": "a", "n": 1}, {"line": "a", "n": 2})
        await comes(lambda: node.status().services[0].state == "held")
        assert node.status().services[0].queued == 2
        broker.start()
        with Peer(broker.port, "out/#") as peer:
            await comes(lambda: len(peer.got) == 2)
            assert [payload[-2:-1] for payload in peer.payloads] == [b"1", b"2"]
            broker.restart()
            await send(node, {"line": "a", "n": 3})
            await comes(lambda: node.status().services[0].done == 3)


@pytest.mark.parametrize("pool", [1, 8])
async def test_a_backlog_over_a_link_that_breaks_arrives_whole(mosquitto: Any, link: Any, pool: int) -> None:
    broker = mosquitto(lines=["max_inflight_messages 4"])
    way = link(broker.port)
    async with outbound(way.port, pool=pool).running(transport="memory") as node:
        await connected(node, "announce")
        with Peer(broker.port, "out/#") as peer:
            way.cut()
            for number in range(200):
                await send(node, {"line": "a", "n": number})
            way.cut_after(3000)
            way.heal()
            way.cut_after(3000)
            await comes(lambda: "away" in note_of(node, "announce") or "held" in node.status().services[0].state)
            way.heal()
            await comes(lambda: node.status().services[0].done == 200)
            await comes(lambda: len(set(peer.payloads)) == 200)
            first = list(dict.fromkeys(peer.payloads))
            keys = {payload: peer.property_of(number) for number, payload in enumerate(peer.payloads)}
            assert all(peer.property_of(at) == keys[payload] for at, payload in enumerate(peer.payloads))
            if pool == 1:
                assert first == [b'{"line":"a","n":%d}' % number for number in range(200)]


async def test_a_half_open_link_is_an_outage(mosquitto: Any, link: Any) -> None:
    broker = mosquitto()
    way = link(broker.port)
    async with outbound(way.port, timeout="300ms").running(transport="memory") as node:
        await connected(node, "announce")
        way.half_open()
        await send(node, {"line": "a"})
        await comes(lambda: "does not acknowledge" in note_of(node, "announce"))
        way.heal()
        with Peer(broker.port, "out/#") as peer:
            await comes(lambda: peer.got)


async def test_the_last_will(mosquitto: Any, link: Any) -> None:
    broker = mosquitto()
    way = link(broker.port)
    will = {"will_topic": "nodes/a", "will_payload": "gone", "will_qos": 1}
    with Peer(broker.port, "nodes/#") as peer:
        async with outbound(way.port, **will).running(transport="memory") as node:
            await connected(node, "announce")
        assert peer.got == []  # it said goodbye
        async with outbound(way.port, **will).running(transport="memory") as node:
            await connected(node, "announce")
            way.drop()
            await comes(lambda: peer.got == [("nodes/a", b"gone")])


async def test_websockets(mosquitto: Any) -> None:
    """Through a bridge: not every build of Mosquitto speaks it."""
    broker = mosquitto()

    async def bridge(web: ServerConnection) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", broker.port)

        async def back() -> None:
            while data := await reader.read(4096):
                await web.send(data)

        sending = asyncio.create_task(back())
        try:
            async for data in web:
                writer.write(data if isinstance(data, bytes) else data.encode())
        finally:
            sending.cancel()
            writer.close()
            await writer.wait_closed()

    async with serve(bridge, "127.0.0.1", 0, subprotocols=[Subprotocol("mqtt")]) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        async with outbound(0, url=url(port, "ws") + "/mqtt").running(transport="memory") as node:
            await connected(node, "announce")
            with Peer(broker.port, "out/#") as peer:
                await send(node, {"line": "a"})
                await comes(lambda: peer.got == [("out/a", b'{"line":"a"}')])


async def test_in_worker_processes(mosquitto: Any) -> None:
    broker = mosquitto()
    sinks.clear()
    async with isolated(broker.port).running(transport="memory") as node:
        await comes(lambda: node.status().services[1].done == 2)  # it has noted its subscription
        await send(node, {"line": "a", "value": 7})
        await comes(lambda: sinks[0].taken == [(7, {"at": "a", "idempotency-key": mark(sinks[0]), "topic": "in/a"})])
        assert sinks[0].keys == ["in/a"]


def mark(sink: Any) -> str:
    return str(sink.taken[0][1]["idempotency-key"]) if sink.taken else ""


@pytest.mark.parametrize(
    ("reason", "outcome"),
    [(0x00, "done"), (0x10, "done"), (0x97, "held"), (0x80, "retried"), (0x87, "parked"), (0x99, "parked")],
)
async def test_what_a_puback_says(mosquitto: Any, link: Any, reason: int, outcome: str) -> None:
    """Byte for byte: CONNACK and, for the first message, PUBACK with a reason code."""
    way = link(mosquitto().port)
    way.nonsense(b"\x20\x03\x00\x00\x00" + b"\x40\x03\x00\x01" + bytes([reason]))
    async with outbound(way.port, timeout="300ms").running(transport="memory") as node:
        await connected(node, "announce")
        await send(node, {"line": "a"})
        await comes(lambda: getattr(node.status().services[0], outcome) == 1)
