"""mqtt-in against Mosquitto: what arrives, what is told of it, and what becomes of what cannot be read."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from junctor import Flow, handler
from junctor.adapters import MqttIn
from junctor.adapters.mqtt.inbound import MqttMessage
from tests.integration.adapters.mqtt.flows import QUICK, Reading, Sink, Typed, comes, connected, inbound, sinks, url
from tests.integration.adapters.mqtt.peer import Peer


@pytest.fixture(autouse=True)
def _no_sinks() -> None:
    sinks.clear()


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
async def test_what_is_published_is_handled_with_its_topic(mosquitto: Any, protocol: str) -> None:
    broker = mosquitto()
    async with inbound(broker.port, protocol=protocol).running(transport="memory") as node:
        await connected(node, "source")
        with Peer(broker.port) as peer:
            peer.publish("in/a", '{"n": 1}')
            peer.publish("in/b", '{"n": 2}', qos=0)
            peer.publish("elsewhere", "{}")
            peer.publish("in/c", "")
        await comes(lambda: len(sinks[0].taken) == 3)
        assert sinks[0].taken == [
            ({"n": 1}, {"topic": "in/a"}),
            ({"n": 2}, {"topic": "in/b"}),
            (None, {"topic": "in/c"}),
        ]


async def test_what_mqtt_5_tells_is_in_the_headers(mosquitto: Any) -> None:
    broker = mosquitto()
    async with inbound(broker.port, envelope=True, key="topic").running(transport="memory") as node:
        await connected(node, "source")
        with Peer(broker.port) as peer:
            more = {"ContentType": "application/json", "ResponseTopic": "back", "CorrelationData": b"7\xff"}
            peer.publish("in/a", "5", properties={"unit": "C", "topic": "forged"}, **more)
        await comes(lambda: sinks[0].taken)
        body, headers = sinks[0].taken[0]
        assert body == {
            "topic": "in/a",
            "payload": 5,
            "retain": False,
            "properties": {"unit": "C", "topic": "forged"},
        }
        assert headers == {
            "unit": "C",
            "topic": "in/a",
            "content-type": "application/json",
            "response-topic": "back",
            "correlation-data": "7\\xff",
        }
        assert sinks[0].keys == ["in/a"]


@pytest.mark.parametrize(("form", "body"), [("text", "ä"), ("bytes", base64.b64encode("ä".encode()).decode())])
async def test_other_formats(mosquitto: Any, form: str, body: str) -> None:
    broker = mosquitto()
    async with inbound(broker.port, format=form).running(transport="memory") as node:
        await connected(node, "source")
        with Peer(broker.port) as peer:
            peer.publish("in/a", "ä")
        await comes(lambda: sinks[0].bodies == [body])


async def test_what_cannot_be_read_is_parked_and_stops_nothing(mosquitto: Any, caplog: Any) -> None:
    broker = mosquitto()
    async with inbound(broker.port, Typed).running(transport="memory") as node:
        await connected(node, "source")
        with Peer(broker.port) as peer:
            peer.publish("in/a", b"\xff\x00")
            peer.publish("in/b", "[" * 100_000)
            peer.publish("in/c", '{"line": "c", "value": "much"}')
            peer.publish("in/d", '{"line": "d"}', properties={"x" * 20_000: "y"})
            peer.publish("in/e", '{"line": "e", "value": 1}')
        await comes(lambda: sinks[0].bodies == [Reading("e", 1.0)])
        await comes(lambda: node.status().services[0].parked == 3 and node.status().services[1].parked == 1)
        told = caplog.text
        assert "in/a: the payload is no JSON" in told and "of 100000 bytes the first 65536 are here" in told
        assert "headers have" in told and "Typed" not in told and ".value" in told


async def test_a_parked_message_is_corrected_and_goes_on(mosquitto: Any) -> None:
    broker = mosquitto()
    async with inbound(broker.port, Typed).running(transport="memory") as node:
        await connected(node, "source")
        again = MqttMessage("in/a", b'{"line": "a", "value": 3}', headers={"topic": "in/a"})
        await node.target("source", MqttMessage).send(again)
        await comes(lambda: sinks[0].taken == [(Reading("a", 3.0), {"topic": "in/a"})])


async def test_a_publishers_key_makes_the_second_one_vanish(mosquitto: Any) -> None:
    broker = mosquitto()
    async with inbound(broker.port, once_by="order").running(transport="memory") as node:
        await connected(node, "source")
        with Peer(broker.port) as peer:
            for number, order in enumerate(["A", "B", "A", "C"]):
                peer.publish("in/orders", str(number), properties={"order": order})
            peer.publish("in/orders", "4")
        await comes(lambda: sinks[0].bodies == [0, 1, 3, 4])


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
@pytest.mark.parametrize(("retained", "times"), [("new", 1), ("always", 2), ("never", 0)])
async def test_retained_messages(mosquitto: Any, retained: str, times: int, protocol: str, short_dir: Any) -> None:
    broker = mosquitto()
    with Peer(broker.port) as peer:
        peer.publish("in/state", '"kept"', retain=True)
        flow = inbound(broker.port, retained=retained, protocol=protocol)
        for round in range(2):
            async with flow.running(store=short_dir / "store") as node:
                await connected(node, "source")
                peer.publish("in/live", str(round), retain=False)
                await comes(lambda round=round: round in sinks[-1].bodies)
    taken = [body for sink in sinks for body in sink.bodies]
    assert taken.count("kept") == times
    headers = [head for sink in sinks for body, head in sink.taken if body == "kept"]
    assert all(head["retain"] == "true" for head in headers)


async def test_two_nodes_share_a_subscription(mosquitto: Any) -> None:
    broker = mosquitto()
    flows = [inbound(broker.port, topics=["$share/pair/in/#"]) for _ in range(2)]
    async with flows[0].running(transport="memory") as one, flows[1].running(transport="memory") as two:
        await connected(one, "source")
        await connected(two, "source")
        with Peer(broker.port) as peer:
            peer.publish_all("in/a", range(20))
        await comes(lambda: sum(len(sink.bodies) for sink in sinks) == 20)
        assert sorted(body for sink in sinks for body in sink.bodies) == list(range(20))
        assert all(len(sink.bodies) == 10 for sink in sinks)


async def test_a_full_queue_slows_the_broker_down_and_loses_nothing(mosquitto: Any) -> None:
    """The sink takes one at a time behind a queue of ten; the broker has more under way than fit."""

    class Slow(Sink):
        @handler
        async def take(self, body: Any) -> None:
            await self.sleep(0.002)
            self.note(body)

    broker = mosquitto(lines=["max_inflight_messages 500", "max_queued_messages 5000"])
    source = MqttIn(url=url(broker.port), topics=["in/#"], receive=50, timeout="2s")
    flow = Flow("plant").add(source, name="source", connect={"out": "sink"}, hold=QUICK)
    flow.add(Slow, name="sink", queue={"limit": 10, "wait": "50ms"})
    async with flow.running(transport="memory") as node:
        await connected(node, "source")
        with Peer(broker.port) as peer:
            peer.publish_all("in/a", range(200))
        await comes(lambda: set(sinks[0].bodies) == set(range(200)))
        first = list(dict.fromkeys(sinks[0].bodies))
        assert first == sorted(first)
