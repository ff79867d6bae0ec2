"""The other side of a broker in tests: a client that publishes and remembers what it gets."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

PATIENCE = 10.0


def until(condition: Callable[[], Any], what: str = "") -> Any:
    """Wait, blocking, for what other threads or processes do."""
    end = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < end, what or condition
        time.sleep(0.005)
    return found


class Peer:
    """Its own thread reads, so it can be used where a loop runs. ``got`` are topics and payloads."""

    def __init__(self, port: int, *topics: str, name: str = "", user: str = "", password: str = "") -> None:
        self.messages: list[MQTTMessage] = []
        self._client = Client(CallbackAPIVersion.VERSION2, client_id=name, protocol=MQTTProtocolVersion.MQTTv5)
        self._client.max_inflight_messages_set(0)
        if user:
            self._client.username_pw_set(user, password)
        self._client.on_message = lambda client, data, message: self.messages.append(message)
        subscribed: list[int] = []
        self._client.on_subscribe = lambda *_: subscribed.append(1)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        until(self._client.is_connected)
        for count, topic in enumerate(topics, 1):
            self._client.subscribe(topic, 1)
            until(lambda count=count: len(subscribed) >= count)

    def __enter__(self) -> Peer:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def publish_all(self, topic: str, payloads: Iterable[object]) -> None:
        """Publish one after the other, and wait for the broker at the end."""
        sent = [self._client.publish(topic, str(payload), 1) for payload in payloads]
        for one in sent:
            one.wait_for_publish(PATIENCE)

    def publish(
        self,
        topic: str,
        payload: str | bytes = b"",
        *,
        qos: int = 1,
        retain: bool = False,
        properties: Mapping[str, str] | None = None,
        wait: bool = True,
        **more: Any,
    ) -> None:
        """Publish, and wait until the broker has it."""
        own = Properties(PacketTypes.PUBLISH)
        if properties:
            own.UserProperty = list(properties.items())
        for name, value in more.items():
            setattr(own, name, value)
        sent = self._client.publish(topic, payload, qos, retain, own)
        if wait:
            sent.wait_for_publish(PATIENCE)

    @property
    def got(self) -> list[tuple[str, bytes]]:
        return [(message.topic, bytes(message.payload)) for message in self.messages]

    @property
    def payloads(self) -> list[bytes]:
        return [payload for _, payload in self.got]

    def property_of(self, number: int, name: str = "idempotency-key") -> str:
        """A user property of a message that it got."""
        return str(dict(self.messages[number].properties.UserProperty)[name])
