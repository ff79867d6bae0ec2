"""Messages from a broker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from junctor.adapters.mqtt import payload as form
from junctor.adapters.mqtt.adapter import LOOK, MqttAdapter, check_filter
from junctor.adapters.records import Reader, reader_of
from junctor.core.expressions import Expression, Variables
from junctor.core.expressions.template import as_text
from junctor.core.outcome import Park
from junctor.core.port import Pending
from junctor.errors import BodyTooLarge, ConfigurationError, EncodeError, ExpressionFailed, JunctorError, SettingError
from junctor.services import Target, handler
from junctor.settings import Duration, setting

if TYPE_CHECKING:
    from junctor.adapters.mqtt.connection import Connection
    from junctor.adapters.mqtt.messages import Arrival

_HANDLING = {"always": 0, "new": 1, "never": 2}
_KEPT = 64 * 1024
"""Bytes that are kept of a payload that is too long to be a message."""


@dataclass(frozen=True)
class MqttSession:
    """What the service notes for itself: as whom it is known to the broker, and what it has subscribed to there."""

    client: str
    topics: list[str]
    qos: int = 1


@dataclass(frozen=True)
class MqttMessage:
    """A message that could not be passed on, as it came: parked with the ``reason``. Sent again without it, and with
    a payload that can be read, it goes on as any other."""

    topic: str
    payload: bytes
    reason: str = ""
    retain: bool = False
    headers: dict[str, str] = field(default_factory=dict)


class MqttIn(MqttAdapter):
    """Sends on what arrives under the topics that it subscribes to.

    The broker keeps the session while the service is away. A message is acknowledged when it is durably accepted, so
    none of QoS 1 is lost, and after a kill or a lost connection those that were not acknowledged come again. The order
    of the broker is kept. One that cannot be read is parked here, as it came, and does not stop the others::

        readings:
          adapter: mqtt-in
          settings: {url: "mqtt://broker.example", topics: ["plant/+/state"]}
          connect: {out: alarm}
    """

    side = "in"

    out: Target[Any]
    topics: list[str] = setting(min_length=1, doc="What to subscribe to: plant/+/state, plant/#, $share/group/orders")
    qos: Literal[0, 1] = setting(1, doc="1: each message at least once; 0: at most once, none while it is away")
    format: form.Format = setting("json", doc="What a payload is; bytes become base64")
    envelope: bool = setting(False, doc="Whether the body is {topic, payload, retain, properties} and not the payload")
    type: str = setting("", doc="The type of the messages, where the receiver takes several")
    key: Expression | None = setting(None, doc="Key of the messages, of body, headers and topic")
    retained: Literal["new", "always", "never"] = setting(
        "new", doc="When retained messages are taken: with a new subscription, with each connection, or not at all"
    )
    once_by: str = setting("", doc="The user property by which a message that comes twice is known and left out")
    session: Duration = setting("7d", gt=0, doc="How long the broker keeps the session while the service is away")
    client_id: str = setting("", doc="Name of the session at the broker; made of node, flow and service by default")
    receive: int = setting(100, ge=1, le=65_535, doc="How many messages may be under way, not acknowledged")

    def check_settings(self) -> None:
        """Refuse what does not fit together."""
        super().check_settings()
        for topic in self.topics:
            check_filter(topic, "topics")
        if self.once_by and self.protocol != "5":
            fix = 'Leave it out, or write protocol: "5".'
            raise SettingError("MQTT 3.1.1 has no user properties", where="once_by", fix=fix)
        try:
            if self.key is not None:
                self.key.check("body", "headers", "topic")
        except ConfigurationError as error:
            raise SettingError(error.what, where="key", fix=error.fix) from None

    def on_start(self) -> None:
        reader_of(self.out, self.type)  # says what is wrong with the type before anything arrives

    async def loop(self) -> None:
        """One connection, for as long as it lasts."""
        from junctor.adapters.mqtt.connection import Connection

        client = self.client_id or await self._name()
        connection = Connection(self.broker(client, self.session, self.receive))
        try:
            await connection.open()
            await self._subscribe(connection, client)
            self._connection = connection
            self.reached()
            while not self.stopping:
                if await connection.arrival(LOOK):
                    await self._pass_on(connection)
        finally:
            connection.close()

    # The session --------------------------------------------------------------------------------------------

    async def _name(self) -> str:
        """As whom the service is known to the broker: the same for ever, and no other node's."""
        known = self.state.get("client", "")
        if not known:
            receipt = await self.target(self.name, MqttSession).send(MqttSession("", []))
            known = self._named(receipt.id) if receipt is not None else ""
        return str(known)

    def _named(self, message: str) -> str:
        """Of the id of a message, of which the node's is a part, and of flow and service."""
        address = self.target(self.name, MqttSession).addresses[0]
        return f"junctor-{message.rpartition('-')[0]}-{address.replace('/', '-')}"

    @handler
    async def note(self, session: MqttSession) -> None:
        """Keep what the service has told itself."""
        self.state["client"] = session.client or self._named(self.message.id)
        if session.client:
            self.state["topics"], self.state["qos"] = session.topics, session.qos

    async def _subscribe(self, connection: Connection, client: str) -> None:
        known = self.state.get("topics", []) if self.state.get("client") == client else []
        if known and not connection.resumed:
            self.count("sessions-lost")
            self.log.warning("the broker has not kept the session %s: what came meanwhile is lost", client)
        old = [topic for topic in known if topic not in self.topics]
        if old and connection.resumed:
            await connection.unsubscribe(old)
        same = known == self.topics and self.state.get("qos") == self.qos
        if not (connection.resumed and same and self.protocol != "5" and self.retained != "always"):
            await self._ask(connection)
        if not same:
            await self.target(self.name, MqttSession).send(MqttSession(client, self.topics, self.qos))

    async def _ask(self, connection: Connection) -> None:
        granted = await connection.subscribe(self.topics, self.qos, _HANDLING[self.retained])
        for topic, qos in zip(self.topics, granted, strict=False):
            if qos < self.qos:
                self.log.warning('the broker gives "%s" with QoS %d only', topic, qos)

    # Messages -----------------------------------------------------------------------------------------------

    async def _pass_on(self, connection: Connection) -> None:
        """Send what has arrived, all at once, and acknowledge in order what is accepted. After the first that is not,
        nothing is: with the next connection it comes again, in its order."""
        reader = reader_of(self.out, self.type)
        sent = [(arrival, self._send(arrival, reader)) for arrival in connection.take()]
        failed: JunctorError | None = None
        for arrival, pending in sent:
            try:
                if pending is not None:
                    await pending
            except JunctorError as error:
                failed = failed or error
            if failed is None:
                connection.acknowledge(arrival)
                self.count("messages")
        if failed is not None:
            raise failed

    def _send(self, arrival: Arrival, reader: Reader) -> Pending[Any] | None:
        """None where there is nothing to send."""
        if arrival.duplicate:
            self.count("again")
        if arrival.retain and self.retained == "never":
            return None
        headers = headers_of(arrival)
        try:
            body = self._body(arrival.topic, arrival.payload, arrival.retain, arrival.properties)
            key = arrival.properties.get(self.once_by) or None if self.once_by else None
            return self._sent(arrival.topic, reader(body), body, headers, key)
        except (ValueError, ExpressionFailed, EncodeError, BodyTooLarge) as error:
            return self._set_aside(arrival, headers, str(error))

    def _body(self, topic: str, payload: bytes, retain: bool, properties: Mapping[str, str]) -> Any:
        """:raises ValueError: the payload is not of the format."""
        body = form.read(payload, self.format)
        if not self.envelope:
            return body
        return {"topic": topic, "payload": body, "retain": retain, "properties": dict(properties)}

    def _sent(
        self, topic: str, body: Any, plain: Any, headers: dict[str, str], once: str | None = None
    ) -> Pending[Any]:
        key = None
        if self.key is not None:
            seen = Variables({}, body=plain, headers=headers, topic=topic)
            key = as_text(self.key.value(seen))
        return self.out.send(body, key=key, headers=headers, idempotency_key=once)

    def _set_aside(self, arrival: Arrival, headers: dict[str, str], reason: str) -> Pending[Any]:
        self.count("set-aside")
        payload = arrival.payload
        if len(payload) > _KEPT:
            payload, reason = payload[:_KEPT], f"{reason} (of {len(payload)} bytes the first {_KEPT} are here)"
        labels = headers if sum(map(len, headers.values())) < _KEPT // 8 else {}
        return self.target(self.name, MqttMessage).send(
            MqttMessage(arrival.topic, payload, reason, arrival.retain, labels)
        )

    @handler
    async def read_again(self, message: MqttMessage) -> None:
        """Park what could not be passed on; pass on what was corrected."""
        if message.reason:
            raise Park(f"{message.topic}: {message.reason}")
        try:
            body = self._body(message.topic, message.payload, message.retain, {})
            await self._sent(message.topic, reader_of(self.out, self.type)(body), body, message.headers)
        except (ValueError, ExpressionFailed) as error:
            raise Park(f"{message.topic}: {error}") from error


def headers_of(arrival: Arrival) -> dict[str, str]:
    """What came beside the payload, as headers of the message: the user properties under their own names."""
    made = dict(arrival.properties)
    made["topic"] = arrival.topic
    if arrival.retain:
        made["retain"] = "true"
    if arrival.content_type:
        made["content-type"] = arrival.content_type
    if arrival.response_topic:
        made["response-topic"] = arrival.response_topic
    if arrival.correlation:
        made["correlation-data"] = arrival.correlation.decode(errors="backslashreplace")
    return made
