"""Readings to an MQTT broker, and the device twin as two retained messages there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from junctor.adapters import MqttOut
from junctor.adapters.mqtt import payload as form
from junctor.adapters.mqtt.adapter import LOOK, check_topic
from junctor.dialects.microservicebus.com.providers.base import Provider, Reading
from junctor.messages import codec
from junctor.settings import setting

if TYPE_CHECKING:
    from junctor.adapters.mqtt.connection import Arrival, Connection


class MqttProvider(MqttOut, Provider):
    """Publishes each reading; its settings are those of the adapter ``mqtt-out`` and two for the device twin."""

    desired_topic: str = setting("", doc="Topic of the state that is wanted of the node, a retained JSON object")
    reported_topic: str = setting("", doc="Topic to which the node publishes its state, retained")

    def check_settings(self) -> None:
        """Refuse what does not fit together."""
        super().check_settings()
        for name in ("desired_topic", "reported_topic"):
            if topic := getattr(self, name):
                check_topic(topic, name)

    async def open(self) -> None:
        connection = await self._connected()
        if self.desired_topic:
            await connection.subscribe([self.desired_topic], 1)

    async def send(self, reading: Reading) -> None:
        await self._line.publish(self._publication(reading.body))

    async def report(self, state: Mapping[str, Any]) -> None:
        from junctor.adapters.mqtt.connection import Publication

        if self.reported_topic:
            await self._line.publish(Publication(self.reported_topic, codec.encode(state), qos=1, retain=True))

    async def listen(self) -> None:
        connection = self._line
        while not self.stopping:
            if await connection.arrival(LOOK):
                for arrival in connection.take():
                    await self._heard(arrival)
                    connection.acknowledge(arrival)

    @property
    def _line(self) -> Connection:
        """The connection that ``open`` made, with its subscription; one that is lost says so itself."""
        if self._connection is None:
            raise ConnectionError("there is no connection")
        return self._connection

    async def _heard(self, arrival: Arrival) -> None:
        try:
            wanted = form.read(arrival.payload, "json")
        except ValueError as error:
            self.log.warning("%s: %s; the state stays as it was", arrival.topic, error)
            return
        if isinstance(wanted, dict):
            await self.node.desired(wanted, whole=True)
        elif wanted is not None:
            self.log.warning("%s: a JSON object is expected; the state stays as it was", arrival.topic)

    async def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
