"""An hour without the broker, in virtual time: one alert, one warning, all is there afterwards."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from junctor import Flow
from junctor.adapters import MqttIn, MqttOut
from junctor.testing import running
from tests.integration.adapters.mqtt.flows import Sink, comes, sinks, url
from tests.integration.adapters.mqtt.peer import Peer


@pytest.fixture(autouse=True)
def _no_sinks() -> None:
    sinks.clear()


async def test_messages_wait_for_an_hour_and_go_out_in_order(mosquitto: Any, caplog: Any) -> None:
    broker = mosquitto()
    flow = Flow("plant").add(MqttOut(url=url(broker.port), topic="out"), name="announce")
    broker.stop()
    async with running(flow) as plant:
        for number in range(1, 61):
            await plant.send("announce", {"n": number})
            await comes(lambda: "is held" in caplog.text)  # connecting is of the real world; time does not wait for it
            await plant.advance("1m")
        assert [alert.kind for alert in plant.alerts].count("held") == 1
        broker.start()
        with Peer(broker.port, "out") as peer:
            await plant.advance("2m")
            await comes(lambda: len(peer.got) == 60)
            assert peer.payloads == [b'{"n":%d}' % number for number in range(1, 61)]
        assert not plant.parked


async def test_a_source_that_is_away_for_an_hour(mosquitto: Any, caplog: Any) -> None:
    broker = mosquitto()
    source = MqttIn(url=url(broker.port), topics=["in/#"])
    flow = Flow("plant").add(source, name="source", connect={"out": "sink"}).add(Sink, name="sink")
    async with running(flow) as plant:
        await comes(lambda: plant.state("source").get("topics"))
        broker.stop()
        await comes(lambda: "is away" in caplog.text)
        for _ in range(120):
            await plant.advance("30s")
            await asyncio.sleep(0.008)  # connecting is of the real world, and time does not wait for it
        assert caplog.text.count("is away") == 1
        broker.start()
        with Peer(broker.port) as peer:
            peer.publish("in/a", "1")  # the broker has kept the session
        for _ in range(50):
            if not sinks[0].bodies:
                await plant.advance("10s")
                await asyncio.sleep(0.02)
        assert sinks[0].bodies == [1] and caplog.text.count("is back") == 1
