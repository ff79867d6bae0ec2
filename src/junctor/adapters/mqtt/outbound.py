"""Messages to a broker."""

from __future__ import annotations

import asyncio
import os
import re
from typing import TYPE_CHECKING, Any, Literal

from junctor.adapters.base import Outbound
from junctor.adapters.mqtt import payload as form
from junctor.adapters.mqtt.adapter import LOOK, MqttAdapter, check_topic, problem_of
from junctor.adapters.mqtt.reasons import UNHEARD
from junctor.core.expressions import Expression, Template, Variables, of_message
from junctor.core.outcome import Park
from junctor.errors import ConfigurationError, SettingError
from junctor.services import handler
from junctor.settings import Duration, setting

if TYPE_CHECKING:
    from junctor.adapters.mqtt.connection import Connection
    from junctor.adapters.mqtt.messages import Publication

_SEEN = ("body", "headers", "key", "type", "message", "now")
_PLACEHOLDER = re.compile(r"\{[^{}]*\}")


class MqttOut(MqttAdapter, Outbound):
    """Publishes each message, and is done with it when the broker has acknowledged it.

    There is one connection, made when the service starts and again when it is lost; while there is none, messages wait
    in their queue. A message may be published twice, as everything that leaves a flow: its user property
    ``idempotency-key`` is then the same. What the broker refuses is parked::

        announce:
          adapter: mqtt-out
          settings: {url: "mqtt://broker.example", topic: "plant/{body.line}/alarm"}
    """

    topic: Template = setting(doc='Where to: "plant/{body.line}/state"; what is in braces makes one level')
    payload: Expression | None = setting(None, doc="What is published; the whole body by default")
    format: form.Format = setting("json", doc="How it is written; bytes are given as base64")
    qos: Literal[0, 1] = setting(1, doc="1: until the broker has acknowledged it; 0: until it is written")
    retain: bool = setting(False, doc="Whether the broker keeps it as the last one of its topic")
    expiry: Duration | None = setting(None, ge=1, doc="How long the broker keeps it for subscribers that are away")
    properties: dict[str, Template] = setting({}, doc="User properties of MQTT 5")
    content_type: str = setting("", doc="Content type of MQTT 5, for example application/json")
    key_property: str = setting("idempotency-key", doc="User property with the key of the message; empty for none")
    client_id: str = setting("", doc="Name of the connection at the broker; another one at each start by default")

    def check_settings(self) -> None:
        """Refuse what does not fit together."""
        super().check_settings()
        check_topic(_PLACEHOLDER.sub("x", self.topic.text), "topic")
        places = {"topic": [self.topic], "properties": [*self.properties.values()]}
        if self.payload is not None:
            places["payload"] = [self.payload]  # type: ignore[list-item]
        for where, parts in places.items():
            for part in parts:
                try:
                    part.check(*_SEEN)
                except ConfigurationError as error:
                    raise SettingError(error.what, where=where, fix=error.fix) from None
        if self.protocol != "5":
            for name in ("properties", "expiry", "content_type"):
                if getattr(self, name):
                    fix = 'Leave it out, or write protocol: "5".'
                    raise SettingError("MQTT 3.1.1 does not have this", where=name, fix=fix)

    def on_start(self) -> None:
        self._one = asyncio.Lock()
        self._client = self.client_id or f"junctor-{self.name}-{os.urandom(4).hex()}"

    def on_stop(self) -> None:
        if self._connection is not None:
            self._connection.close()

    async def loop(self) -> None:
        """Keep a connection."""
        connection = await self._connected()
        self.reached()
        while not self.stopping:
            await connection.rest(LOOK)

    async def _connected(self) -> Connection:
        """The connection; a new one where there is none."""
        from junctor.adapters.mqtt.connection import Connection

        async with self._one:
            if self._connection is None or self._connection.lost is not None:
                connection = Connection(self.broker(self._client))
                await connection.open()
                self._connection = connection
            return self._connection

    @handler
    async def put(self, body: Any) -> None:
        """Publish a message."""
        publication = self._publication(body)
        connection = await self._connected()
        if await connection.publish(publication) == UNHEARD:
            self.count("unheard")
        self.count("messages")

    def _publication(self, body: Any) -> Publication:
        from junctor.adapters.mqtt.messages import Publication

        seen = of_message(self.message, body)
        try:
            payload = form.write(body if self.payload is None else self.payload.value(seen), self.format)
        except ValueError as error:
            raise Park(str(error)) from error
        return Publication(
            topic=self._topic(seen),
            payload=payload,
            qos=self.qos,
            retain=self.retain,
            expiry=None if self.expiry is None else max(1, round(self.expiry)),
            properties=self._properties(seen),
            content_type=self.content_type,
        )

    def _topic(self, seen: Variables) -> str:
        """A value makes one level of the topic, or the whole of it, and never a wildcard."""
        whole = _PLACEHOLDER.fullmatch(self.topic.text) is not None
        topic = self.topic.fill(seen, str if whole else _level)
        problem = problem_of(topic)
        if not problem and topic.startswith("$") and not self.topic.text.startswith("$"):
            problem = "begins with $, which is the broker's own"
        if problem:
            raise Park(f"the topic {topic[:200]!r} {problem}")
        return topic

    def _properties(self, seen: Variables) -> dict[str, str]:
        made = {name: template.fill(seen) for name, template in self.properties.items()}
        if self.key_property:
            made[self.key_property] = self.message.effect
        return made


def _level(text: str) -> str:
    if not text or "/" in text:
        raise Park(f"{text[:200]!r} is not one level of a topic")
    return text
