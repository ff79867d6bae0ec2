"""Messages as they travel between a client and its broker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from paho.mqtt.client import MQTTMessage
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

NEVER = 0xFFFFFFFF
"""The expiry, in seconds, of what does not expire; and the longest one."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message that has come. ``duplicate``: the broker may have sent it before; ``properties`` are those of its user,
    of MQTT 5 as the others behind it."""

    topic: str
    payload: bytes
    qos: int = 0
    retain: bool = False
    duplicate: bool = False
    number: int = 0
    properties: Mapping[str, str] = field(default_factory=dict)
    content_type: str = ""
    response_topic: str = ""
    correlation: bytes = b""


@dataclass(frozen=True, slots=True)
class Publication:
    """A message to send. ``expiry`` in seconds, and ``properties`` of the user: of MQTT 5, left out in 3.1.1."""

    topic: str
    payload: bytes
    qos: int = 1
    retain: bool = False
    expiry: int | None = None
    properties: Mapping[str, str] = field(default_factory=dict)
    content_type: str = ""


def arrival_of(message: MQTTMessage) -> Arrival:
    """What the client library has read."""
    try:
        topic = message.topic
    except UnicodeDecodeError as error:  # which a broker must not pass on
        topic = error.object.decode(errors="replace")
    head = (topic, bytes(message.payload), message.qos, message.retain, message.dup, message.mid)
    properties = message.properties
    if properties is None:
        return Arrival(*head)
    return Arrival(
        *head,
        dict(getattr(properties, "UserProperty", ())),
        getattr(properties, "ContentType", ""),
        getattr(properties, "ResponseTopic", ""),
        getattr(properties, "CorrelationData", b""),
    )


def properties_of(publication: Publication) -> Properties:
    """What MQTT 5 carries beside the payload."""
    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    if publication.expiry is not None:
        properties.MessageExpiryInterval = min(publication.expiry, NEVER)
    if publication.content_type:
        properties.ContentType = publication.content_type
    if publication.properties:
        properties.UserProperty = list(publication.properties.items())
    return properties


def size_of(publication: Publication) -> int:
    """Bytes of its packet, or a few more."""
    texts = [publication.topic, publication.content_type]
    texts += [text for pair in publication.properties.items() for text in pair]
    return len(publication.payload) + sum(len(text.encode()) + 3 for text in texts) + 16
