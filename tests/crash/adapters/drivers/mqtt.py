"""The flow of the MQTT tests: from one broker through a service to another topic. ``junctor run`` starts it; MQTT_IN
and MQTT_OUT are the ports."""

from __future__ import annotations

import os
from typing import Any

from junctor import Flow, Service, Target, handler
from junctor.adapters import MqttIn, MqttOut

QUICK = {"initial": "20ms", "max": "100ms"}
MANY = {"deaths": 100_000}
"""A message that was in hand at many kills would be parked as one that kills."""


class Relay(Service):
    """Counts what it passes on."""

    out: Target[Any]

    @handler
    async def on(self, body: dict[str, int]) -> None:
        self.state["count"] = self.state.get("count", 0) + 1
        await self.out.send(body | {"count": self.state["count"]})


flow = (
    Flow("plant")
    .add(
        MqttIn(url=f"mqtt://127.0.0.1:{os.environ['MQTT_IN']}", topics=["in/#"], once_by="id", receive=8),
        name="source",
        connect={"out": "relay"},
        hold=QUICK,
        retry=MANY,
    )
    .add(Relay, name="relay", connect={"out": "announce"}, retry=MANY)
    .add(
        MqttOut(url=f"mqtt://127.0.0.1:{os.environ['MQTT_OUT']}", topic="out", key_property="key"),
        name="announce",
        hold=QUICK,
        retry=MANY,
    )
)
